import { ClipInterpretError } from "../support/errors.ts";

/** The patch that `--token` names, in reading order. */
export function patchAt(token: string | undefined, grid: number): number | undefined {
  if (token === undefined) return undefined;
  const [, row, column] = /^\s*(\d+)\s*,\s*(\d+)\s*$/.exec(token) ?? [];
  if (row === undefined || Number(row) >= grid || Number(column) >= grid) {
    throw new ClipInterpretError(
      "USAGE",
      `--token ${token} is no patch; give a row and a column from 0,0 to ${grid - 1},${grid - 1}`,
    );
  }
  return Number(row) * grid + Number(column);
}
