/** What the test of the library in a tab runs there: a module that puts a few of its functions where the test can call them. */
import * as ort from "onnxruntime-web/wasm";
import {
  allHeads,
  decomposeImage,
  explainImage,
  explainWords,
  openWebModel,
  parseHeads,
  segmentImage,
  webBytes,
} from "../../src/public/browser.ts";
import { pastCache } from "../../src/support/web-parts.ts";

ort.env.wasm.numThreads = 1;
const wasm = await fetch("/wasm/ort-wasm-simd-threaded.wasm");
ort.env.wasm.wasmBinary = await wasm.arrayBuffer();

const opened = performance.now();
const model = await openWebModel(new URL("/models/emoji-4x128-p8", location.href).href, {
  runtime: ort,
  files: webBytes({
    names: ["open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json"],
    fetch: pastCache(),
  }),
});
const openedIn = performance.now() - opened;

const timed = async <T>(work: () => Promise<T>) => {
  const start = performance.now();
  const value = await work();
  return { value, milliseconds: performance.now() - start };
};

const tab = {
  openedIn,
  explain: (picture: string, texts: readonly string[]) => explainImage(model, picture, texts),
  segment: (picture: string, texts: readonly string[], heads: string) =>
    segmentImage(model, picture, texts, { set: parseHeads(model, heads), written: heads, mode: "contrast" }),
  words: (picture: string, text: string) =>
    explainWords(model, picture, text, { set: allHeads(model.geometry), pairs: 5 }),
  /** What the model is shown, and what is known of the file. */
  async shown(picture: string) {
    const { rgb, ...known } = await model.preprocess(picture);
    return { ...known, rgb: [...rgb] };
  },
  /** Milliseconds of some decompositions of a picture that is there, one after another. */
  async decompositions(picture: string, count: number) {
    const bytes = new Uint8Array(await (await fetch(picture)).arrayBuffer());
    const times: number[] = [];
    for (let i = 0; i < count; i++)
      times.push((await timed(() => decomposeImage(model, bytes))).milliseconds);
    return times;
  },
};
export type Tab = typeof tab;
Object.assign(globalThis, { tab });
