import type { TokenValues } from "../state/queries.ts";

/** The map of some heads, patches by row: the sum of theirs, without the CLS token. */
export function sumOfHeads({ values, grid }: TokenValues, units: Iterable<number>): number[][] {
  const { rows, columns } = grid;
  const sums = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  for (const unit of units) {
    let at = unit * (1 + rows * columns);
    for (const row of sums) for (let column = 0; column < columns; column++) row[column] += values[++at];
  }
  return sums;
}

/** What each head wrote at one patch. */
export function headsAtPatch({ values, grid }: TokenValues, patch: number): Float64Array {
  const n = 1 + grid.rows * grid.columns;
  return Float64Array.from({ length: values.length / n }, (_, unit) => values[unit * n + 1 + patch]);
}

/** RGB pixels as a canvas takes them. */
export function rgbaOf(rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4);
  for (let i = 0, at = 0; at < rgba.length; at += 4, i += 3) {
    rgba.set(rgb.subarray(i, i + 3), at);
    rgba[at + 3] = 255;
  }
  return rgba;
}
