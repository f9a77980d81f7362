import { cp, mkdtemp } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import type { ExplainResult } from "../../src/results/explain.ts";
import { apart } from "../../test/support/apart.ts";
import { goldenPath } from "../../test/support/goldens.ts";
import { COMMIT, type HubForPages, startHubForPages } from "../../test/support/hub-for-pages.ts";
import { writeRandomCheckpoint } from "../../test/support/random-checkpoint.ts";
import { startStaticServer } from "../../test/support/static-server.ts";
import { end, launch, numbersOf, painted, requirePage, skipPage } from "./browser.ts";
import { pageFor } from "./page-for.ts";

/*
 * A model that the page does not come with, opened by its hub's id or its address: fetched in parts, kept, the command's numbers.
 */

const SCENES = fileURLToPath(new URL("../../examples/scenes/images", import.meta.url));
const COFFEE = goldenPath("preprocess/skimage-coffee.png");
/** A CLIP of a few numbers, with the vocabulary that CLIPs share, and no tokenizer of its own. */
const TINY = {
  ...{ imageSize: 32, patchSize: 8, width: 64, layers: 4, headDim: 16, embedDim: 48 },
  text: { width: 32, heads: 2, layers: 2, vocabSize: 49408 },
};
const ID = "someone/a-tiny-clip";
const TEXT = "a cup of coffee";

let browser: Browser;
let context: BrowserContext;
let page: Page;
let hub: HubForPages;
let site: Awaited<ReturnType<typeof startStaticServer>>;
let models: Awaited<ReturnType<typeof startStaticServer>>;
let scratch: string;
let served: string;
/** The page where its server isolates it. */
let isolated: string;
const complaints: string[] = [];
const asked: string[] = [];

const nameless = ({ origin, ...rest }: ExplainResult) => ({
  ...rest,
  origin: { ...origin, image: { ...origin.image, name: "", label: null } },
});
const listen = (to: Page) => {
  to.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  to.on("pageerror", (error) => complaints.push(String(error)));
};
/** Opens the page's list of models. */
const listed = async (of: Page) => {
  await of.getByRole("button", { name: /^model/ }).click();
  return of.getByRole("dialog");
};
const open = async (of: Page, typed: string) => {
  const dialog = await listed(of);
  await dialog.getByRole("textbox", { name: /hub id or address/ }).fill(typed);
  await dialog.getByRole("button", { name: "Open" }).click();
  return dialog;
};
/** Shows it a picture and a text, and reads what it says. */
const look = async (of: Page): Promise<ExplainResult> => {
  await of.locator('input[type="file"]').first().setInputFiles(COFFEE);
  await expect.poll(() => of.url(), { timeout: 60_000 }).toContain("image=upload");
  await of.getByRole("textbox", { name: /text/i }).first().fill(TEXT);
  await of.getByRole("button", { name: "Add" }).click();
  await of.getByRole("heading", { name: TEXT }).waitFor();
  await painted(of);
  return numbers(of);
};
const numbers = async (of: Page) => (await numbersOf<{ explanation: ExplainResult }>(of)).explanation;

describe.skipIf(skipPage)("a model from elsewhere in the page", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    requirePage();
    scratch = await mkdtemp(join(tmpdir(), "fetched-"));
    const folder = join(scratch, "tiny");
    await writeRandomCheckpoint(folder, TINY);
    hub = await startHubForPages({ [ID]: folder });
    models = await startStaticServer({ "": scratch }, { cors: true });
    served = await pageFor(hub.url, [hub.files, models.url]);
    site = await startStaticServer({ "": served }, { packs: true });
    browser = await launch();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
    listen(page);
    // Everything that the browser sends, whoever in it does.
    context.on("request", (request) => asked.push(request.url()));
    await page.goto(`${site.url}/#/segment`);
  }, 120_000);
  afterAll(() => end(browser, hub, site, models, scratch, served));

  it("is not fetched because an address names it: the page asks first", async () => {
    await page.goto(`${site.url}/#/look?model=${encodeURIComponent(ID)}`);
    await page.getByText(`${ID} is not in this browser yet`).waitFor();
    expect(hub.asked).toEqual([]);
    await page.getByRole("button", { name: "Fetch it" }).click();
    await page.getByRole("button", { name: `model ${ID}` }).waitFor();
  });

  it("says what the command says, and is asked for by its commit", async () => {
    const there = await look(page);
    const model = await loadClipModel(join(scratch, "tiny"), ID);
    const here = await explainImage(
      model,
      COFFEE,
      there.texts.map(({ text }) => text),
    );
    await model.release();
    expect(there.texts.map(({ text }) => text)).toContain(TEXT);
    expect(apart(nameless(there), nameless(here))).toBeLessThan(1e-6);
    expect(hub.asked.every((one) => /revision\/main$/.test(one) || one.includes(COMMIT))).toBe(true);
    // The weights' hash is the hub's: they were never fetched whole for it.
    expect(there.origin.model.weights).toBe(here.origin.model.weights);
    expect(hub.askedFiles.every(({ range }) => range !== undefined)).toBe(true);
  });

  it("is kept: the page says how much, and it answers without any server", async () => {
    const dialog = await listed(page);
    await dialog.getByText(/7\.\d MB from/).waitFor();
    await dialog.getByText(/that this browser gives it/).waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
    const before = { hub: hub.asked.length, files: hub.askedFiles.length };
    await context.setOffline(true);
    const again = await context.newPage();
    again.setDefaultTimeout(60_000);
    listen(again);
    await again.goto(`${site.url}/#/segment?model=${encodeURIComponent(ID)}`);
    await again.getByRole("button", { name: `model ${ID}` }).waitFor();
    await again.getByRole("link", { name: "Look" }).click();
    expect((await look(again)).origin.model.name).toBe(ID);
    // What is not kept cannot be had.
    await open(again, `${models.url}/tiny`);
    await again.getByText(/cannot read .*tiny/).waitFor();
    await again.getByText("SERVER_UNREACHABLE").waitFor();
    await again.close();
    await context.setOffline(false);
    expect({ hub: hub.asked.length, files: hub.askedFiles.length }).toEqual(before);
  });

  it("is not deleted while it looks at pictures of one's own", async () => {
    const holiday = join(scratch, "holiday");
    for (let day = 0; day < 30; day++) await cp(SCENES, join(holiday, String(day)), { recursive: true });
    await page.getByRole("button", { name: /^pictures/ }).click();
    await page.getByLabel("A folder of pictures", { exact: true }).setInputFiles(holiday);
    const work = page.getByRole("complementary", { name: "Background work" });
    await work.getByText(/indexing, \d+ of/).waitFor();
    const dialog = await listed(page);
    const kept = dialog.getByRole("listitem").filter({ hasText: ID });
    await kept.getByRole("button", { name: "Delete…" }).click();
    await kept.getByRole("button", { name: /^Delete \d/ }).click();
    await dialog.getByText(`${ID} looks at “holiday”: it cannot be deleted now`).waitFor();
    await dialog.getByText("MODEL_BUSY").waitFor();
    const seen = async () => Number(/indexing, (\d+) of/.exec((await work.textContent()) ?? "")?.[1]);
    const before = await seen();
    await expect.poll(seen).toBeGreaterThan(before + 5);
    // Nor in another tab, which knows of it by a lock.
    const other = await context.newPage();
    listen(other);
    await other.goto(`${site.url}/#/segment`);
    const there = await listed(other);
    const same = there.getByRole("listitem").filter({ hasText: ID });
    await same.getByRole("button", { name: "Delete…" }).click();
    await same.getByRole("button", { name: /^Delete \d/ }).click();
    await there.getByText(`another tab looks at pictures with ${ID}: it cannot be deleted now`).waitFor();
    await other.close();
    const now = await seen();
    await expect.poll(seen).toBeGreaterThan(now);
    await dialog.getByRole("button", { name: "Close" }).click();
    await work.getByRole("button", { name: "Stop" }).click();
    await work.getByText("stopped").waitFor();
  });

  it("is opened by its address too, and deleted again", async () => {
    await open(page, `${models.url}/tiny/open_clip_model.safetensors`);
    await page.getByRole("button", { name: /^model http.*safetensors/ }).waitFor();
    const { origin } = await look(page);
    const model = await loadClipModel(join(scratch, "tiny"), ID);
    expect(origin.model.weights).toBe(await model.weightsHash());
    await model.release();
    const dialog = await listed(page);
    const kept = dialog.getByRole("listitem").filter({ hasText: ID });
    await kept.getByRole("button", { name: "Delete…" }).click();
    await kept.getByRole("button", { name: /^Delete \d/ }).click();
    await expect.poll(() => kept.count()).toBe(0);
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.goto(`${site.url}/#/look?model=${encodeURIComponent(ID)}`);
    await page.getByText(`${ID} is not in this browser yet`).waitFor();
    await page.getByRole("button", { name: "Use emoji-4x128-p8" }).click();
    await painted(page);
  });

  it("adds up, which the page shows; where it is isolated in several threads, with the same numbers", async () => {
    const isolates = {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    };
    const alone = await startStaticServer({ "": served }, { packs: true, headers: isolates });
    isolated = alone.url;
    const seen = [];
    for (const { url } of [site, alone]) {
      const one = await context.newPage();
      one.setDefaultTimeout(60_000);
      listen(one);
      await one.goto(`${url}/#/look`);
      await painted(one);
      const said = await numbers(one);
      await one.getByRole("button", { name: "Check the numbers" }).click();
      const check = one.getByRole("dialog");
      await check.getByText(/The parts add up: off by \d\.\de-[678] of the largest entry/).waitFor();
      await check.getByText(/Alone and beside others the same: yes/).waitFor();
      const computed = await check.getByText(/Computed by/).textContent();
      seen.push({ said, computed, isolated: await one.evaluate("crossOriginIsolated") });
      await one.close();
    }
    await alone.close();
    const [plain, threaded] = seen as [(typeof seen)[number], (typeof seen)[number]];
    expect(plain).toMatchObject({
      isolated: false,
      computed: expect.stringMatching(/ONNX Runtime \d.*in one thread/),
    });
    const threads = Math.min(availableParallelism(), 4);
    const inThreads = threads === 1 ? "in one thread" : `in ${threads} threads`;
    expect(threaded).toMatchObject({ isolated: true, computed: expect.stringContaining(inThreads) });
    expect(threaded.said).toEqual(plain.said);
  });

  it("that cannot be opened says why, and what to do", async () => {
    const says = async (typed: string, code: string, message: RegExp) => {
      const dialog = await open(page, typed);
      const problem = page.getByRole("alert").filter({ hasText: code });
      await problem.getByText(message).waitFor();
      if (await dialog.isVisible()) await dialog.getByRole("button", { name: "Close", exact: true }).click();
      await page.goto(`${site.url}/#/look`);
      await painted(page);
    };
    await says(
      "https://elsewhere.example/model",
      "ADDRESS_NOT_ALLOWED",
      /may not fetch from elsewhere.example/,
    );
    await says("nobody/nothing", "HUB_NOT_FOUND", /has no nobody\/nothing/);
    await says("no model's name", "MODEL_NOT_FOUND", /no model's name or address/);
    await says(`${models.url}/none`, "MODEL_NOT_FOUND", /no model's files/);
  });

  it("is asked of its servers alone, which the page's policy sees to", async () => {
    const origins = new Set(asked.filter((url) => /^https?:/.test(url)).map((url) => new URL(url).origin));
    expect([...origins].sort()).toEqual([site.url, isolated, hub.url, hub.files, models.url].sort());
    // The thread that fetches has the page's policy too.
    const other = await startStaticServer({ "": scratch }, { cors: true });
    const refused = await page.workers()[0]!.evaluate(
      (url) =>
        fetch(url).then(
          () => "read",
          () => "refused",
        ),
      `${other.url}/tiny/open_clip_config.json`,
    );
    expect({ refused, asked: other.asked }).toEqual({ refused: "refused", asked: [] });
    await other.close();
    expect(
      complaints.filter((text) => !/Failed to load resource|Content Security Policy|ERR_/.test(text)),
    ).toEqual([]);
  });
});
