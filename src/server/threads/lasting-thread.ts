import type { Worker } from "node:worker_threads";
import { type Caller, createCaller, type Handlers } from "../../support/calls.ts";

/** A thread that starts when it is first needed, and again should it die: what was under way then fails. */
export interface LastingThread<H extends Handlers> extends Caller<H> {
  /** The end of the thread that runs now, or that this starts. */
  ended(): Promise<void>;
  /** Ends the thread. To be called when nothing runs. */
  close(): Promise<void>;
}

/** Handlers that end their thread when they are told to. */
type Ending = Handlers & { readonly close: (input: object) => Promise<void> };

/** A thread, and what it does not outlive. */
interface Started {
  readonly thread: Worker;
  readonly needs?: Promise<void>;
}

interface Running<H extends Handlers> {
  readonly thread: Worker;
  readonly caller: Caller<H>;
  readonly exit: Promise<void>;
}

/** @param start starts the thread, every time that there is none */
export function lastingThread<H extends Ending>(start: () => Started): LastingThread<H> {
  let running: Running<H> | undefined;
  const started = (): Running<H> => {
    const { thread, needs } = start();
    const leave = () => {
      if (running === me) running = undefined;
    };
    const exit = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
    const me = { thread, caller: createCaller<H>(thread), exit };
    void exit.then(leave);
    // A message that waits for it, as a thread may end while another that needs it is only starting.
    void needs?.then(() => {
      leave();
      return end(me.caller);
    });
    return me;
  };
  const current = () => {
    running ??= started();
    return running;
  };
  const end = (caller: Caller<H>) => caller.call("close", {} as never).catch(() => {});
  return {
    call: (...asked) => current().caller.call(...asked),
    ended: () => current().exit,
    async close() {
      if (!running) return;
      const { caller, exit, thread } = running;
      await end(caller);
      thread.ref();
      await exit;
    },
  };
}
