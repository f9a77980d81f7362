import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { ClipInterpretError, type ErrorCode, messageOf } from "../support/errors.ts";
import type { ProgressEvent, Report } from "../support/progress.ts";
import { joinBudget } from "./budget.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { preprocess } from "./preprocess.ts";
import type { Preprocessed } from "./show.ts";
import type { PreprocessConfig } from "./types.ts";

/** What a worker is started with. */
export interface WorkerSetup {
  readonly config: PreprocessConfig;
  readonly options: DecodeOptions;
  /** Of the pixels that all threads may decode at a time. */
  readonly budget: Int32Array<SharedArrayBuffer>;
}

/** What the pool sends: an image to preprocess, or `close` to drop the waiting ones and end. */
export type WorkerRequest = { readonly id: number; readonly source: string | Uint8Array } | "close";

/** What a worker answers, in the order of the requests; error classes do not survive the way, so fields do. */
export type WorkerAnswer =
  | { readonly id: number; readonly image: Preprocessed }
  | { readonly warning: ProgressEvent }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string; readonly hint?: string };

// The pool's threads are the parallelism: libvips' own would only compete with them and with the encoder.
sharp.concurrency(1);
sharp.cache(false);

const port = parentPort!;
const { config, options, budget } = workerData as WorkerSetup;
joinBudget(budget);
const report: Report = (warning) => port.postMessage({ warning } satisfies WorkerAnswer);
let closing = false;
let last = Promise.resolve();

port.on("message", (request: WorkerRequest) => {
  if (request === "close") {
    closing = true;
    // The thread ends by itself once nothing is under way; ending it during a decode is not safe in libvips.
    last = last.then(() => port.close());
  } else {
    last = last.then(() => answer(request.id, request.source));
  }
});

async function answer(id: number, source: string | Uint8Array): Promise<void> {
  if (closing) return;
  try {
    const image = await preprocess(source, config, { ...options, report });
    port.postMessage({ id, image } satisfies WorkerAnswer, [image.rgb.buffer]);
  } catch (error) {
    const failure: WorkerAnswer =
      error instanceof ClipInterpretError
        ? { id, code: error.code, message: error.message, hint: error.hint }
        : { id, code: "INTERNAL", message: `preprocessing failed: ${messageOf(error)}` };
    port.postMessage(failure);
  }
}
