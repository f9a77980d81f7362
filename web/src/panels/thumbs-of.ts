import { decimalsFor, formatCosine, formatSigned } from "../../../src/views/kit/text.ts";
import { formatPercentile } from "../../../src/views/neighbors/words.ts";
import type { Thumb } from "../plots/thumbs.tsx";
import type { NeighborsResult } from "../state/api.ts";

/** How scores of a result are written. */
export function scoreFormatOf({ scoring, distribution }: NeighborsResult): (score: number) => string {
  if (scoring === "cosine") return formatCosine;
  const size = Math.max(Math.abs(distribution.least), Math.abs(distribution.most));
  const decimals = scoring === "z" ? 2 : decimalsFor(size);
  return (score) => formatSigned(score, decimals);
}

/** Found images as a row of pictures. */
export function thumbsOf(
  corpus: string,
  result: NeighborsResult,
  items: NeighborsResult["neighbors"],
): Thumb[] {
  const format = scoreFormatOf(result);
  return items.map(({ id, path, label, score, percentile }) => ({
    image: `${corpus}:${id}`,
    name: label ?? path.split("/").at(-1) ?? path,
    score: format(score),
    percentile: formatPercentile(percentile),
  }));
}
