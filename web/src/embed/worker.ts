/** The thread that answers the views of a page that is somebody else's: one for all of them. */
import "../tab/no-eval.ts";
import * as ort from "onnxruntime-web/wasm";
import { openWebIndex, openWebModel, webBytes } from "../../../src/public/browser.ts";
import { createAnswers } from "../../../src/tab/answers.ts";
import { createOpenModels } from "../../../src/tab/open-models.ts";
import type { ExplainResult, ImageInfo, SegmentResult } from "../state/api.ts";
import { answerPage } from "../tab/page-port.ts";
import { unpacked } from "../tab/unpack.ts";
import { memoryFetch } from "./memory-fetch.ts";

/** What the page says first. */
export interface ViewStart {
  /** ONNX Runtime's WebAssembly, packed or not. */
  readonly wasm: ArrayBuffer;
}

/** Where a model's files are: on a web server, or here. */
export type ModelPlace =
  | { readonly address: string; readonly hashes?: Readonly<Record<string, string>> }
  | { readonly name: string; readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>> };

/** Which heads saw these texts where, in a picture that is known. */
export interface LookQuestion {
  readonly model: string;
  /** As the picture's answer says. */
  readonly image: string;
  /** What results call it. */
  readonly name: string;
  readonly texts: readonly string[];
  readonly heads: string;
}

/** Every text's score in parts, and where the heads saw it. */
export interface Looked {
  readonly explanation: ExplainResult;
  readonly segmentation: SegmentResult;
}

const places = new Map<string, ModelPlace>();

const answer = createAnswers({
  facts: { version: "", answers: {}, files: {}, indexes: {}, pools: {}, pictures: {} },
  openIndex: openWebIndex,
  runtime: async () => ({ runtime: "ONNX Runtime as WebAssembly", threads: 1 }),
  readFile: async (address) => webBytes().read(address),
  models: createOpenModels({
    load(name) {
      const place = places.get(name)!;
      if ("address" in place) {
        const { hashes } = place;
        const files = hashes && webBytes({ names: Object.keys(hashes), hashes });
        return openWebModel(place.address, { runtime: ort, ...(files && { files }) });
      }
      const names = Object.keys(place.files);
      const files = webBytes({ names, fetch: memoryFetch(place.files) });
      return openWebModel(`memory:/${place.name}`, { runtime: ort, files });
    },
    isLarge: () => false,
    workOf: () => undefined,
  }),
});

const ask = async <T>(path: string, body: unknown) => (await answer({ method: "POST", path, body })) as T;

async function look({ name, ...question }: LookQuestion): Promise<Looked> {
  const { heads, ...of } = question;
  const explanation = await ask<ExplainResult>("/api/explain", of);
  const asked = { ...question, mode: "topic" };
  const segmentation = await ask<SegmentResult>("/api/segment", asked);
  return { explanation: named(explanation, name), segmentation: named(segmentation, name) };
}

const named = <R extends Looked[keyof Looked]>(result: R, name: string): R => ({
  ...result,
  origin: { ...result.origin, image: { ...result.origin.image, name } },
});

const handlers = {
  start: ({ wasm }: ViewStart) => start(wasm),
  async addModel({ model, place }: { readonly model: string; readonly place: ModelPlace }) {
    places.set(model, place);
  },
  addPicture: async (picture: Uint8Array<ArrayBuffer>) =>
    (await ask<ImageInfo>("/api/images", picture)).image,
  look,
};
/** What the page asks: first that it starts, then what it likes. */
export type ViewCalls = typeof handlers;

/** One at a time: whatever runs, runs in this thread. */
let turn: Promise<unknown> = Promise.resolve();
answerPage(handlers, (work) => {
  turn = turn.then(work);
});

async function start(wasm: ArrayBuffer): Promise<void> {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  ort.env.wasm.wasmBinary = await unpacked(wasm);
}
