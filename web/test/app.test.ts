import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import AxeBuilder from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { allHeads, parseComponents } from "../../src/model/components.ts";
import { createModelLoader, DEFAULT_MODEL } from "../../src/model/registry.ts";
import type { Insights, Properties } from "../../src/results/app.ts";
import type { ExplainResult } from "../../src/results/explain.ts";
import { VERSION } from "../../src/support/version.ts";
import type { Paint } from "../../src/views/kit/heatmap.ts";
import { canvasOf, type Placed, paintPicture } from "../../src/views/kit/panel.ts";
import { decimalsFor, formatCosine, formatSigned } from "../../src/views/kit/text.ts";
import { segmentationPaints } from "../../src/views/segmentation/pictures.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { post, startTestServer, type TestServer } from "../../test/support/app-server.ts";
import { rgbaOf } from "../src/plots/paint.ts";
import { launch, missing, openPage, painted, pixelsOf, skip } from "./browser.ts";

const models = createModelLoader();
let server: TestServer;
let browser: Browser;

if (skip) console.warn(`The browser's tests are skipped: ${missing}`);

/** The bytes that the page paints of the example scene, for some heads and a text. */
async function expectedPixels(heads: string, text: string) {
  const model = await models.load(DEFAULT_MODEL);
  const set = parseComponents(heads, model.geometry);
  const found = await segmentImage(model, EXAMPLE_SCENE.path, [text], { set });
  return paintedOver(found, segmentationPaints(found).texts[0]);
}

/** The bytes of a canvas with a map over the example scene. */
async function paintedOver(place: Placed, paint: Paint) {
  const { data, info } = await sharp(EXAMPLE_SCENE.path)
    .resize({ width: 512, kernel: "nearest" })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = { rgb: new Uint8Array(data), width: info.width, height: info.height };
  return rgbaOf(paintPicture(canvasOf(pixels, place), paint));
}

/** What axe calls serious on a page. */
async function seriousViolations(page: Page) {
  const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] });
  const { violations } = await axe.analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}

/** Compares a canvas with what it should show: scores travel as float32, so a channel may be one step off. */
async function expectPixels(page: Page, selector: string, expected: Uint8ClampedArray) {
  const worst = async () => {
    const data = await pixelsOf(page, selector);
    if (data.length !== expected.length) return Number.POSITIVE_INFINITY;
    return data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  };
  await expect.poll(worst, { timeout: 30_000 }).toBeLessThanOrEqual(2);
}

const open = async (path = "/", options = {}) => {
  const opened = await openPage(browser, server.url, options);
  onTestFinished(() => opened.page.context().close());
  await opened.page.goto(server.url + path);
  return opened;
};

describe.skipIf(skip)("the web app in a browser", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    browser = await launch();
    server = await startTestServer({}, 160);
    const job = { kind: "prepare", corpus: "demo", model: DEFAULT_MODEL };
    const { id } = (await post(server.url, "/api/jobs", job)).json<{ id: string }>();
    const stateOf = async () => (await (await fetch(`${server.url}/api/jobs/${id}`)).json()).state;
    while (["queued", "running"].includes(await stateOf())) await new Promise((go) => setTimeout(go, 200));
    expect(await stateOf()).toBe("done");
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await models.release();
  }, 120_000);

  it("shows the example at once: the exact score, every head's part, and the map of all heads, pixel by pixel", async () => {
    const { page, complaints } = await open();
    await painted(page);
    const [text] = EXAMPLE_SCENE.texts;
    const model = await models.load(DEFAULT_MODEL);
    const { texts } = await explainImage(model, EXAMPLE_SCENE.path, EXAMPLE_SCENE.texts);
    expect(await page.getByTestId("score").textContent()).toBe(formatCosine(texts[0].similarity));
    expect(await page.getByTestId("total").textContent()).toBe(formatSigned(texts[0].sum, 4));
    const limit = Math.max(...texts[0].heads.map(({ value }) => Math.abs(value)));
    for (const { layer, head, value } of texts[0].heads) {
      const cell = page.getByRole("button", { name: new RegExp(`^L${layer}\\.H${head}:`) });
      expect(await cell.textContent()).toBe(formatSigned(value, decimalsFor(limit)));
    }
    await expectPixels(page, ".heat canvas", await expectedPixels("all", text));
    expect(complaints).toEqual([]);
  });

  it("a head is chosen by a click, several by a drag, a layer by its name, a property by its name; the map follows", async () => {
    const { page } = await open();
    await painted(page);
    const [text] = EXAMPLE_SCENE.texts;
    const cell = (name: string) =>
      page.getByRole("button", { name: new RegExp(`^${name.replace(".", "\\.")}:`) });
    const away = () => page.mouse.move(5, 5);
    await cell("L3.H3").click();
    await away();
    await page.waitForURL(/heads=L3\.H3/);
    await expectPixels(page, ".heat canvas", await expectedPixels("L3.H3", text));
    await page.getByRole("button", { name: "All heads" }).click();
    const [from, to] = [await cell("L1.H0").boundingBox(), await cell("L1.H2").boundingBox()];
    await page.mouse.move(from!.x + 20, from!.y + 20);
    await page.mouse.down();
    await page.mouse.move(to!.x + 20, to!.y + 20, { steps: 12 });
    await page.mouse.up();
    await page.waitForURL(/heads=L1\.H0%2CL1\.H1%2CL1\.H2/);
    await page.getByRole("button", { name: /^Layer 2/ }).click();
    await page.waitForURL(/heads=L1\.H0%2CL1\.H1%2CL1\.H2%2CL2(&|$)/);
    await away();
    await expectPixels(page, ".heat canvas", await expectedPixels("L1.H0,L1.H1,L1.H2,L2", text));
    await page.getByLabel("Heads for").selectOption("background");
    await expect.poll(() => new URL(page.url()).searchParams.get("heads")).toMatch(/^L\d\.H\d/);
    // With the keyboard alone.
    await page.getByRole("button", { name: "All heads" }).click();
    await cell("L3.H0").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Space");
    await page.waitForURL(/heads=L2\.H1/);
  });

  it("a head under the pointer shows its own map, a patch under the pointer what each head wrote there", async () => {
    const { page } = await open("/look?heads=L0");
    await painted(page);
    const [text] = EXAMPLE_SCENE.texts;
    await page.getByRole("button", { name: /^L3\.H3:/ }).hover();
    await expectPixels(page, ".heat canvas", await expectedPixels("L3.H3", text));
    const model = await models.load(DEFAULT_MODEL);
    const patch = 2 * 8 + 4;
    const found = await segmentImage(model, EXAMPLE_SCENE.path, [text], {
      ...{ set: allHeads(model.geometry), patch },
    });
    const box = (await page.locator(".picture-side .heat").boundingBox())!;
    await page.mouse.move(box.x + (4.5 / 8) * box.width, box.y + (2.5 / 8) * box.height);
    const token = found.texts[0].token!;
    const sum = token.value;
    await expect.poll(() => page.getByTestId("total").textContent()).toBe(formatSigned(sum, 4));
    const [best] = token.heads;
    const cell = page.getByRole("button", { name: new RegExp(`^L${best.layer}\\.H${best.head}:`) });
    expect(await cell.textContent()).toBe(formatSigned(best.value, decimalsFor(Math.abs(best.value))));
  });

  it("keeps every state in the address: back, forward, and a permalink that shows the same to another", async () => {
    const { page } = await open();
    await painted(page);
    await page.getByLabel("Add a text").fill("a brown animal");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: /a brown animal/ }).waitFor();
    const score = await page.getByTestId("score").textContent();
    await page.getByRole("button", { name: /^L2\.H1:/ }).click();
    await page.waitForURL(/heads=L2\.H1/);
    const link = page.url();
    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByTestId("map").first().waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: /a brown animal/ }).waitFor();
    await page.goBack();
    await page.goBack();
    await page.getByRole("heading", { name: /a monkey at the top/ }).waitFor();
    expect(await page.getByRole("button", { name: "Remove “a brown animal”" }).count()).toBe(0);
    await page.goForward();
    await page.goForward();
    expect(page.url()).toBe(link);
    const { page: other } = await open(link.slice(server.url.length));
    await other.getByRole("heading", { name: /a brown animal/ }).waitFor();
    expect(await other.getByTestId("score").textContent()).toBe(score);
    expect(await other.getByRole("button", { name: /^L2\.H1:/ }).getAttribute("aria-pressed")).toBe("true");
  });

  it("takes a picture from a file, the clipboard and a drop; each is the same address, and the tool says what it cannot know", async () => {
    const { page } = await open();
    await painted(page);
    const path = fileURLToPath(new URL("../../examples/photos/cat.jpg", import.meta.url));
    await page.getByLabel("A picture from a file").setInputFiles(path);
    await page.waitForURL(/image=upload%3A[0-9a-f]{64}/);
    const address = new URL(page.url()).searchParams.get("image");
    const notice = page.getByRole("note");
    await notice.getByText("This small model knows only drawn emoji scenes.").waitFor();
    await notice.getByRole("button", { name: "Download (about 605 MB)" }).waitFor();
    // Nothing was asked of this picture yet, so nothing that was said of another lies on it.
    await page.locator(".picture-side canvas[data-painted=plain]").waitFor();
    expect(await page.getByText(/^Where .* speak/).count()).toBe(0);
    const base64 = (await readFile(path)).toString("base64");
    for (const kind of ["paste", "drop"]) {
      await page.goto(server.url);
      await painted(page);
      await page.evaluate(
        ([name, data]) => {
          const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "cat.jpg", { type: "image/jpeg" }));
          const options = { bubbles: true, cancelable: true };
          window.dispatchEvent(
            name === "paste"
              ? new ClipboardEvent("paste", { ...options, clipboardData: transfer })
              : new DragEvent("drop", { ...options, dataTransfer: transfer }),
          );
        },
        [kind, base64],
      );
      await page.waitForURL(/image=upload/);
      expect(new URL(page.url()).searchParams.get("image")).toBe(address);
    }
    // From the corpus.
    await page.getByRole("button", { name: "From the corpus…" }).click();
    await page.getByRole("button", { name: "24 example scenes" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "frog" }).click();
    await page.waitForURL(/image=scenes%3A/);
    expect(await page.getByRole("note").count()).toBe(0);
  });

  it("segments by topic and by contrast, side by side, with the numbers and pixels of the analysis", async () => {
    const texts = ["a monkey", "a purple background", "a palm tree"];
    const query = `heads=L3&${texts.map((text) => `text=${encodeURIComponent(text)}`).join("&")}&image=`;
    const { example } = (await (await fetch(`${server.url}/api/app`)).json()) as {
      example: { image: string };
    };
    const { page } = await open(`/segment?${query}${encodeURIComponent(example.image)}`);
    const model = await models.load(DEFAULT_MODEL);
    const set = parseComponents("L3", model.geometry);
    for (const mode of ["topic", "contrast"] as const) {
      if (mode === "contrast") await page.getByLabel(/where does each text lead/).check();
      const found = await segmentImage(model, EXAMPLE_SCENE.path, texts, { set, mode });
      for (const [i, { score, patches, cls }] of found.texts.entries()) {
        const figure = page.getByTestId("map").nth(i);
        const line = `heads’ score ${formatSigned(score, 4)} = patches ${formatSigned(patches, 4)} + CLS ${formatSigned(cls ?? Number.NaN, 4)}`;
        await figure.getByText(line).waitFor();
      }
      const { texts: paints, winners } = segmentationPaints(found);
      const canvas = "[data-testid=map] >> nth=1 >> canvas";
      await expectPixels(page, canvas, await paintedOver(found, paints[1]));
      await expectPixels(page, "[data-testid=winners] canvas", await paintedOver(found, winners!));
      const counts = found.winners!.counts.map((count, i) => `${texts[i]}: ${count} of 64 patches`);
      for (const count of counts) await page.getByText(count).waitFor();
    }
  });

  it("finds neighbours by property, by head for the picture, and by head for a text, as the search does", async () => {
    const { page } = await open("/neighbors?by=text&heads=L0.H1&query=a+red+background&k=4&scoring=z");
    await page.getByRole("region", { name: "most similar" }).getByRole("listitem").first().waitFor();
    const shown = async (name: string) =>
      (await page.getByRole("region", { name }).locator(".score").allTextContents()) ?? [];
    const asked = async (body: object) =>
      (await post(server.url, "/api/neighbors", { model: DEFAULT_MODEL, corpus: "demo", ...body })).json<
        Record<"neighbors" | "least" | "random", { score: number; label: string }[]>
      >();
    const text = { query: { text: "a red background" }, heads: "L0.H1", k: 4, scoring: "z" };
    const direct = await asked(text);
    for (const [title, key] of [
      ["most similar", "neighbors"],
      ["least similar", "least"],
      ["random", "random"],
    ] as const) {
      expect(await shown(title)).toEqual(direct[key].map(({ score }) => formatSigned(score, 2)));
    }
    await page.getByLabel("pictures that share a property with this one").check();
    await page.getByLabel(/^property/).selectOption("position");
    const { example } = (await (await fetch(`${server.url}/api/app`)).json()) as {
      example: { image: string };
    };
    const query = { image: example.image };
    const position = await asked({ query, heads: "position", k: 4, scoring: "z" });
    await expect
      .poll(() => shown("most similar"))
      .toEqual(position.neighbors.map(({ score }) => formatSigned(score, 2)));
    await page.getByLabel("pictures that some heads find like this one").check();
    const byHead = await asked({ query, heads: "L0.H1", k: 4, scoring: "z" });
    await expect
      .poll(() => shown("most similar"))
      .toEqual(byHead.neighbors.map(({ score }) => formatSigned(score, 2)));
    // A neighbour is a click away.
    await page.getByRole("region", { name: "most similar" }).getByRole("link").first().click();
    await page.waitForURL(/\/look\?.*image=demo%3A/);
    await painted(page);
  });

  it("takes a stranger on a tour: the clearest head, one that speaks against what it sees, and one that makes up for it", async () => {
    const { page } = await open();
    await page.getByRole("button", { name: "Meet three heads (one minute)" }).click();
    const tour = page.getByTestId("tour");
    const insights = await (
      await fetch(`${server.url}/api/insights?model=${DEFAULT_MODEL}&corpus=demo`)
    ).json();
    const { factors, heads } = (insights as Insights).selectivity;
    const at = (factor: string) => factors.findIndex(({ name }) => name === factor);
    const of = (head: string, factor: string) => heads.find(({ name }) => name === head)!.factors[at(factor)];
    const percent = (share: number) => `${Math.round(100 * share)} %`;
    const steps = [
      ["L0.H1", "L0.H1 looks at the colour behind.", percent(of("L0.H1", "background").share)],
      ["L3.H1", "L3.H1 speaks against what it sees.", percent(of("L3.H1", "position").margin!.last)],
      ["L3.H3", "L3.H3 makes up for it.", percent(of("L3.H3", "position").margin!.first)],
    ];
    for (const [i, [head, title, fact]] of steps.entries()) {
      await tour.getByText(`Head ${i + 1} of 3`).waitFor();
      expect(await tour.getByRole("heading").textContent()).toBe(title);
      await tour.getByText(fact, { exact: true }).waitFor();
      expect(new URL(page.url()).searchParams.get("heads")).toBe(head);
      await page.getByTestId("in-common").waitFor();
      // What the facts below the matrix say the head follows most is what the title is about.
      if (i < 2)
        await page.getByText(/of what this head writes follows (the colour behind|where in the)/).waitFor();
      if (i > 0) await shows(head, i === 1 ? "least" : "most");
      if (i < 2) await tour.getByRole("button", { name: "Next head →" }).click();
    }
    await page.getByText("It speaks against the text of what it sees.").waitFor({ state: "detached" });
    await tour.getByRole("button", { name: "Done: try your own" }).click();
    await page.getByRole("button", { name: "Meet three heads (one minute)" }).waitFor();

    /** Of the texts that are shown, the head gives the first, the true one, least or most. */
    async function shows(head: string, which: "least" | "most") {
      const { searchParams } = new URL(page.url());
      const asked = { image: searchParams.get("image"), texts: searchParams.getAll("text") };
      const found = (
        await post(server.url, "/api/explain", { model: DEFAULT_MODEL, ...asked })
      ).json<ExplainResult>();
      const [own, ...others] = found.texts.map((text) => text.heads.find(({ name }) => name === head)!.value);
      if (which === "least") expect(own).toBeLessThan(Math.min(...others));
      else expect(own).toBeGreaterThan(Math.max(...others));
    }
  });

  it("offers first the property through which pictures are found most clearly, with the number beside chance, and says which find nothing", async () => {
    const { properties } = (await (
      await fetch(`${server.url}/api/properties?model=${DEFAULT_MODEL}&corpus=demo`)
    ).json()) as Properties;
    const clear = properties.filter(({ precision }) => precision!.low > precision!.chance);
    expect(properties.slice(0, clear.length)).toEqual(clear);
    const lifts = clear.map(({ precision }) => precision!.mean - precision!.chance);
    expect(lifts).toEqual([...lifts].sort((a, b) => b - a));
    // Of so few scenes each property that is there beats chance: the last one is told to the page as if it did not.
    const last = clear.pop()!;
    const worse = { ...last, precision: { ...last.precision!, low: 0 } };
    const failing = [worse, ...properties.slice(clear.length + 1)];
    const { page } = await open();
    await page.route("**/api/properties*", (route) =>
      route.fulfill({ json: { properties: [...clear, ...failing] } }),
    );
    await page.goto(`${server.url}/neighbors`);
    const hits = ({ precision }: (typeof properties)[number]) => `${(8 * precision!.mean).toFixed(1)} of 8, `;
    const facts = page.getByTestId("property-facts");
    await facts.getByText(hits(clear[0])).waitFor();
    const choice = page.getByLabel(/^property/);
    await expect.poll(() => choice.inputValue()).toBe(clear[0].name);
    expect(await choice.locator("> option").count()).toBe(clear.length);
    expect(
      await choice.locator("optgroup[label='no better than chance'] option").allTextContents(),
    ).toHaveLength(failing.length);
    expect(await facts.textContent()).not.toContain("no better than chance");
    await choice.selectOption(failing[0].name);
    await facts.getByText("no better than chance").waitFor();
    // Heads of both signs are read together.
    await choice.selectOption("position");
    await page
      .getByRole("heading", { name: /through the heads for position \(.*L3\.H1 taken negatively/ })
      .waitFor();
    expect(properties.find(({ name }) => name === "position")!.heads).toContainEqual(
      expect.objectContaining({ name: "L3.H1", weight: -1 }),
    );
    expect(await seriousViolations(page)).toEqual([]);
  });

  it("downloads every view as picture, table and data, with model, hashes and version", async () => {
    const { page } = await open("/look?heads=L3.H3");
    const model = await models.load(DEFAULT_MODEL);
    const weights = await model.weightsHash();
    for (const view of ["Look", "Segment", "Neighbours"]) {
      await page.getByRole("link", { name: view, exact: true }).click();
      await page.getByRole("group", { name: "Download this view" }).waitFor();
      for (const kind of ["PNG", "SVG", "CSV", "JSON"]) {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("group", { name: "Download this view" }).getByRole("button", { name: kind }).click(),
        ]);
        const path = join(server.cache, download.suggestedFilename());
        await download.saveAs(path);
        if (kind === "PNG") {
          expect((await sharp(path).metadata()).width).toBeGreaterThan(600);
          continue;
        }
        const text = await readFile(path, "utf8");
        for (const part of [DEFAULT_MODEL, weights, "clip-interpret", VERSION]) expect(text).toContain(part);
        if (kind === "SVG") expect(text).toMatch(/^<svg[\s\S]*<\/svg>\n$/);
      }
    }
  });

  it("says what is wrong: no picture, a lost upload, a stopped job, a server that is gone; and goes on", async () => {
    const { page } = await open();
    await painted(page);
    const file = page.getByLabel("A picture from a file");
    await file.setInputFiles({
      name: "a.png",
      mimeType: "image/png",
      buffer: Buffer.from("no picture at all"),
    });
    await page
      .getByRole("alert")
      .getByText(/cannot decode the picture/)
      .waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.goto(`${server.url}/look?image=upload:${"0".repeat(64)}&text=a+cat`);
    await page
      .getByRole("alert")
      .getByText(/no longer kept/)
      .waitFor();
    await page.getByRole("button", { name: "From the corpus…" }).waitFor();

    // A server of its own, which can be killed and started again at the same port.
    const own = await startTestServer({ cache: server.cache }, 700);
    const port = Number(new URL(own.url).port);
    await page.goto(`${own.url}/look`);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/generated scenes ready — stopped/).waitFor({ timeout: 120_000 });
    await page.reload();
    await page.getByText(/This was stopped; it goes on from where it was/).waitFor();
    await own.close();
    await page.getByRole("alert").getByText("The server does not answer.").first().waitFor();
    const again = await startTestServer({ cache: server.cache, port }, 700);
    onTestFinished(() => again.close());
    await page.getByText("The server does not answer.").waitFor({ state: "detached", timeout: 60_000 });
    await page.getByLabel("Add a text").fill("a cat");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: /a cat/ }).waitFor();
  });

  it("keeps two users apart", async () => {
    const [one, two] = [await open(), await open()];
    const ask = async (page: Page, concept: string, texts: readonly string[]) => {
      await page.getByRole("button", { name: "From the corpus…" }).click();
      await page.getByRole("button", { name: "24 example scenes" }).click();
      await page.getByRole("dialog").getByRole("button", { name: concept, exact: true }).click();
      const scores: string[] = [];
      for (const text of texts) {
        await page.getByLabel("Add a text").fill(text);
        await page.getByRole("button", { name: "Add", exact: true }).click();
        await page.getByRole("heading", { name: new RegExp(text) }).waitFor();
        scores.push((await page.getByTestId("score").textContent())!);
      }
      return scores;
    };
    const wanted = [
      ["frog", "images/0030-frog.png", ["a frog", "a green animal"]],
      ["car", "images/0097-car.png", ["a car", "a vehicle on the left"]],
    ] as const;
    const shown = await Promise.all(
      wanted.map(([concept, , texts], i) => ask([one, two][i].page, concept, texts)),
    );
    const model = await models.load(DEFAULT_MODEL);
    for (const [i, [, path, texts]] of wanted.entries()) {
      const scene = fileURLToPath(new URL(`../../examples/scenes/${path}`, import.meta.url));
      const direct = await explainImage(model, scene, texts);
      expect(shown[i]).toEqual(direct.texts.map(({ similarity }) => formatCosine(similarity)));
    }
  });

  it.each([
    ["light", "desktop", { width: 1280, height: 900 }],
    ["dark", "desktop", { width: 1280, height: 900 }],
    ["light", "phone", { width: 390, height: 844 }],
  ] as const)(
    "can be used by everyone, %s on a %s: axe finds nothing serious, nothing is wider than the screen",
    async (colorScheme, _, viewport) => {
      const { page, complaints } = await open("/look", { colorScheme, viewport });
      for (const view of ["Look", "Segment", "Neighbours"]) {
        await page.getByRole("link", { name: view, exact: true }).click();
        await page.getByRole("group", { name: "Download this view" }).waitFor();
        await page.waitForTimeout(300);
        expect(await seriousViolations(page)).toEqual([]);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(width).toBeLessThanOrEqual(viewport.width);
      }
      expect(complaints).toEqual([]);
    },
  );

  it("says of a long text that only its beginning is read, and how much", async () => {
    const long = `a monkey ${"and a palm tree ".repeat(12)}`.trim();
    for (const address of [
      `/look?text=${encodeURIComponent(long)}`,
      `/segment?text=${encodeURIComponent(long)}`,
      `/neighbors?by=text&query=${encodeURIComponent(long)}`,
    ]) {
      const { page, complaints } = await open(address);
      const note = page.getByRole("status").filter({ hasText: "Only the first 32 tokens" });
      await note.waitFor();
      expect(await note.textContent()).toMatch(
        /^Only the first 32 tokens of “a monkey and a .*…” are read\. The rest/,
      );
      expect(await seriousViolations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    }
  });

  it("opens with a model from a folder, changes to another, and comes back to it", async () => {
    const parent = await mkdtemp(join(tmpdir(), "own-"));
    const folder = join(parent, "my own model");
    await cp(fileURLToPath(new URL("../../models/emoji-4x128-p16", import.meta.url)), folder, {
      recursive: true,
    });
    const own = await startTestServer({ served: [folder] }, 8);
    const { page, complaints } = await openPage(browser, own.url);
    try {
      const scoreOf = async (name: string) => {
        const image = await models.load(name);
        const { texts } = await explainImage(image, EXAMPLE_SCENE.path, [EXAMPLE_SCENE.texts[0]]);
        return formatCosine(texts[0].similarity);
      };
      const [first, other] = [await scoreOf(folder), await scoreOf(DEFAULT_MODEL)];
      expect(first).not.toBe(other);
      const shows = (score: string) => page.getByTestId("score").filter({ hasText: score }).waitFor();
      const choose = async (name: string | RegExp) => {
        await page.getByTitle("Choose another model").click();
        const row = page.getByRole("row", { name });
        await row.getByRole("button", { name: "Use" }).click();
      };
      await page.goto(own.url);
      await shows(first);
      await choose(new RegExp(`^${DEFAULT_MODEL} `));
      await shows(other);
      await choose(/^my-own-model-[0-9a-f]{8} /);
      await shows(first);
      expect(page.url()).toMatch(/[?&]model=my-own-model-[0-9a-f]{8}(&|$)/);
      await page.reload();
      await shows(first);
      expect(complaints).toEqual([]);
      expect(own.faults).toEqual([]);
    } finally {
      await page.context().close();
      await own.close();
      await rm(parent, { recursive: true });
    }
  });

  it("is less than 500 kB of compressed script, all of its own", async () => {
    const { page } = await open();
    const scripts = await page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .filter(({ name }) => name.endsWith(".js"))
        .map(({ name }) => name),
    );
    expect(scripts.length).toBeGreaterThan(0);
    let bytes = 0;
    for (const url of scripts) bytes += gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length;
    expect(bytes).toBeLessThan(500e3);
  });
});

describe("without a browser", () => {
  it("in CI these tests fail rather than being skipped", () => {
    if (process.env.CI === "true") expect(missing).toBeUndefined();
  });
});
