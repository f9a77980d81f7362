/** What the test of a browser's threads runs in a page: a question of the contract to a thread of its own. */
import { QUESTIONS, type ThreadCalls, type ThreadQuestion } from "../../test/support/thread-questions.ts";
import { callWorker, unlessLeft } from "../src/tab/worker-port.ts";

const start = () => new Worker(new URL("./thread-worker.ts", import.meta.url), { type: "module" });

const threads = {
  ask: (question: ThreadQuestion): Promise<unknown> => QUESTIONS[question](callWorker<ThreadCalls>(start())),
  /** Leaves a thread that is at work: what is said to whoever left, and what the thread answers then. */
  async leave(): Promise<unknown> {
    const { call } = callWorker<ThreadCalls>(start());
    const leaving = new AbortController();
    const { signal } = leaving;
    const left = unlessLeft(call("never", {}, { signal }), signal).catch((error: Error) => error.name);
    leaving.abort();
    const gone = unlessLeft(call("never", {}), signal).catch((error: Error) => error.name);
    return [await left, await gone, await unlessLeft(call("count", { to: 2 }), new AbortController().signal)];
  },
  /** Asks a thread whose script is not there. */
  async missing(): Promise<unknown> {
    const { call } = callWorker<ThreadCalls>(new Worker("none.js", { type: "module" }), "Load it again.");
    return call("count", { to: 1 }).catch((error: { problem: object }) => error.problem);
  },
};
export type Threads = typeof threads;
Object.assign(globalThis, { threads });
