import type { Answer, Failure, Handlers, Port, Request } from "./calls.ts";
import { ClipInterpretError, messageOf } from "./errors.ts";
import type { ProgressEvent } from "./progress.ts";

/** Answers whose numbers are handed over instead of copied. */
const handedOver = new WeakSet<object>();

/** Marks an answer whose arrays nobody keeps: they are moved to the thread that asked. */
export function handOver<T extends object>(answer: T): T {
  handedOver.add(answer);
  return answer;
}

/** How calls are answered. */
export interface AnswerOptions {
  /** Runs the work of a call in its turn; is told its name, its input and what stops it. Default: each starts at once. */
  readonly inTurn?: (work: () => Promise<void>, name: string, input: unknown, signal: AbortSignal) => void;
  /** What is said of what a handler threw. Default: all. */
  readonly failureOf?: (error: unknown) => Failure;
}

/** Answers calls that {@link createCaller} makes at the other end. */
export function answerCalls(
  port: Port,
  handlers: Handlers,
  { inTurn = (work) => void work(), failureOf = wholeFailure }: AnswerOptions = {},
): void {
  const running = new Map<number, AbortController>();
  const answer = (message: Answer, transfer: readonly object[] = []) => port.post(message, transfer);
  port.listen((message) => {
    const request = message as Request;
    const { id } = request;
    if ("stop" in request) return running.get(id)?.abort();
    const controller = new AbortController();
    running.set(id, controller);
    const work = async () => {
      try {
        const handler = handlers[request.name] as Handlers[string];
        const options = {
          report: (event: ProgressEvent) => answer({ id, event }),
          signal: controller.signal,
        };
        if (controller.signal.aborted) throw new ClipInterpretError("CANCELLED", "stopped before it began");
        const value = await handler(request.input as never, options);
        const isMoved = typeof value === "object" && value !== null && handedOver.has(value);
        answer({ id, value }, isMoved ? buffersOf(value) : []);
      } catch (error) {
        answer({ id, ...failureOf(error) });
      } finally {
        running.delete(id);
      }
    };
    inTurn(work, request.name, request.input, controller.signal);
  });
}

function wholeFailure(error: unknown): Failure {
  const { code, hint } = error instanceof ClipInterpretError ? error : { code: "INTERNAL" as const };
  return { code, message: messageOf(error), ...(hint !== undefined && { hint }) };
}

/** Every buffer within plain data, once; shared ones need not be moved. */
function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (value instanceof Map) for (const one of value.values()) buffersOf(one, found);
  else if (typeof value === "object" && value !== null)
    for (const one of Object.values(value)) buffersOf(one, found);
  return [...found];
}
