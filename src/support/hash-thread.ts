/** A thread that hashes files and ends: what is hashed takes as long as a model takes to load, and both go on at once. */
import { parentPort } from "node:worker_threads";
import { answerCalls } from "./calls.ts";
import { hashFiles } from "./hash-files.ts";

const handlers = {
  async hash({ paths }: { readonly paths: readonly string[] }) {
    try {
      return await hashFiles(paths);
    } finally {
      // What was answered is still sent.
      setImmediate(() => parentPort!.close());
    }
  },
};
/** What the thread answers, once. */
export type HashCalls = typeof handlers;

answerCalls(parentPort!, handlers);
