import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { cellsOf } from "../views/kit/cells.ts";
import { createProgress, type ProgressOptions } from "./progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A stream that remembers, and the progress shown on it. */
function shownOn(terminal: { isTTY?: boolean; columns?: number }, options: Partial<ProgressOptions> = {}) {
  const stream = Object.assign(new PassThrough(), terminal);
  const progress = createProgress(stream, { quiet: false, json: false, ...options });
  return { ...progress, text: () => String(stream.read() ?? "") };
}

/** What moves a terminal's cursor. */
const MOVES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]|[\\r\\n]`);

const START = { type: "start", task: "index", unit: "image", total: 1000 } as const;
const advance = (done: number) => ({ type: "advance", task: "index", done, total: 1000 }) as const;

it("says without a terminal every 15 seconds how far long work is, and at its end how long it took", () => {
  const { report, text } = shownOn({});
  report(START);
  vi.advanceTimersByTime(5_000);
  report(advance(100));
  expect(text()).toBe("");
  vi.advanceTimersByTime(10_000);
  expect(text()).toBe("index: 100/1000 images, 6.7/s, 135 s left\n".replace("135 s", "2 min"));
  report(advance(101));
  expect(text()).toBe("");
  // A thread that is never free cannot run timers: what advances speaks then.
  vi.setSystemTime(Date.now() + 15_000);
  report(advance(500));
  expect(text()).toBe("index: 500/1000 images, 16.7/s, 30 s left\n");
  report({ type: "end", task: "index", done: 1000 });
  expect(text()).toBe("index: 1000 images in 30 s\n");
  vi.advanceTimersByTime(60_000);
  expect(text()).toBe("");
});

it("says nothing of short work, nor with --quiet", () => {
  for (const quiet of [false, true]) {
    const { report, text } = shownOn({}, { quiet });
    report(START);
    vi.advanceTimersByTime(quiet ? 60_000 : 14_000);
    report({ type: "end", task: "index", done: 1000 });
    expect(text()).toBe("");
  }
});

it("speaks JSON Lines with --json", () => {
  const { report, text } = shownOn({}, { json: true });
  report({ type: "warning", code: "TEXT_TRUNCATED", message: "long" });
  report({ type: "note", message: "waiting" });
  report(START);
  report(advance(10));
  vi.advanceTimersByTime(15_000);
  expect(
    text()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { warning: { code: "TEXT_TRUNCATED", message: "long" } },
    { note: "waiting" },
    { progress: { task: "index", unit: "image", done: 10, total: 1000 } },
  ]);
});

it.each([40, 60, 80, 200])(
  "draws a bar that fits a terminal of %i columns, whatever the task is called",
  (columns) => {
    for (const task of ["index", `index ${"{bar} 图片 ".repeat(40)}`]) {
      const { report, text, stop } = shownOn({ isTTY: true, columns });
      report({ ...START, task, total: 1_000_000 });
      report({ ...advance(999_999), task });
      vi.advanceTimersByTime(1000);
      stop();
      const lines = text()
        .split(MOVES)
        .filter((line) => /[…%/]/.test(line));
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(cellsOf(line)).toBeLessThanOrEqual(columns);
    }
  },
);
