/** Many choices among texts: of one pool for all heads, of one head for resampled images. Each is by itself, so cores share them. */
import type { Algebra, DenseMatrix } from "../../onnx/algebra.ts";
import type { Caller } from "../../support/calls.ts";
import { processors } from "../../support/environment.ts";
import { callThread } from "../../support/node-port.ts";
import { startThread } from "../../support/thread.ts";
import type { ChooserCalls } from "./chooser-thread.ts";
import { type Selection, selectTogether } from "./textspan.ts";

/** Chooses among texts for several covariances that go on step by step together; see {@link selectTogether}. */
export interface Chooser {
  /** Products of whoever prepares what is chosen among. */
  readonly algebra: Algebra;
  /** So many may be asked for at once: each is then chosen in a thread of its own. */
  readonly atOnce: number;
  choose(
    covariances: readonly DenseMatrix[],
    texts: DenseMatrix,
    iterations: number,
  ): Promise<readonly Selection[]>;
  /** Ends the threads, each after the choice it is at. The algebra stays. */
  close(): Promise<void>;
}

/** Multiplications that are done in the calling thread first: a second's. What is less needs no threads, which take a quarter of a second each to start. */
const HERE = 5e9;
/** Each has its own memory. */
const MOST_THREADS = 16;

interface ChooserThread {
  readonly caller: Caller<ChooserCalls>;
  /** What it was asked and has not answered. */
  busy: number;
}

/**
 * @param threads as of products: 0 takes every core, 1 stays in the calling thread; the numbers are the same bit for bit
 * @param here multiplications that are done in the calling thread before others are started
 */
export function createChooser(algebra: Algebra, threads = 0, here = HERE): Chooser {
  const most = Math.min(threads || processors(), processors(), MOST_THREADS);
  const started: ChooserThread[] = [];
  const start = (): ChooserThread => {
    const thread = startThread(import.meta.url, "chooser-thread", null);
    const one = { caller: callThread<ChooserCalls>(thread), busy: 0 };
    started.push(one);
    return one;
  };
  const leastBusy = () => {
    const idle = started.find(({ busy }) => busy === 0);
    if (idle) return idle;
    return started.length < most ? start() : started.reduce((a, b) => (b.busy < a.busy ? b : a));
  };
  let done = 0;
  return {
    algebra,
    atOnce: most,
    async choose(covariances, texts, iterations) {
      if (most === 1 || done < here) {
        done += costOf(covariances.length, texts, iterations);
        return selectTogether(algebra, covariances, texts, iterations);
      }
      const one = leastBusy();
      one.busy++;
      try {
        return await one.caller.call("choose", { covariances, texts, iterations });
      } finally {
        one.busy--;
      }
    },
    async close() {
      await Promise.all(started.splice(0).map(({ caller }) => caller.close()));
    },
  };
}

/** Multiplications: t·C·t of every text, and two numbers a text and step. */
const costOf = (covariances: number, { rows, columns }: DenseMatrix, iterations: number) =>
  covariances * rows * columns * (columns / 2 + 2 * iterations);

/** Choices that go on step by step together: texts are read once a step for all of them. */
const TOGETHER = 144;
/** Numbers a text and choice that are in memory at once, for all of them. */
const MOST_NUMBERS = 2 ** 24;
/** ONNX Runtime adds up so many numbers in one order whatever the number of columns, so a step does not depend on its neighbours. */
const ADDED_IN_ONE_ORDER = 128;

/** Chooses among texts [t, r] for each of many covariances [r, r], some at a time, in their order. */
export async function* selectTexts(
  chooser: Pick<Chooser, "choose">,
  covariances: Iterable<DenseMatrix>,
  texts: DenseMatrix,
  iterations: number,
): AsyncGenerator<Selection> {
  const fit = Math.max(1, Math.floor(MOST_NUMBERS / Math.max(1, texts.rows)));
  const most = texts.columns <= ADDED_IN_ONE_ORDER ? Math.min(TOGETHER, fit) : 1;
  let some: DenseMatrix[] = [];
  for (const covariance of covariances) {
    some.push(covariance);
    if (some.length < most) continue;
    yield* await chooser.choose(some, texts, iterations);
    some = [];
  }
  if (some.length > 0) yield* await chooser.choose(some, texts, iterations);
}
