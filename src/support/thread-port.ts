import { type MessagePort, parentPort } from "node:worker_threads";

/** The way to whoever started this thread. */
export const starterPort = (): MessagePort => parentPort!;
