/**
 * The page without a server, in a real Chromium over loopback: what a first visit costs up to the first map, and a second one
 * without its server; and a decomposition in the tab beside Node, in turns. `npm run build:page` first.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decomposeImage } from "../src/model/decompose-image.ts";
import { DEFAULT_MODEL } from "../src/model/embedded.ts";
import { openModel } from "../src/model/registry.ts";
import { bundleBrowser } from "../test/support/bundle-browser.ts";
import { startStaticServer } from "../test/support/static-server.ts";
import { launch, painted } from "../web/test/browser.ts";
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
  second.push((await visit()).time);
  await context.close();
}
console.log(`first map, cold: ${seconds(first)} s, ${megabytes.toFixed(2)} MB`);
console.log(`second visit, its server gone: ${seconds(second)} s`);

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
const node = async () => {
  const start = performance.now();
  await decomposeImage(model, join(ROOT, MONKEY));
  return performance.now() - start;
};
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
await browser.close();
await server.close();
await rm(folder, { recursive: true, force: true });
process.exit(0);
