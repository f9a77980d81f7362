/** What a process that runs for long says: a line an event, for people or, with `--log json`, for programs. */
import { type Logger, pino } from "pino";
import type { Report } from "../support/progress.ts";

export type { Logger };

/** How logs are written. */
export const LOG_FORMS = ["text", "json"] as const;
export type LogForm = (typeof LOG_FORMS)[number];

/**
 * A logger to a stream.
 * @param ids what each line carries: which process says it
 */
export function createLog(stream: NodeJS.WritableStream, form: LogForm, ids: Record<string, string>): Logger {
  const destination = { write: (line: string) => stream.write(form === "json" ? line : plain(line, ids)) };
  const options = {
    base: ids,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (level: string) => ({ level }) },
  };
  return pino(options, destination);
}

/** `12:01:07 part done part=3/8 images=120`: what is the same in every line is left out. */
function plain(line: string, ids: Record<string, string>): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const shown = Object.entries(fields)
    .filter(([name]) => !(name in ids))
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const text = `${String(time).slice(11, 19)} ${level === "info" ? "" : `${level} `}${msg}${shown.join("")}`;
  // What comes from a disk or from Redis must not command the terminal.
  return `${text.replace(/\p{Cc}/gu, " ")}\n`;
}

/** Notes and warnings as lines of a log. */
export const reportTo =
  (log: Logger): Report =>
  (event) => {
    if (event.type === "warning") log.warn({ code: event.code }, event.message);
    else if (event.type === "note") log.info(event.message);
  };
