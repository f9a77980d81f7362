import type { Worker } from "node:worker_threads";
import { type Caller, createCaller } from "../../support/calls.ts";
import { startThread } from "../../support/thread.ts";
import type { Engine } from "./engine.ts";
import type { Lane } from "./engine-thread.ts";
import type { TaskSetup, TaskThreadCalls } from "./task-thread.ts";

/** Runs what `tasks.ts` lists in a thread, which starts when it is first needed, and again should it die. */
export interface TaskRunner {
  /** @throws what the task throws; `CANCELLED` when its signal fires */
  readonly run: Caller<TaskThreadCalls>["call"];
  /** Ends the thread. To be called when nothing runs. */
  close(): Promise<void>;
}

interface Running {
  readonly thread: Worker;
  readonly caller: Caller<TaskThreadCalls>;
  readonly exit: Promise<void>;
}

/** Makes a runner. @param lane whose turn it is at the encoders */
export function createTaskRunner(engine: Pick<Engine, "connect">, lane: Lane): TaskRunner {
  let running: Running | undefined;
  const start = (): Running => {
    const port = engine.connect(lane);
    const thread = startThread(import.meta.url, "task-thread", { engine: port } satisfies TaskSetup, [port]);
    const exit = new Promise<void>((resolve) =>
      thread.once("exit", () => {
        if (running === me) running = undefined;
        resolve();
      }),
    );
    const me: Running = { thread, caller: createCaller<TaskThreadCalls>(thread), exit };
    return me;
  };
  return {
    run: (name, input, work) => {
      running ??= start();
      return running.caller.call(name, input, work);
    },
    async close() {
      if (!running) return;
      const { caller, exit, thread } = running;
      await caller.call("close", {}).catch(() => {});
      thread.ref();
      await exit;
    },
  };
}
