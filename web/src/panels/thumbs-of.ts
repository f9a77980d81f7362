import { formatPercentile, scoreFormat } from "../../../src/views/neighbors/words.ts";
import type { Thumb } from "../plots/thumbs.tsx";
import type { NeighborsResult } from "../state/api.ts";

/** Found images as a row of pictures. */
export function thumbsOf(
  corpus: string,
  result: NeighborsResult,
  items: NeighborsResult["neighbors"],
): Thumb[] {
  const format = scoreFormat(result);
  return items.map(({ id, path, label, score, percentile }) => ({
    image: `${corpus}:${id}`,
    name: label ?? path.split("/").at(-1) ?? path,
    score: format(score),
    percentile: formatPercentile(percentile),
  }));
}
