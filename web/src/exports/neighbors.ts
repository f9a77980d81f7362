import { csvOf } from "../../../src/views/kit/csv.ts";
import type { Picture } from "../../../src/views/kit/svg.ts";
import { neighborGridSvg } from "../../../src/views/neighbors/svg.ts";
import {
  type App,
  type ImageInfo,
  type ModelDetail,
  type NeighborsResult,
  pictureUrl,
} from "../state/api.ts";
import { type ExportSet, provenance, stamped } from "./save.ts";

interface NeighborsInput {
  readonly app: App;
  readonly model: ModelDetail;
  readonly corpus: string;
  readonly found: NeighborsResult;
  readonly words: string;
  readonly headCount: number;
  readonly query: { kind: "text"; text: string } | { kind: "image"; image: ImageInfo };
}

/** The pictures that were found, with their scores. */
export async function neighborsExports(input: NeighborsInput): Promise<ExportSet> {
  const { app, model, corpus, found, words, headCount, query } = input;
  const origin = provenance(app, model, {
    corpus,
    heads: found.heads.join(" "),
    ...(query.kind === "image" ? { image: query.image.sha256 } : { text: query.text }),
  });
  const kinds = [
    ["most similar", found.neighbors],
    ["least similar", found.least],
    ["random", found.random],
  ] as const;
  return {
    async svg() {
      const rows = kinds.map(async ([title, items]) => ({
        title,
        items: await Promise.all(
          items.map(async ({ id, path, label, score, percentile }) => ({
            ...{ path, label, score, percentile, image: await pictureOf(`${corpus}:${id}`) },
          })),
        ),
      }));
      const svg = neighborGridSvg({
        ...{
          model: model.name,
          index: corpus,
          images: found.searched,
          heads: words.replace(/^head /, ""),
          headCount,
        },
        ...{ scoring: found.scoring, distribution: found.distribution },
        query:
          query.kind === "text"
            ? query
            : {
                kind: "image",
                image: (await pictureOf(query.image.image)) ?? { png: new Uint8Array(), width: 1, height: 1 },
                path: query.image.path ?? "your picture",
              },
        rows: await Promise.all(rows),
        ...(model.notice !== null && { notice: model.notice }),
      });
      return stamped(svg, origin);
    },
    csv: () =>
      csvOf(
        origin,
        ["list", "rank", "id", "path", "label", "score", "percentile"],
        kinds.flatMap(([title, items]) =>
          items.map(({ id, path, label, score, percentile }, i) => [
            title,
            i + 1,
            id,
            path,
            label ?? "",
            score,
            percentile,
          ]),
        ),
      ),
    json: () => ({ provenance: origin, neighbors: found }),
  };
}

/** A thumbnail's bytes with its size; null where the file is gone. */
async function pictureOf(image: string): Promise<Picture | null> {
  const response = await fetch(pictureUrl(image, 160));
  if (!response.ok) return null;
  const bytes = new Uint8Array(await response.arrayBuffer());
  const { width, height } = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  return { png: bytes, width, height };
}
