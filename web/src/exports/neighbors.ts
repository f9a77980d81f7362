import { csvOf } from "../../../src/views/kit/csv.ts";
import type { Picture } from "../../../src/views/kit/svg.ts";
import { neighborsSvg } from "../../../src/views/neighbors/svg.ts";
import { rowsOf, THUMBNAIL } from "../../../src/views/neighbors/words.ts";
import { type NeighborsResult, pictureUrl } from "../state/api.ts";
import type { ExportSet } from "./save.ts";

interface NeighborsInput {
  readonly corpus: string;
  readonly found: NeighborsResult;
  /** The image that was asked about; a text has none. */
  readonly image: string | undefined;
}

/** The pictures that were found, with their scores: the files that the command writes. */
export function neighborsExports({ corpus, found, image }: NeighborsInput): ExportSet {
  const rows = rowsOf(found);
  return {
    async svg() {
      const ids = new Set(rows.flatMap(([, items]) => items.map(({ id }) => id)));
      const pictures = [...ids].map(async (id) => [id, await pictureOf(`${corpus}:${id}`)] as const);
      return neighborsSvg(found, {
        query: image === undefined ? null : await pictureOf(image),
        pictureOf: new Map(await Promise.all(pictures)),
      });
    },
    csv: () =>
      csvOf(
        found.origin,
        ["list", "rank", "id", "path", "label", "score", "percentile"],
        rows.flatMap(([title, items]) =>
          items.map(({ id, path, label, score, percentile }, i) => [
            ...[title, i + 1, id, path, label, score, percentile],
          ]),
        ),
      ),
    json: () => found,
  };
}

/** A thumbnail's bytes with its size; null where the file is gone. */
async function pictureOf(image: string): Promise<Picture | null> {
  const response = await fetch(pictureUrl(image, THUMBNAIL));
  if (!response.ok) return null;
  const bytes = new Uint8Array(await response.arrayBuffer());
  const { width, height } = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  return { png: bytes, width, height };
}
