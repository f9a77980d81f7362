import { pauseFor } from "../hub/retry.ts";

/** Keeps requests apart, those of all who share it together. */
export interface Pace {
  /** Waits until the next request may start. @throws `CANCELLED` when the signal fires meanwhile */
  turn(signal: AbortSignal): Promise<void>;
  /** Lets nobody start for so long: what a server that is too busy asks for. */
  hold(ms: number): void;
}

/** A pace of at most so many requests a minute, evenly spaced; without a number there is no limit but `hold`. */
export function createPace(requestsPerMinute?: number): Pace {
  const gap = requestsPerMinute === undefined ? 0 : 60_000 / requestsPerMinute;
  let next = 0;
  let held = 0;
  return {
    async turn(signal) {
      const mine = Math.max(next, performance.now());
      next = mine + gap;
      for (;;) {
        // A hold may come while this request waits for its turn.
        const wait = Math.max(mine, held) - performance.now();
        if (wait <= 0) return;
        await pauseFor(wait, signal);
      }
    },
    hold(ms) {
      held = Math.max(held, performance.now() + ms);
    },
  };
}
