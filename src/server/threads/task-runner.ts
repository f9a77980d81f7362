import type { Caller } from "../../support/calls.ts";
import { startThread } from "../../support/thread.ts";
import type { Engine } from "./engine.ts";
import type { Lane } from "./engine-thread.ts";
import { lastingThread } from "./lasting-thread.ts";
import type { TaskSetup, TaskThreadCalls } from "./task-thread.ts";

/** Runs what `tasks.ts` lists in a thread, which starts when it is first needed, and again should it die. */
export interface TaskRunner {
  /** @throws what the task throws; `CANCELLED` when its signal fires; `THREAD_ENDED` */
  readonly run: Caller<TaskThreadCalls>["call"];
  /** Ends the thread. To be called when nothing runs. */
  close(): Promise<void>;
}

/** Makes a runner. @param lane whose turn it is at the encoders */
export function createTaskRunner(engine: Pick<Engine, "connect">, lane: Lane): TaskRunner {
  const { call, close } = lastingThread<TaskThreadCalls>(() => {
    const { port, ended } = engine.connect(lane);
    const setup: TaskSetup = { engine: port };
    return { thread: startThread(import.meta.url, "task-thread", setup, [port]), needs: ended };
  });
  return { run: call, close };
}
