import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { explainWords } from "../../src/analysis/words/words.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads, parseHeads } from "../../src/model/components.ts";
import { openModel } from "../../src/model/registry.ts";
import { apart } from "../../test/support/apart.ts";
import { bundleBrowser } from "../../test/support/bundle-browser.ts";
import { startStaticServer } from "../../test/support/static-server.ts";
import { end, launch, skip } from "./browser.ts";
import type { Tab } from "./tab-page.ts";

/*
 * The library in a real browser's tab, over a server that knows nothing but files: the same numbers as in Node.
 */

const root = fileURLToPath(new URL("../../", import.meta.url));
const goldens = join(root, "test/goldens");
const MONKEY = "examples/scenes/images/0067-monkey.png";
const TEXTS = ["a monkey", "a purple background", "a palm tree"];
/** Lossless pictures of other sizes, modes and colour depths. */
const LOSSLESS = [
  ...["skimage-coffee.png", "alpha.png", "gray.png", "tall.png"].map((name) => `preprocess/${name}`),
  ...["pole.png", "transparent.gif", "rle-8.bmp", "p6-16.ppm"].map((name) => `pictures/${name}`),
];

let browser: Browser;
let server: Awaited<ReturnType<typeof startStaticServer>>;
let page: Page;
let model: ClipModel;
let folder: string;
const elsewhere: string[] = [];

const nameless = <R extends { origin: { image: { name: string } } }>(result: R): R => ({
  ...result,
  origin: { ...result.origin, image: { ...result.origin.image, name: "" } },
});

describe.skipIf(skip)("the library in a tab", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tab-"));
    await bundleBrowser("web/test/tab-page.ts", folder);
    await writeFile(
      join(folder, "index.html"),
      '<!doctype html><script type="module" src="tab-page.js"></script>',
    );
    const wasm = createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
    server = await startStaticServer({
      ...{ "": folder, models: join(root, "models"), examples: join(root, "examples"), goldens },
      wasm: dirname(wasm),
    });
    browser = await launch();
    page = await (await browser.newContext()).newPage();
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) elsewhere.push(request.url());
    });
    page.on("pageerror", (error) => elsewhere.push(String(error)));
    await page.goto(`${server.url}/index.html`);
    await page.waitForFunction(() => "tab" in globalThis);
    model = await openModel("emoji-4x128-p8");
  }, 120_000);
  afterAll(() => end(browser, server, model, folder));

  /** Asks the tab. */
  const ask = <K extends Exclude<keyof Tab, "openedIn">>(
    what: K,
    ...args: Parameters<Tab[K]>
  ): Promise<Awaited<ReturnType<Tab[K]>>> =>
    page.evaluate(
      ([name, given]) =>
        (globalThis as unknown as { tab: Record<string, (...args: unknown[]) => Promise<never>> }).tab[name]!(
          ...given,
        ),
      [what, args] as const,
    );

  it("of a model's file the first picture fetches the image tower alone, each byte once", async () => {
    const before = server.asked.filter(({ path }) => path.endsWith(".safetensors"));
    expect(before.length).toBeGreaterThan(0);
    await ask("decompositions", `/${MONKEY}`, 1);
    const { size } = await import("node:fs").then(({ statSync }) =>
      statSync(join(root, "models/emoji-4x128-p8/open_clip_model.safetensors")),
    );
    const asked = server.asked.filter(({ path }) => path.endsWith(".safetensors"));
    const bytes = asked.reduce((sum, one) => sum + one.bytes, 0);
    expect(bytes / size).toBeLessThan(0.6);
    expect(asked.every(({ range }) => range !== undefined)).toBe(true);
  });

  it.each(LOSSLESS)("%s is shown to the model bit for bit", async (name) => {
    const there = await ask("shown", `/goldens/${name}`);
    const { rgb, ...known } = await model.preprocess(join(goldens, name));
    expect(there).toEqual({ ...known, rgb: [...rgb] });
  });

  it("a JPEG all but so, upright as its EXIF says", async () => {
    for (const name of ["preprocess/exif-6.jpg", "preprocess/coco-000000000073.jpg"]) {
      const there = await ask("shown", `/goldens/${name}`);
      const { rgb, ...known } = await model.preprocess(join(goldens, name));
      expect({ ...there, rgb: 0 }).toEqual({ ...known, rgb: 0 });
      expect(Math.max(...there.rgb.map((value, i) => Math.abs(value - rgb[i]!)))).toBeLessThanOrEqual(2);
    }
  });

  it("explains, segments and reads words as Node does, to 1e-6", async () => {
    const [here, there] = [join(root, MONKEY), `/${MONKEY}`];
    const explained = await explainImage(model, here, TEXTS);
    expect(apart(nameless(await ask("explain", there, TEXTS)), nameless(explained))).toBeLessThan(1e-6);
    const heads = "L2-L3,L1.H0*0.5";
    const how = { set: parseHeads(model, heads), written: heads, mode: "contrast" } as const;
    const segmented = await segmentImage(model, here, TEXTS, how);
    expect(apart(nameless(await ask("segment", there, TEXTS, heads)), nameless(segmented))).toBeLessThan(
      1e-6,
    );
    const text = "a monkey on a purple background";
    const words = await explainWords(model, here, text, { set: allHeads(model.geometry), pairs: 5 });
    expect(apart(nameless(await ask("words", there, text)), nameless(words))).toBeLessThan(1e-6);
  });

  it("asks nobody but its server, and that for nothing but what it needs", async () => {
    expect(elsewhere).toEqual([]);
    const asked = new Set(server.asked.map(({ path }) => path));
    for (const path of asked)
      expect(path).toMatch(
        /^\/(index\.html|tab-page\.js|favicon\.ico|wasm\/ort-wasm-simd-threaded\.wasm|examples\/.*|goldens\/.*|models\/emoji-4x128-p8\/(open_clip_config\.json|open_clip_model\.safetensors|tokenizer\.json))$/,
      );
    const weights = server.asked.filter(({ path }) => path.endsWith(".safetensors"));
    const { length } = await readFile(join(root, "models/emoji-4x128-p8/open_clip_model.safetensors"));
    expect(weights.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(length);
  });
});
