/** A thread that chooses among texts for its caller (`chooser.ts`). Its products stay in it: other cores have their own choices. */
import { createAlgebra, type DenseMatrix } from "../../onnx/algebra.ts";
import { openNodeSession } from "../../onnx/node-session.ts";
import { answerCalls } from "../../support/answer-calls.ts";
import { closeThread, starterPort } from "../../support/node-port.ts";
import { once } from "../../support/shared.ts";
import { selectTogether } from "./textspan.ts";

const algebra = once(() => createAlgebra(openNodeSession, { threads: 1 }));

interface Asked {
  readonly covariances: readonly DenseMatrix[];
  readonly texts: DenseMatrix;
  readonly iterations: number;
}

const handlers = {
  choose: async ({ covariances, texts, iterations }: Asked) =>
    selectTogether(await algebra(), covariances, texts, iterations),
  close: closeThread,
};
/** What the thread answers. */
export type ChooserCalls = typeof handlers;

let last: Promise<unknown> = Promise.resolve();
answerCalls(starterPort(), handlers, {
  inTurn(work) {
    last = last.then(work);
  },
});
