import { problemOf } from "../../../src/server/problems.ts";
import type { Problem } from "../state/api.ts";

/** What a thread says to a question. */
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly problem?: Problem;
}

/** Answers a question of the page by some work, or says what is wrong with it. */
export async function reply(id: number, work: () => Promise<unknown>): Promise<void> {
  const say = (said: Omit<Reply, "id">) => self.postMessage({ id, ...said } satisfies Reply);
  try {
    say({ value: await work() });
  } catch (error) {
    const problem = problemOf(error);
    if (problem.code === "INTERNAL") console.error(error);
    say({ problem });
  }
}
