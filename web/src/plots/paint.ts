import type { TokenValues } from "../state/queries.ts";

/** Tokens of a head; patches are the last of them, behind the CLS token where there is one. */
export const tokensOf = ({ values, layers, heads }: TokenValues): number => values.length / (layers * heads);

/** The map of some heads, patches by row: the weighted sum of theirs, without the CLS token. @param chosen unit → weight */
export function sumOfHeads(tokens: TokenValues, chosen: Iterable<readonly [number, number]>): number[][] {
  const { rows, columns } = tokens.grid;
  const n = tokensOf(tokens);
  const sums = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  for (const [unit, weight] of chosen) {
    let at = (unit + 1) * n - rows * columns;
    for (const row of sums)
      for (let column = 0; column < columns; column++) row[column] += weight * tokens.values[at++];
  }
  return sums;
}

/** What each head wrote at one patch. */
export function headsAtPatch(tokens: TokenValues, patch: number): Float64Array {
  const { values, grid, layers, heads } = tokens;
  const n = tokensOf(tokens);
  const first = n - grid.rows * grid.columns;
  return Float64Array.from({ length: layers * heads }, (_, unit) => values[unit * n + first + patch]);
}

/** RGB pixels as a canvas takes them. */
export function rgbaOf(rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4);
  for (let i = 0, at = 0; i < rgb.length; ) {
    rgba[at++] = rgb[i++];
    rgba[at++] = rgb[i++];
    rgba[at++] = rgb[i++];
    rgba[at++] = 255;
  }
  return rgba;
}
