import type { AtlasEntry, AtlasResult } from "../../results/atlas.ts";
import { csvOf } from "../kit/csv.ts";

/** Heads of an atlas as CSV: a row each with its label, all metrics, what it knows best and its texts. */
export const atlasCsv = (atlas: AtlasResult, heads: readonly AtlasEntry[] = atlas.heads): string =>
  csvOf(
    atlas.origin,
    [
      "head",
      "label",
      ...atlas.metrics.map(({ key }) => key),
      "factor",
      "factor share",
      "factor sign",
      "texts",
    ],
    heads.map(({ name, label, metrics, strongest, texts }) => [
      ...[name, label?.label],
      ...atlas.metrics.map(({ key }) => metrics[key]),
      ...[strongest?.factor, strongest?.share, strongest?.sign],
      texts.join("; "),
    ]),
  );
