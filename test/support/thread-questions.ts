/** What the contract of threads asks, and what it is told: in Node and in a browser the same code at both ends. */
import { handOver } from "../../src/support/answer-calls.ts";
import type { Caller } from "../../src/support/calls.ts";
import { ClipInterpretError } from "../../src/support/errors.ts";
import type { ProgressEvent, WorkOptions } from "../../src/support/progress.ts";

/** What a thread answers. @param close ends it */
export const threadHandlers = (close: (input: object) => Promise<void>) => ({
  double: async (numbers: Float32Array) => numbers.map((number) => 2 * number),
  count: async ({ to }: { readonly to: number }, { report, signal }: Required<WorkOptions>) => {
    for (let done = 1; done <= to; done++) {
      report({ type: "advance", task: "counting", done, total: to });
      await new Promise((rest) => setTimeout(rest));
      if (signal.aborted) throw new ClipInterpretError("CANCELLED", `stopped at ${done} of ${to}`);
    }
    return to;
  },
  refuse: async ({ hint }: { readonly hint?: string }) => {
    throw new ClipInterpretError("HEADS_INVALID", "no head L9.H9", hint === undefined ? {} : { hint });
  },
  unsendable: async (_: object) => () => 1,
  moved: async ({ length }: { readonly length: number }) => {
    const kept = new Float32Array(length);
    setTimeout(() => {
      lastMoved = kept.length;
    });
    return handOver({ numbers: kept });
  },
  /** How long the array that was moved is in this thread. */
  leftOfMoved: async (_: object) => lastMoved,
  /** Answers never, and the thread dies of what nobody catches. */
  die: (_: object) => {
    setTimeout(() => {
      throw new Error("out of luck");
    });
    return new Promise<number>(() => {});
  },
  never: (_: object) => new Promise<number>(() => {}),
  close,
});
/** What a thread of the contract can be asked. */
export type ThreadCalls = ReturnType<typeof threadHandlers>;
let lastMoved = -1;

/** Each asks a thread of its own, and says what came of it in plain data. */
export const QUESTIONS = {
  async answers({ call }: Caller<ThreadCalls>) {
    const first = call("double", Float32Array.of(1, 2.5));
    const second = call("double", Float32Array.of(-3));
    return [[...(await second)], [...(await first)]];
  },
  async moves({ call }: Caller<ThreadCalls>) {
    const numbers = Float32Array.of(1, 2);
    const doubled = await call("double", numbers, {}, [numbers.buffer]);
    const { numbers: moved } = await call("moved", { length: 5 });
    await call("count", { to: 2 });
    return [numbers.length, [...doubled], moved.length, await call("leftOfMoved", {})];
  },
  async progress({ call }: Caller<ThreadCalls>) {
    const heard: ProgressEvent[] = [];
    const other: ProgressEvent[] = [];
    const report = (event: ProgressEvent) => heard.push(event);
    const counts = await Promise.all([
      call("count", { to: 3 }, { report }),
      call("count", { to: 1 }, { report: (event) => other.push(event) }),
    ]);
    return { counts, heard: heard.map((event) => "done" in event && event.done), other: other.length };
  },
  async stops({ call }: Caller<ThreadCalls>) {
    const [one, before] = [new AbortController(), new AbortController()];
    before.abort();
    const stopped = call(
      "count",
      { to: 1e6 },
      { signal: one.signal, report: (event) => "done" in event && event.done === 2 && one.abort() },
    );
    const goesOn = call("count", { to: 10 });
    return [
      (await failure(stopped)).code,
      await goesOn,
      (await failure(call("double", new Float32Array(1), { signal: before.signal }))).code,
    ];
  },
  async fails({ call }: Caller<ThreadCalls>) {
    const own = await failure(call("refuse", { hint: "Look at `heads`." }));
    const plain = await failure(call("refuse", {}));
    const unsendable = await failure(call("unsendable", {}));
    const unsent = await failure(call("count", { to: (() => 1) as never }));
    return {
      own,
      plain,
      unsendable: unsendable.code,
      unsent: unsent.name,
      after: await call("count", { to: 1 }),
    };
  },
  async dies({ call }: Caller<ThreadCalls>) {
    const waiting = failure(call("never", {}));
    const dying = await failure(call("die", {}));
    const after = await failure(call("count", { to: 1 }));
    return { codes: [dying.code, (await waiting).code, after.code], message: dying.message };
  },
  async closes({ call, close }: Caller<ThreadCalls>) {
    const waiting = failure(call("never", {}));
    await close();
    await close();
    return [(await waiting).code, (await failure(call("count", { to: 1 }))).code];
  },
};
/** What can be asked. */
export type ThreadQuestion = keyof typeof QUESTIONS;

interface Told {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly hint?: string;
}

/** What an error says, however a place wraps it. */
async function failure(asked: Promise<unknown>): Promise<Told> {
  try {
    await asked;
    return { name: "none", message: "nothing failed" };
  } catch (error) {
    const { name } = error as Error;
    const { code, message, hint } = (error as { problem?: Told }).problem ?? (error as Told);
    return { name, message, ...(code && { code }), ...(hint && { hint }) };
  }
}
