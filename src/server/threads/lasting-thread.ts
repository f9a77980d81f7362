import type { Worker } from "node:worker_threads";
import type { Caller, Handlers } from "../../support/calls.ts";
import { callThread } from "../../support/node-port.ts";

/** A thread that starts when it is first needed, and again should it die: what was under way then fails. */
export interface LastingThread<H extends Handlers> extends Caller<H> {
  /** The end of the thread that runs now, or that this starts. */
  ended(): Promise<void>;
}

/** A thread, and what it does not outlive. */
interface Started {
  readonly thread: Worker;
  readonly needs?: Promise<void>;
}

interface Running<H extends Handlers> {
  readonly caller: Caller<H>;
  readonly exit: Promise<void>;
}

/** @param start starts the thread, every time that there is none */
export function lastingThread<H extends Handlers>(start: () => Started): LastingThread<H> {
  let running: Running<H> | undefined;
  const started = (): Running<H> => {
    const { thread, needs } = start();
    const leave = () => {
      if (running === me) running = undefined;
    };
    const exit = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
    const me = { caller: callThread<H>(thread), exit };
    void exit.then(leave);
    // A message that waits for it, as a thread may end while another that needs it is only starting.
    void needs?.then(() => {
      leave();
      return me.caller.close();
    });
    return me;
  };
  const current = () => {
    running ??= started();
    return running;
  };
  return {
    call: (...asked) => current().caller.call(...asked),
    ended: () => current().exit,
    async close() {
      await running?.caller.close();
    },
  };
}
