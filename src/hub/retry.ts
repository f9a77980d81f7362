import { setTimeout as sleep } from "node:timers/promises";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import type { WorkOptions } from "../support/progress.ts";

/** How patient a download is. */
export interface Patience {
  /** Attempts in a row that bring nothing before it gives up. */
  readonly attempts: number;
  /** The first pause; each further one is twice as long. */
  readonly pauseMs: number;
  /** The longest pause, also when the hub asks for one. */
  readonly longestPauseMs: number;
  /** How long a connection may stay silent. */
  readonly silenceMs: number;
}

/** Patience for a person who waits at a terminal. */
export const PATIENCE: Patience = {
  attempts: 6,
  pauseMs: 500,
  longestPauseMs: 120_000,
  silenceMs: 30_000,
};

/** A failure that may pass: a dropped connection, a busy server. */
export class PassingFailure extends Error {
  /** What it becomes when patience is at an end. */
  readonly error: ClipInterpretError;
  /** The pause that the server asked for. */
  readonly waitMs: number | undefined;

  constructor(error: ClipInterpretError, waitMs?: number) {
    super(error.message, { cause: error });
    this.error = error;
    this.waitMs = waitMs;
  }
}

/**
 * Runs `attempt` until it succeeds, fails for good, or failed as often as patience allows without having called
 * `progressed` in between.
 */
export async function retrying<T>(
  attempt: (progressed: () => void) => Promise<T>,
  patience: Patience,
  { report, signal }: WorkOptions,
): Promise<T> {
  let failures = 0;
  for (;;) {
    try {
      return await attempt(() => {
        failures = 0;
      });
    } catch (failure) {
      if (signal?.aborted) throw cancelled(failure);
      if (!(failure instanceof PassingFailure)) throw failure;
      failures++;
      const { error, waitMs } = failure;
      const pause = waitMs ?? Math.min(patience.pauseMs * 2 ** (failures - 1), patience.longestPauseMs);
      if (failures >= patience.attempts || pause > patience.longestPauseMs) throw error;
      const message = `${error.message}; trying again in ${(pause / 1000).toFixed(1)} s`;
      report?.({ type: "warning", code: error.code, message });
      await pauseFor(pause, signal);
    }
  }
}

/** Waits; throws what `stopped` makes of it when the signal fires meanwhile. */
export async function pauseFor(
  ms: number,
  signal: AbortSignal | undefined,
  stopped: (cause: unknown) => ClipInterpretError = cancelled,
): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch((cause) => {
    throw stopped(cause);
  });
}

/** The error of work that its caller stopped. */
export const cancelled = (cause: unknown): ClipInterpretError =>
  new ClipInterpretError("CANCELLED", "the download was stopped", {
    hint: "What was fetched is kept; run the same command again to go on from there.",
    cause,
  });

/** A signal that fires when its caller's does, or when `touch` was not called for a while. */
export function silenceGuard(
  silenceMs: number,
  signal: AbortSignal | undefined,
): { signal: AbortSignal; touch: () => void; stop: () => void } {
  const silence = new AbortController();
  const error = new Error(`no answer for ${silenceMs / 1000} s`);
  const timer = setTimeout(() => silence.abort(error), silenceMs);
  return {
    signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
    touch: () => void timer.refresh(),
    stop: () => clearTimeout(timer),
  };
}

/** Why a connection failed: the reason below fetch's "fetch failed". */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const inner = cause instanceof AggregateError ? cause.errors[0] : cause;
  return messageOf(inner ?? error);
}
