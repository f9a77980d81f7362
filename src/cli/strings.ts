import { InvalidArgumentError } from "commander";

/** A reader of whole numbers within bounds, for an option's value. */
export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const bounds = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Give a whole number ${bounds}`);
  };

/** A reader of numbers within bounds, for an option's value: digits, with a point or an exponent; never NaN, never infinite. */
export const number =
  (least: number, most = Number.MAX_VALUE) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) && value >= least && value <= most) return value;
    const bounds = most === Number.MAX_VALUE ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Give a number ${bounds}`);
  };

/** A message on one line, without characters that would command the terminal. */
export const oneLine = (text: string): string => text.replace(/\s*[\r\n]\s*/g, " ").replace(/\p{Cc}/gu, "");

/**
 * A text as one word of a shell's command line: as it is where that is safe, else in quotes. On Windows in those that cmd and
 * PowerShell both know, with backslashes as programs there read them.
 */
export function shellWord(text: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== "win32")
    return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = text.replace(/(\\*)("|$)/g, (_, slashes, end) => slashes + slashes + (end && '\\"'));
  return /^[\w+:./\\-]+$/.test(text) ? text : `"${escaped}"`;
}

/** Collects the values of an option that may be given more than once. */
export const collect = (value: string, known: readonly string[]): readonly string[] => [...known, value];
