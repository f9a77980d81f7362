import { csvOf } from "../../../src/views/kit/csv.ts";
import type { Picture } from "../../../src/views/kit/svg.ts";
import { escapeXml } from "../../../src/views/kit/text.ts";
import { neighborGridSvg } from "../../../src/views/neighbors/svg.ts";
import {
  type App,
  type ImageInfo,
  type ModelDetail,
  type NeighborsResult,
  pictureUrl,
} from "../state/api.ts";
import type { ExportSet } from "./save.ts";

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
export function neighborsExports(input: NeighborsInput): ExportSet {
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

/** What a file must say of itself, so that it can be made again. */
interface Provenance {
  readonly program: string;
  readonly model: string;
  /** SHA-256 of the weights. */
  readonly weights: string;
  readonly precision: string;
  /** Of what was looked at. */
  readonly [name: string]: string;
}

/** Provenance of something that a model computed. @param more such as the image's hash */
const provenance = (app: App, model: ModelDetail, more: Record<string, string>): Provenance => ({
  program: `clip-interpret ${app.version}`,
  model: model.name,
  weights: model.weights,
  precision: model.precision,
  ...more,
  address: location.pathname + location.search,
});

const LINE = 26;

/** An SVG with its provenance: a line at its foot for people, and all of it as metadata. */
function stamped(svg: string, origin: Provenance): string {
  const [head, width, height] = /^<svg[^>]* width="(\d+)" height="(\d+)"[^>]*>/.exec(svg) ?? [];
  if (head === undefined) return svg;
  const taller = Number(height) + LINE;
  const grown = head
    .replace(`height="${height}"`, `height="${taller}"`)
    .replace(/viewBox="0 0 (\d+) \d+"/, `viewBox="0 0 $1 ${taller}"`);
  const brief = [
    origin.program,
    `${origin.model} (weights ${origin.weights.slice(0, 12)}, ${origin.precision})`,
    ...(origin.image ? [`image ${origin.image.slice(0, 12)}`] : []),
    ...(origin.corpus ? [`corpus ${origin.corpus}`] : []),
  ].join(" · ");
  const paper = `<rect fill="#ffffff" width="${width}" height="${taller}"/>`;
  const foot = `<text x="24" y="${taller - 12}" font-size="11" fill="#59636e">${escapeXml(brief)}</text>`;
  const metadata = `<metadata>${escapeXml(JSON.stringify(origin))}</metadata>`;
  return svg.replace(head, grown + metadata + paper).replace(/<\/svg>\s*$/, `${foot}</svg>\n`);
}
