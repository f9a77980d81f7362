import type { Question } from "../../../src/tab/facts.ts";
import type { TabCalls, TabControl, TabNews, TabStart } from "./worker.ts";
import workerAddress from "./worker.ts?worker&url";
import { callWorker, unlessLeft } from "./worker-port.ts";

/** The thread that answers this tab. */
export interface Thread {
  ask(question: Question, signal?: AbortSignal): Promise<unknown>;
  /** What is answered at once, whatever is being worked on. */
  control(asked: TabControl): Promise<unknown>;
}

/**
 * Starts it.
 * @param hear of what it is at, whether somebody waits for it or not
 */
export function startThread(start: TabStart, hear: (news: TabNews) => void): Thread {
  // A thread takes its policy from what its script came with, and only one that the page made itself has the page's.
  const script = `import ${JSON.stringify(new URL(workerAddress, document.baseURI).href)};`;
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address, { type: "module" });
  const { call } = callWorker<TabCalls>(worker);
  worker.addEventListener("message", ({ data }: MessageEvent<{ readonly news?: TabNews }>) => {
    if (data.news) hear(data.news);
  });
  // Whoever asks hears why there is no answer.
  call("start", start).catch(() => {});
  return {
    control: (control) => call("control", control),
    ask: (question, signal) => unlessLeft(call("ask", question, signal && { signal }), signal),
  };
}
