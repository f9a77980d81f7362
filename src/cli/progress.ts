import { Presets, SingleBar } from "cli-progress";
import type { ProgressEvent, Report } from "../support/progress.ts";
import { cellsOf } from "../views/kit/cells.ts";
import { shorten } from "../views/kit/text.ts";
import type { Streams } from "./context.ts";
import { oneLine } from "./strings.ts";

/** How standard error tells of work under way: to people, or as JSON Lines. */
export interface ProgressOptions {
  readonly quiet: boolean;
  readonly json: boolean;
}

/** What is shown of a task. */
interface Task {
  readonly name: string;
  readonly unit: string;
  readonly total: number | undefined;
  readonly started: number;
  done: number;
  /** When a plain line last spoke of it; the start, until one did. */
  said: number;
}

/** Work of fewer units, or less than 2 MB, is over before a bar could be read. */
const MINIMUM = 32;
const MINIMUM_BYTES = 2e6;
/** Without a terminal, long work says how far it is this often, in milliseconds. */
const LINE_EVERY = 15_000;

/**
 * Shows progress events on standard error: on a terminal a bar with rate and time left, elsewhere a plain line every
 * 15 s. Warnings always; with `json` everything is one JSON object a line.
 */
export function createProgress(
  stream: Streams["stderr"],
  { quiet, json }: ProgressOptions,
): { report: Report; stop(): void } {
  let bar: SingleBar | undefined;
  let task: Task | undefined;
  let timer: NodeJS.Timeout | undefined;

  const line = (json_: object, plain: string) => stream.write(`${json ? JSON.stringify(json_) : plain}\n`);
  const sayHowFar = (current: Task, ended = false) => {
    current.said = Date.now();
    const { name, unit, total, done } = current;
    line(
      { progress: { task: name, unit, done, total: total ?? null } },
      `${oneLine(name)}: ${ended ? tally(current) : howFar(current)}`,
    );
  };
  const tick = () => {
    if (task && Date.now() - task.said >= LINE_EVERY) sayHowFar(task);
  };
  const stop = () => {
    bar?.stop();
    bar = undefined;
    clearInterval(timer);
    timer = undefined;
    task = undefined;
  };
  const begin = (event: Extract<ProgressEvent, { type: "start" }>) => {
    stop();
    const { task: name, unit, total } = event;
    const now = Date.now();
    task = { name, unit, total, started: now, said: now, done: 0 };
    if (!stream.isTTY) {
      timer = setInterval(tick, LINE_EVERY).unref();
      return;
    }
    if (json || (total ?? MINIMUM_BYTES) < (unit === "byte" ? MINIMUM_BYTES : MINIMUM)) return;
    bar = barFor(task, stream);
  };
  const report: Report = (event) => {
    switch (event.type) {
      case "warning": {
        const { code, message } = event;
        line({ warning: { code, message } }, `warning ${code}: ${oneLine(message)}`);
        break;
      }
      case "note":
        if (!quiet) line({ note: event.message }, oneLine(event.message));
        break;
      case "start":
        if (!quiet) begin(event);
        break;
      case "advance":
        if (!task) break;
        task.done = event.done;
        bar?.update(inUnits(task, task.done), { rate: rateOf(task) });
        // Work that never lets go of the thread starves the timer.
        if (timer) tick();
        break;
      case "end":
        if (task && task.said > task.started && timer) {
          task.done = event.done;
          sayHowFar(task, true);
        }
        stop();
    }
  };
  return { report, stop };
}

const shownUnit = ({ unit }: Task) => (unit === "byte" ? "MB" : unit.endsWith("s") ? unit : `${unit}s`);
const inUnits = ({ unit }: Task, count: number) => Math.round(unit === "byte" ? count / 1e6 : count);
const secondsOf = ({ started }: Task) => Math.max((Date.now() - started) / 1000, 1e-3);
const rateOf = (task: Task) => (task.done / (task.unit === "byte" ? 1e6 : 1) / secondsOf(task)).toFixed(1);

/** `120/500 images, 4.0/s, 95 s left` */
function howFar(task: Task): string {
  const { done, total } = task;
  const of = total === undefined ? "" : `/${inUnits(task, total)}`;
  const left =
    total === undefined || done === 0 ? "" : `, ${duration(((total - done) / done) * secondsOf(task))} left`;
  return `${inUnits(task, done)}${of} ${shownUnit(task)}, ${rateOf(task)}/s${left}`;
}

const tally = (task: Task) =>
  `${inUnits(task, task.done)} ${shownUnit(task)} in ${duration(secondsOf(task))}`;

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.round(whole / 60)} min` : `${(whole / 3600).toFixed(1)} h`;
}

/** Cells that a bar's line needs beside its bar and task: counts, rate and time left. */
const BESIDE = 50;
const LEAST_BAR = 6;
const LONGEST_BAR = 40;
const LEAST_NAME = 12;

/** A bar that fits the terminal: the task's name is shortened, and the bar has what is left; where that is nothing, a number. */
function barFor(task: Task, stream: Streams["stderr"]): SingleBar {
  const columns = stream.columns ?? 80;
  const room = columns - BESIDE;
  const narrow = room < LEAST_NAME + LEAST_BAR;
  const name = shorten(oneLine(task.name), narrow ? columns - 6 : room - LEAST_BAR, cellsOf);
  const bar = new SingleBar(
    {
      // Curly braces mean something to the format, and a folder's name may have them.
      format: narrow
        ? "{name} {percentage}%"
        : `{name} [{bar}] {value}/{total} ${shownUnit(task)}, {rate}/s, {eta_formatted} left`,
      barsize: Math.max(LEAST_BAR, Math.min(LONGEST_BAR, room - cellsOf(name))),
      stream,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(inUnits(task, task.total ?? 0), 0, { rate: "–", name });
  return bar;
}
