import { type MessagePort, parentPort, type Transferable, type Worker } from "node:worker_threads";
import { type Caller, createCaller, type Handlers, type Port } from "./calls.ts";
import { ClipInterpretError } from "./errors.ts";

/** The way to a thread, or through a port that leads to one. */
export const nodePort = (port: Worker | MessagePort): Port => ({
  post: (message, transfer = []) => port.postMessage(message, transfer as Transferable[]),
  listen: (take) => void port.on("message", take),
  whenGone(hear) {
    (port as Worker).on("error", hear);
    (port as Worker).on("exit", (code) => hear(`exit code ${code}`));
    port.on("close", () => hear("its port was closed"));
  },
  hold: (isAwaited) => (isAwaited ? port.ref() : port.unref()),
  async ended() {
    if (!("threadId" in port)) return port.close();
    // Of a thread that has ended the number is gone.
    if (port.threadId === -1) return;
    port.ref();
    await new Promise((resolve) => port.once("exit", resolve));
  },
});

/** Asks a thread. Only while an answer is awaited it keeps the process alive. */
export const callThread = <H extends Handlers>(port: Worker | MessagePort): Caller<H> =>
  createCaller(
    nodePort(port),
    ({ code, message, hint }, cause) =>
      new ClipInterpretError(code, message, { ...(hint !== undefined && { hint }), cause }),
  );

/** The way to whoever started this thread. */
export const starterPort = (): Port => nodePort(parentPort!);

/** The handler that ends this thread: between two calls, as within a run of ONNX Runtime that would take the process with it. */
export const closeThread = async (_: object): Promise<void> => {
  // What was answered is still sent.
  setImmediate(() => process.exit());
};
