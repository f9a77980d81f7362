import AxeBuilder from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import sharp from "sharp";
import { expect, onTestFinished } from "vitest";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { parseComponents } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import type { Paint } from "../../src/views/kit/heatmap.ts";
import { canvasOf, type Placed, paintPicture } from "../../src/views/kit/panel.ts";
import { segmentationPaints } from "../../src/views/segmentation/pictures.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { post, startTestServer, type TestServer } from "../../test/support/app-server.ts";
import { rgbaOf } from "../src/plots/paint.ts";
import { end, launch, openPage, pixelsOf } from "./browser.ts";

/*
 * What the tests of every view share: one browser, one server whose demo corpus is ready, and the models that tell what
 * is right.
 */

/** The world of these tests; it is there between {@link startWorld} and {@link stopWorld}. */
export const app = { models: createModelLoader() } as {
  readonly models: ReturnType<typeof createModelLoader>;
  browser: Browser;
  server: TestServer;
  /** The picture that is shown before another is chosen. */
  example: string;
};

/** Starts all of it. */
export async function startWorld(): Promise<void> {
  app.browser = await launch();
  app.server = await startTestServer({}, 160);
  await prepared(app.server, DEFAULT_MODEL);
  app.example = (await (await fetch(`${app.server.url}/api/app`)).json()).example.image;
}

export async function stopWorld(): Promise<void> {
  await end(app.browser, app.server, app.models);
}

/** Waits until a server's demo corpus is drawn and indexed. */
export async function prepared({ url }: TestServer, model: string): Promise<void> {
  const job = { kind: "prepare", corpus: "demo", model };
  const { id } = (await post(url, "/api/jobs", job)).json<{ id: string }>();
  const stateOf = async () => (await (await fetch(`${url}/api/jobs/${id}`)).json()).state;
  while (["queued", "running"].includes(await stateOf())) await new Promise((go) => setTimeout(go, 200));
  expect(await stateOf()).toBe("done");
}

/** Opens an address of the shared server, or of another, in a window of its own. */
export async function open(path = "/", options: BrowserContextOptions = {}, base = app.server.url) {
  const opened = await openPage(app.browser, base, options);
  onTestFinished(() => opened.page.context().close());
  await opened.page.goto(base + path);
  return opened;
}

/** The square of a head, whatever that is called. */
export const cell = (page: Page, name: string) =>
  page.getByRole("button", { name: new RegExp(`^${name.replace(".", "\\.")}( · .*)?:`) });

/** A parameter of the address that the page is at. */
export const param = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);

/** The bytes that the page paints of the example scene, for some heads and a text. */
export async function expectedPixels(heads: string, text: string) {
  const model = await app.models.load(DEFAULT_MODEL);
  const set = parseComponents(heads, model.geometry);
  const found = await segmentImage(model, EXAMPLE_SCENE.path, [text], { set });
  return paintedOver(found, segmentationPaints(found).texts[0]);
}

/** The bytes of a canvas with a map over the example scene. */
export async function paintedOver(place: Placed, paint: Paint) {
  const { data, info } = await sharp(EXAMPLE_SCENE.path)
    .resize({ width: 512, kernel: "nearest" })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = { rgb: new Uint8Array(data), width: info.width, height: info.height };
  return rgbaOf(paintPicture(canvasOf(pixels, place), paint));
}

/** Compares a canvas with what it should show: scores travel as float32, so a channel may be one step off. */
export async function expectPixels(page: Page, selector: string, expected: Uint8ClampedArray) {
  const worst = async () => {
    const data = await pixelsOf(page, selector);
    if (data.length !== expected.length) return Number.POSITIVE_INFINITY;
    return data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  };
  await expect.poll(worst, { timeout: 30_000 }).toBeLessThanOrEqual(2);
}

/** What axe finds on a page: everything, headings and landmarks too, or what some rules find. */
export async function violations(page: Page, rules?: string[]) {
  const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] });
  const found = await (rules ? axe.withRules(rules) : axe).analyze();
  return found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}

/** Counts how far a page moves by itself, from its first moment on; call it before the page is opened. */
export async function watchShifts(page: Page): Promise<() => Promise<{ sum: number; moved: string[] }>> {
  await page.addInitScript(() => {
    const seen = { sum: 0, moved: [] as string[] };
    Object.assign(globalThis, { seenShifts: seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
        sources: { node: Element | null }[];
      })[]) {
        if (entry.hadRecentInput) continue;
        seen.sum += entry.value;
        for (const { node } of entry.sources) seen.moved.push(String(node?.className ?? node?.nodeName));
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  return () => page.evaluate(() => (globalThis as unknown as { seenShifts: never }).seenShifts);
}
