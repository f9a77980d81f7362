import { problemOf } from "../../../src/server/problems.ts";
import { type AnswerOptions, answerCalls } from "../../../src/support/answer-calls.ts";
import type { Handlers, Port } from "../../../src/support/calls.ts";

/** The way from a thread to its page. */
const pagePort = (): Port => ({
  post: (message, transfer = []) => self.postMessage(message, { transfer: transfer as Transferable[] }),
  listen: (take) => self.addEventListener("message", ({ data }) => take(data)),
  // A thread ends with its page.
  whenGone() {},
  hold() {},
  async ended() {},
});

/** Answers the page's calls in its thread; what is wrong with one is said as a server says it. */
export const answerPage = (handlers: Handlers, inTurn?: AnswerOptions["inTurn"]): void =>
  answerCalls(pagePort(), handlers, {
    ...(inTurn && { inTurn }),
    failureOf(error) {
      const problem = problemOf(error);
      if (problem.code === "INTERNAL") console.error(error);
      return problem;
    },
  });

/** The handler that ends this thread. */
export const closeThread = async (_: object): Promise<void> => {
  // What was answered is still sent.
  setTimeout(() => self.close());
};
