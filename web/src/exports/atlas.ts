import { atlasCsv } from "../../../src/views/atlas/csv.ts";
import { type AtlasShownBy, atlasSvg } from "../../../src/views/atlas/svg.ts";
import type { AtlasEntry, AtlasResult, KnowingHeads } from "../state/api.ts";
import type { ExportSet } from "./save.ts";

/**
 * Every head as files: the squares and the points as they are coloured and placed; the table in the order of the list.
 * @param knowing where heads are ordered by how well they know a text
 */
export const atlasExports = (
  atlas: AtlasResult,
  chosen: readonly AtlasEntry[],
  shown: AtlasShownBy,
  knowing: KnowingHeads | undefined,
): ExportSet => ({
  svg: async () => atlasSvg(atlas, shown),
  csv: () => atlasCsv(atlas, chosen),
  json: () => knowing ?? { ...atlas, heads: chosen },
});
