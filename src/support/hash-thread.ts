/** A thread that hashes files: what is hashed takes as long as a model takes to load, and both go on at once. */
import { answerCalls } from "./answer-calls.ts";
import { hashFiles } from "./hash-files.ts";
import { closeThread, starterPort } from "./node-port.ts";

const handlers = {
  hash: ({ paths }: { readonly paths: readonly string[] }) => hashFiles(paths),
  close: closeThread,
};
/** What the thread answers. */
export type HashCalls = typeof handlers;

answerCalls(starterPort(), handlers);
