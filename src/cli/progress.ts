import { Presets, SingleBar } from "cli-progress";
import type { Report } from "../support/progress.ts";
import type { Streams } from "./context.ts";
import { oneLine } from "./strings.ts";

/**
 * Shows progress events on standard error: a bar with rate and time left on a terminal, warnings always.
 * Work of fewer than `MINIMUM` units, or less than 2 MB, is over before a bar could be read.
 */
export function createProgress(stream: Streams["stderr"], quiet: boolean): { report: Report; stop(): void } {
  const MINIMUM = 32;
  let bar: SingleBar | undefined;
  let started = 0;
  // Bytes are shown as MB.
  let scale = 1;
  const shown = (count: number) => Math.round(count / scale);
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  const report: Report = (event) => {
    switch (event.type) {
      case "warning":
        stream.write(`warning ${event.code}: ${oneLine(event.message)}\n`);
        break;
      case "start":
        scale = event.unit === "byte" ? 1e6 : 1;
        if (quiet || !stream.isTTY || (event.total ?? MINIMUM * scale) < MINIMUM * Math.min(scale, 1e5))
          break;
        stop();
        started = Date.now();
        bar = new SingleBar(
          {
            format: `${event.task} [{bar}] {value}/{total} ${event.unit === "byte" ? "MB" : `${event.unit}s`}, {rate}/s, {eta_formatted} left`,
            stream,
            hideCursor: true,
            clearOnComplete: true,
          },
          Presets.shades_classic,
        );
        bar.start(shown(event.total ?? 0), 0, { rate: "–" });
        break;
      case "advance": {
        const seconds = (Date.now() - started) / 1000;
        bar?.update(shown(event.done), { rate: (event.done / scale / Math.max(seconds, 1e-3)).toFixed(1) });
        break;
      }
      case "end":
        stop();
    }
  };
  return { report, stop };
}
