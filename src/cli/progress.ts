import { Presets, SingleBar } from "cli-progress";
import type { Report } from "../support/progress.ts";
import type { Streams } from "./context.ts";

/**
 * Shows progress events on standard error: a bar with rate and time left on a terminal, warnings always.
 * Work of fewer than `MINIMUM` units is over before a bar could be read.
 */
export function createProgress(stream: Streams["stderr"], quiet: boolean): { report: Report; stop(): void } {
  const MINIMUM = 32;
  let bar: SingleBar | undefined;
  let started = 0;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  const report: Report = (event) => {
    switch (event.type) {
      case "warning":
        stream.write(`warning ${event.code}: ${event.message}\n`);
        break;
      case "start":
        if (quiet || !stream.isTTY || (event.total ?? MINIMUM) < MINIMUM) break;
        stop();
        started = Date.now();
        bar = new SingleBar(
          {
            format: `${event.task} [{bar}] {value}/{total} ${event.unit}s, {rate}/s, {eta_formatted} left`,
            stream,
            hideCursor: true,
            clearOnComplete: true,
          },
          Presets.shades_classic,
        );
        bar.start(event.total ?? 0, 0, { rate: "–" });
        break;
      case "advance": {
        const seconds = (Date.now() - started) / 1000;
        bar?.update(event.done, { rate: (event.done / Math.max(seconds, 1e-3)).toFixed(1) });
        break;
      }
      case "end":
        stop();
    }
  };
  return { report, stop };
}
