import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findHeads } from "../../src/analysis/atlas/find-heads.ts";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { findNeighbors } from "../../src/analysis/neighbors/neighbors.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { openIndex } from "../../src/corpus/open-search.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseHeads } from "../../src/model/components.ts";
import { openModel } from "../../src/model/registry.ts";
import { defaultPool, loadPool } from "../../src/text/pool.ts";
import { formatCosine } from "../../src/views/kit/text.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { apart } from "../../test/support/apart.ts";
import { startStaticServer } from "../../test/support/static-server.ts";
import { end, launch, numbersOf, painted, requirePage, shown, skipPage } from "./browser.ts";
import { PHONE, tooSmall } from "./fingers.ts";

/*
 * The page without a server (`npm run build:page`), over one that knows nothing but files: what it shows is what the
 * command says, it asks nobody else, and a second visit needs no network.
 */

const PAGE = fileURLToPath(new URL("../../dist/page", import.meta.url));
const COFFEE = fileURLToPath(new URL("../../test/goldens/preprocess/skimage-coffee.png", import.meta.url));
/** Bytes of a first visit, up to the first map. */
const MOST_BYTES = 8e6;

/** As much of a browser's type as is used: tests do not know them. */
interface Caches {
  keys(): Promise<string[]>;
  open(name: string): Promise<{
    keys(): Promise<{ readonly url: string }[]>;
    delete(request: { readonly url: string }): Promise<boolean>;
  }>;
}

let browser: Browser;
let context: BrowserContext;
let page: Page;
let server: Awaited<ReturnType<typeof startStaticServer>>;
let model: ClipModel;
const complaints: string[] = [];

const listen = (to: Page) => {
  to.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  to.on("pageerror", (error) => complaints.push(String(error)));
  to.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !/^(data|blob):/.test(request.url()))
      complaints.push(`asked ${request.url()}`);
  });
};
/** What the view downloads as JSON. */
const numbers = () => numbersOf<Record<string, never>>(page);
/** Results without the names that pictures have here and there. */
const nameless = <R extends { origin: { image: object } }>({ origin, ...rest }: R) => ({
  ...rest,
  origin: { ...origin, image: { ...origin.image, name: "", label: null } },
});

describe.skipIf(skipPage)("the page without a server", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    requirePage();
    server = await startStaticServer({ "": PAGE }, { packs: true });
    browser = await launch();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
    listen(page);
    model = await openModel("emoji-4x128-p8");
  }, 120_000);
  afterAll(() => end(browser, server, model));

  it("shows its first map after few bytes, with the command's numbers", async () => {
    // What is kept for the next visit is fetched later, which a slow machine may not be in time to tell apart.
    const first = await browser.newContext({ serviceWorkers: "block" });
    const visit = await first.newPage();
    listen(visit);
    await visit.goto(`${server.url}/`);
    await painted(visit);
    // Neighbours are looked for once the map is there.
    const forMap = server.asked.filter(({ path }) => !/^\/(index|pictures\/demo)\//.test(path));
    expect(forMap.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MOST_BYTES);
    await first.close();
    await page.goto(`${server.url}/`);
    await painted(page);
    const texts = [...EXAMPLE_SCENE.texts];
    const explained = await explainImage(model, EXAMPLE_SCENE.path, texts);
    const score = formatCosine(explained.texts[0]!.similarity);
    await page
      .getByRole("heading", { name: new RegExp(`with a score of ${score.replace(".", "\\.")}`) })
      .waitFor();
    const { explanation } = await numbers();
    expect(apart(nameless(explanation), nameless(explained))).toBeLessThan(1e-6);
  });

  it("segments alike", async () => {
    await page.getByRole("link", { name: "Segment" }).click();
    expect(page.url()).toMatch(/#\/segment\?/);
    await page.getByText(/One scale for all maps:/).waitFor();
    const how = { set: parseHeads(model, "all"), written: "all", mode: "topic" } as const;
    const segmented = await segmentImage(model, EXAMPLE_SCENE.path, [...EXAMPLE_SCENE.texts], how);
    expect(apart(nameless((await numbers()) as never), nameless(segmented))).toBeLessThan(1e-6);
  });

  it("finds neighbours in its index, as the command does", async () => {
    await page.goto(`${server.url}/#/neighbors?by=image&heads=L1.H0,L3*0.5&k=5`);
    await page
      .getByRole("region", { name: /most similar/ })
      .getByText("%")
      .first()
      .waitFor();
    const set = { name: "L1.H0,L3*0.5", set: parseHeads(model, "L1.H0,L3*0.5") };
    const index = await openIndex(model, join(PAGE, "index/demo"));
    const found = await findNeighbors(model, index, { image: EXAMPLE_SCENE.path }, set, { k: 5 });
    const there = (await numbers()) as unknown as typeof found;
    const [named, wanted] = [there, found].map(({ query: _, origin, ...rest }) => ({
      ...rest,
      origin: { ...origin, image: null },
    }));
    expect(apart(named, wanted)).toBeLessThan(1e-6);
    expect(there.neighbors.map(({ id }) => id)).toEqual(found.neighbors.map(({ id }) => id));
    await shown(page.getByRole("region", { name: /most similar/ }), 4);
  });

  it("takes the average picture off, and shows what heads look for", async () => {
    await page.goto(`${server.url}/#/look?less=1`);
    await page.getByRole("checkbox", { name: "less the average picture" }).waitFor();
    await painted(page);
    const asked = server.asked.map(({ path }) => path);
    // One head's numbers of all images in one part: nothing is fetched for what is not asked.
    expect(asked.some((path) => path.startsWith("/index/demo/shards/"))).toBe(true);
    await page.getByRole("link", { name: "Heads" }).click();
    await page.getByRole("heading", { name: "All 16 heads" }).waitFor();
    await page.getByRole("link", { name: "L3.H1" }).first().click();
    await page.getByRole("heading", { name: "Where it looks" }).waitFor();
    await shown(page.getByRole("article", { name: "Head L3.H1" }), 4);
  });

  it("says which heads know a text, as the library does", async () => {
    const text = "a red background";
    await page.goto(`${server.url}/#/heads?knows=${encodeURIComponent(text)}`);
    await page.getByText(/best first/).waitFor();
    await page.getByRole("button", { name: "Ask", exact: true }).waitFor();
    const index = await openIndex(model, join(PAGE, "index/demo"));
    const found = await findHeads(model, index, await loadPool(defaultPool(model.name)), text);
    const there = (await numbers()) as unknown as typeof found;
    expect(apart(there, found)).toBeLessThan(1e-6);
    expect(there.heads[0]!.name).toBe(found.heads[0]!.name);
  });

  it("looks at a picture of one's own, which leaves for nowhere", async () => {
    const before = server.asked.length;
    await page.goto(`${server.url}/#/segment`);
    await page.locator('input[type="file"]').first().setInputFiles(COFFEE);
    await expect.poll(() => page.url(), { timeout: 60_000 }).toContain("image=upload");
    await page.getByRole("link", { name: "Look" }).click();
    await page.getByRole("textbox", { name: /text/i }).first().fill("a cup of coffee");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("heading", { name: "a cup of coffee" }).waitFor();
    await painted(page);
    const { explanation } = (await numbers()) as unknown as {
      explanation: Awaited<ReturnType<typeof explainImage>>;
    };
    const texts = explanation.texts.map(({ text }) => text);
    expect(texts).toContain("a cup of coffee");
    const explained = await explainImage(model, COFFEE, texts);
    expect(apart(nameless(explanation), nameless(explained))).toBeLessThan(1e-6);
    expect(server.asked.slice(before).filter(({ method }) => method !== "GET")).toEqual([]);
  });

  it("fits a phone, and a finger", async () => {
    const phone = await browser.newContext(PHONE);
    const held = await phone.newPage();
    listen(held);
    await held.goto(`${server.url}/#/look`);
    await painted(held);
    const { width, view } = await held.evaluate(() => {
      const { scrollWidth, clientWidth } = (
        globalThis as unknown as {
          document: { documentElement: { scrollWidth: number; clientWidth: number } };
        }
      ).document.documentElement;
      return { width: scrollWidth, view: clientWidth };
    });
    expect(width).toBeLessThanOrEqual(view);
    const dialogs = {
      "Choose which pictures are searched": "li",
      "Choose another model": "table button",
      "Check the model in this browser": "li",
    };
    for (const [opens, last] of Object.entries(dialogs)) {
      await held.getByTitle(opens).first().tap();
      const dialog = held.getByRole("dialog");
      await dialog.locator(last).first().waitFor();
      expect(await tooSmall(held)).toEqual([]);
      const { x, width } = (await dialog.locator(last).first().boundingBox())!;
      expect(x + width).toBeLessThanOrEqual(view);
      await dialog.getByRole("button", { name: "Close", exact: true }).tap();
    }
    await held.getByRole("link", { name: "Segment" }).tap();
    await held.getByText(/One scale for all maps:/).waitFor();
    await held.getByRole("link", { name: "Heads" }).tap();
    await held.getByRole("link", { name: "L0.H1" }).first().tap();
    await held.getByRole("heading", { name: "Where it looks" }).waitFor();
    await phone.close();
  });

  it("comes with the licences of all that is in it", async () => {
    const licences = await readFile(join(PAGE, "licenses.md"), "utf8");
    const others = ["react-dom", "onnx runtime", "zod", "ml-matrix", "tokenizers", "ftfy", "twemoji"];
    for (const name of ["clip-interpret", ...others]) expect(licences.toLowerCase()).toContain(name);
  });

  it("asks nobody but its server, for nothing but its files, and complains of nothing", () => {
    expect(complaints).toEqual([]);
    for (const { path, method } of server.asked) {
      expect(existsSync(join(PAGE, path)), path).toBe(true);
      expect(method).toBe("GET");
    }
  });

  it("comes again when its server is gone", async () => {
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
    await server.close();
    const again = await context.newPage();
    again.setDefaultTimeout(60_000);
    await again.goto(`${server.url}/`);
    await painted(again);
    await again.getByRole("textbox", { name: /text/i }).first().fill("a blue background");
    await again.getByRole("button", { name: "Add" }).click();
    const { texts } = await explainImage(model, EXAMPLE_SCENE.path, ["a blue background"]);
    await again.getByRole("heading", { name: "a blue background" }).waitFor();
    await again.getByText(formatCosine(texts[0]!.similarity), { exact: false }).first().waitFor();
  });

  it("shows what was answered before, without a model", async () => {
    const again = await context.newPage();
    await again.goto(`${server.url}/icon.svg`);
    const forgotten = await again.evaluate(async () => {
      const { caches } = globalThis as unknown as { caches: Caches };
      let count = 0;
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys())
          if (request.url.includes("/models/") && (await cache.delete(request))) count++;
      }
      return count;
    });
    expect(forgotten).toBeGreaterThan(0);
    await again.goto(`${server.url}/`);
    await painted(again);
  });
});
