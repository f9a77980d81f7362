import type { z } from "zod";
import type { Segmentation } from "../analysis/segmentation/segmentation.ts";
import { headName } from "../model/components.ts";
import type { segmentResultSchema } from "./segment.ts";

/** Maps as `segment --json` prints them and the server answers. @param patch whose heads were asked for */
export function segmentJson(
  { grid, mode, placement, texts, winners, baselines }: Omit<Segmentation, "shown">,
  { width, height }: { readonly width: number; readonly height: number },
  patch?: number,
): Omit<z.infer<typeof segmentResultSchema>, "model" | "precision" | "image" | "heads"> {
  const rows = (values: ArrayLike<number>) =>
    Array.from({ length: grid }, (_, row) => Array.from(values).slice(row * grid, (row + 1) * grid));
  return {
    mode,
    grid: { rows: grid, columns: grid },
    original: { width, height },
    placement,
    texts: texts.map(({ text, similarity, map: { values, ...sums }, heads: strongest }) => ({
      ...{ text, similarity, values: rows(values), ...sums },
      ...(patch !== undefined &&
        strongest && {
          token: {
            row: Math.floor(patch / grid),
            column: patch % grid,
            value: values[patch],
            heads: strongest.map(({ layer, head, value }) => ({ head: headName(layer, head), value })),
          },
        }),
    })),
    ...(winners && {
      winners: { text: rows(winners.winner), margin: rows(winners.margin), counts: [...winners.counts] },
    }),
    ...(baselines && {
      baselines: baselines.map(({ name, paper, text, values }) => ({
        ...{ name, paper, values: rows(values) },
        text: text === null ? null : texts[text].text,
      })),
    }),
  };
}
