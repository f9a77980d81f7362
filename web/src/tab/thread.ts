import type { Question } from "../../../src/tab/facts.ts";
import { askIn, type WithoutId } from "./questions.ts";
import type { TabControl, TabNews, TabRequest, TabStart } from "./worker.ts";
import workerAddress from "./worker.ts?worker&url";

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
  worker.postMessage(start);
  const ask = askIn<WithoutId<TabRequest>, TabNews>(worker, "The tab's thread", { hear });
  return {
    control: (control) => ask({ control }),
    ask: (question, signal) => ask({ question }, signal),
  };
}
