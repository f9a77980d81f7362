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
  /** Of the pixels that all threads may decode at a time. */
  readonly budget: Int32Array<SharedArrayBuffer>;
}

/** How the images that come next are preprocessed. */
interface Job {
  readonly config: PreprocessConfig;
  readonly options: DecodeOptions;
}

/** What a pool sends: what is to be done, an image to do it to, `drop` to leave the waiting ones, `end` to end. */
export type WorkerRequest =
  | Job
  | { readonly id: number; readonly source: string | Uint8Array }
  | "drop"
  | "end";

/** What a worker answers, in the order of the requests; error classes do not survive the way, so fields do. */
export type WorkerAnswer =
  | "dropped"
  | { readonly id: number; readonly image: Preprocessed }
  | { readonly warning: ProgressEvent }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string; readonly hint?: string };

// The pool's threads are the parallelism: libvips' own would only compete with them and with the encoder.
sharp.concurrency(1);
sharp.cache(false);

const port = parentPort!;
joinBudget((workerData as WorkerSetup).budget);
const report: Report = (warning) => port.postMessage({ warning } satisfies WorkerAnswer);
let job: Job;
/** Images that were asked for before the last `drop`, and wait, are of an earlier round. */
let round = 0;
let last = Promise.resolve();

port.on("message", (request: WorkerRequest) => {
  if (request === "drop") {
    round++;
    last = last.then(() => port.postMessage("dropped" satisfies WorkerAnswer));
  } else if (request === "end") {
    // The thread ends by itself once nothing is under way; ending it during a decode is not safe in libvips.
    last = last.then(() => port.close());
  } else if ("id" in request) {
    const asked = round;
    last = last.then(() => (asked === round ? answer(request.id, request.source) : undefined));
  } else {
    job = request;
  }
});

async function answer(id: number, source: string | Uint8Array): Promise<void> {
  try {
    const image = await preprocess(source, job.config, { ...job.options, report });
    port.postMessage({ id, image } satisfies WorkerAnswer, [image.rgb.buffer]);
  } catch (error) {
    const failure: WorkerAnswer =
      error instanceof ClipInterpretError
        ? { id, code: error.code, message: error.message, hint: error.hint }
        : { id, code: "INTERNAL", message: `preprocessing failed: ${messageOf(error)}` };
    port.postMessage(failure);
  }
}
