import type { Question } from "../../../src/tab/facts.ts";
import { createQuestions, threadEnded } from "./questions.ts";
import type { TabControl, TabNews, TabReply, TabRequest, TabStart } from "./worker.ts";
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
  const questions = createQuestions();
  const tell = (request: TabRequest) => worker.postMessage(request);
  worker.onmessage = ({ data }: MessageEvent<TabReply>) => {
    if ("id" in data) questions.hear(data);
    else hear(data);
  };
  worker.onerror = ({ message }) => questions.fail(threadEnded("The tab's thread", message));
  return {
    control: (control) => questions.ask((id) => tell({ id, control })),
    ask: (question, signal) =>
      questions.ask(
        (id) => tell({ id, question }),
        signal,
        (id) => tell({ id, stop: true }),
      ),
  };
}
