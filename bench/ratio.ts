import { appendFileSync } from "node:fs";

/** What one bench found, as a row of `npm run bench`. */
export interface Ratio {
  /** What was done, and how much of it. */
  readonly what: string;
  /** Milliseconds, or another cost that is told in `unit`. */
  readonly took: number;
  readonly unit?: string;
  /** The floor, or what it is compared with: measured in turns with it, in the same run. */
  readonly beside: string;
  readonly besideTook: number;
}

/** Where `npm run bench` collects rows; a bench that is run by itself only prints. */
export const ROWS = "BENCH_ROWS";

/** Gives a row to `npm run bench`. */
export function ratio(row: Ratio): void {
  const file = process.env[ROWS];
  if (file) appendFileSync(file, `${JSON.stringify(row)}\n`);
}
