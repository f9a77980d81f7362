/**
 * The page without a server, in a real Chromium over loopback: what a first visit costs up to the first map, and a second one
 * without its server, beside a page that shows a small drawing; a decomposition in the tab beside Node, in turns; and a ViT-B/32 that
 * the page fetches. `npm run build:page` first.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { explainImage } from "../src/analysis/explain/explain.ts";
import { decomposeImage } from "../src/model/decompose-image.ts";
import { DEFAULT_MODEL } from "../src/model/embedded.ts";
import { loadClipModel } from "../src/model/load-model.ts";
import { openModel } from "../src/model/registry.ts";
import { EXAMPLE_SCENE } from "../src/world/example-scene.ts";
import { bundleBrowser } from "../test/support/bundle-browser.ts";
import { startHubForPages } from "../test/support/hub-for-pages.ts";
import { startStaticServer } from "../test/support/static-server.ts";
import { writeTrueCheckpoint } from "../test/support/true-checkpoints.ts";
import { launch, painted } from "../web/test/browser.ts";
import { pageFor } from "../web/test/page-for.ts";
import { ratio } from "./ratio.ts";

/** What `web/test/tab-page.ts` puts into the tab. */
interface Tab {
  readonly tab: { decompositions(picture: string, count: number): Promise<number[]> };
}

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const MONKEY = "examples/scenes/images/0067-monkey.png";
/** In the page: whether it is kept for the next visit. */
const KEPT = "navigator.serviceWorker.ready.then(({ active }) => active !== null)";
const VISITS = 3;
const TURNS = 10;
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const seconds = (times: readonly number[]) => times.map((time) => (time / 1000).toFixed(2)).join(", ");

const browser = await launch();
const first: number[] = [];
const second: number[] = [];
const empty: number[] = [];
let megabytes = 0;
for (let i = 0; i < VISITS; i++) {
  const server = await startStaticServer({ "": join(ROOT, "dist/page") }, { packs: true });
  const context = await browser.newContext();
  const visit = async () => {
    const page = await context.newPage();
    const start = performance.now();
    await page.goto(`${server.url}/`);
    await painted(page);
    return { page, time: performance.now() - start };
  };
  const { page, time } = await visit();
  first.push(time);
  megabytes = server.asked.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  await page.waitForFunction(KEPT);
  await page.close();
  await server.close();
  for (let again = 0; again < VISITS; again++) {
    const blank = await context.newPage();
    empty.push(await timed(() => blank.goto(`${server.url}/icon.svg`)));
    await blank.close();
    const came = await visit();
    second.push(came.time);
    await came.page.close();
  }
  await context.close();
}
console.log(`first map, cold: ${seconds(first)} s, ${megabytes.toFixed(2)} MB`);
console.log(`second visit, its server gone: ${seconds(second)} s; its icon alone: ${seconds(empty)} s`);
ratio({
  ...{ what: "a second visit to the page, its server gone, first map", took: median(second) },
  ...{ beside: "a first visit over loopback", besideTook: median(first) },
});
ratio({
  ...{ what: "a second visit to the page, its server gone, first map", took: median(second) },
  ...{ beside: "the page's icon alone", besideTook: median(empty) },
});

const folder = await mkdtemp(join(tmpdir(), "page-"));
await bundleBrowser("web/test/tab-page.ts", folder);
await writeFile(
  join(folder, "index.html"),
  '<!doctype html><script type="module" src="tab-page.js"></script>',
);
const wasm = createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
const server = await startStaticServer({
  ...{ "": folder, models: join(ROOT, "models"), examples: join(ROOT, "examples"), wasm: dirname(wasm) },
});
const page = await browser.newPage();
await page.goto(`${server.url}/index.html`);
await page.waitForFunction(() => "tab" in globalThis);
const model = await openModel(DEFAULT_MODEL, { threads: 1 });
const tab = (count: number) =>
  page.evaluate(([picture, times]) => (globalThis as unknown as Tab).tab.decompositions(picture, times), [
    `/${MONKEY}`,
    count,
  ] as const);
const monkey = await readFile(join(ROOT, MONKEY));
const node = () => timed(() => decomposeImage(model, monkey));
await tab(2);
await node();
const times: { tab: number[]; node: number[] } = { tab: [], node: [] };
for (let i = 0; i < TURNS; i++) {
  times.tab.push(...(await tab(1)));
  times.node.push(await node());
}
const [inTab, inNode] = [median(times.tab), median(times.node)];
console.log(
  `a picture decoded and decomposed, one thread, in turns (median of ${TURNS}): ${inTab.toFixed(1)} ms in the tab, ${inNode.toFixed(1)} in Node: ${(inTab / inNode).toFixed(1)} ×`,
);
ratio({
  ...{ what: "a picture decomposed in the tab, one thread", took: inTab },
  ...{ beside: "in Node, one thread", besideTook: inNode },
});
await server.close();
await benchFetched();
await browser.close();
await rm(folder, { recursive: true, force: true });
process.exit(0);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** A ViT-B/32 of random weights, from a stand-in for the hub: its first answer in the page and later ones, beside Node. */
async function benchFetched(): Promise<void> {
  const id = "someone/vit-base-patch32";
  const checkpoint = join(folder, "b32");
  await writeTrueCheckpoint(checkpoint, { name: id, shape: "ViT-B-32" });
  const hub = await startHubForPages({ [id]: checkpoint });
  const served = await pageFor(hub.url, [hub.files]);
  const site = await startStaticServer({ "": served }, { packs: true });
  const tab = await (await browser.newContext()).newPage();
  tab.setDefaultTimeout(300_000);
  const texts = Array.from({ length: TURNS }, (_, i) => `a photo of ${i + 2} dogs`);
  const address = (extra = "") =>
    `${site.url}/#/look?model=${encodeURIComponent(id)}&text=${encodeURIComponent("a dog")}${extra}`;
  const open = async () => {
    await tab.goto(address());
    await painted(tab);
  };
  await tab.goto(address());
  const cold = await timed(async () => {
    await tab.getByRole("button", { name: "Fetch it" }).click();
    await painted(tab);
  });
  // Another visit: what was fetched is kept.
  await tab.goto("about:blank");
  const again = await timed(open);
  const opened = performance.now();
  const inNode = await loadClipModel(checkpoint, id, { threads: 1 });
  await explainImage(inNode, EXAMPLE_SCENE.path, ["a dog"]);
  const nodeFirst = performance.now() - opened;
  const clicks: { tab: number[]; node: number[] } = { tab: [], node: [] };
  for (const text of texts) {
    await tab.getByRole("textbox", { name: /text/i }).first().fill(text);
    clicks.tab.push(
      await timed(async () => {
        await tab.getByRole("button", { name: "Add", exact: true }).click();
        await tab.getByRole("heading", { name: text }).waitFor();
        await painted(tab);
      }),
    );
    clicks.node.push(await timed(() => explainImage(inNode, EXAMPLE_SCENE.path, [text])));
  }
  const bytes = hub.askedFiles.reduce((sum, one) => sum + one.bytes, 0);
  console.log(
    `a ViT-B/32: first map ${seconds([cold])} s with ${(bytes / 1e6).toFixed(0)} MB fetched over loopback, ${seconds([again])} s on a second visit; in Node ${seconds([nodeFirst])} s`,
  );
  console.log(
    `a further text: ${seconds(clicks.tab)} s in the page; an explanation in Node: ${seconds(clicks.node)} s`,
  );
  ratio({
    ...{ what: "a ViT-B/32 on a second visit to the page, first map", took: again },
    ...{ beside: "in Node, first explanation, one thread", besideTook: nodeFirst },
  });
  ratio({
    ...{ what: "a further text in the page, of a ViT-B/32", took: median(clicks.tab) },
    ...{ beside: "an explanation in Node, one thread", besideTook: median(clicks.node) },
  });
  await inNode.release();
  await Promise.all([hub.close(), site.close()]);
  await rm(served, { recursive: true, force: true });
}
