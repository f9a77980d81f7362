/** A thread that does long work, so that the one that answers goes on meanwhile. */
import { type MessagePort, workerData } from "node:worker_threads";
import { answerCalls } from "../../support/answer-calls.ts";
import { closeThread, starterPort } from "../../support/node-port.ts";
import { connectedModels } from "./engine.ts";
import { createTasks } from "./tasks.ts";

/** What the thread is started with. */
export interface TaskSetup {
  readonly engine: MessagePort;
}

const { engine } = workerData as TaskSetup;
const handlers = {
  ...createTasks(connectedModels(engine)),
  close: closeThread,
};
/** What the thread answers. */
export type TaskThreadCalls = typeof handlers;

answerCalls(starterPort(), handlers);
