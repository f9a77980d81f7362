import { basename, join } from "node:path";
import { Option } from "commander";
import {
  findNeighbors,
  type Neighbor,
  type Neighbors,
  type Query,
  SCORINGS,
  type Scoring,
} from "../../analysis/neighbors/neighbors.ts";
import { type Index, openIndex, requireModelOf } from "../../corpus/open-index.ts";
import { createSearch } from "../../corpus/search.ts";
import { normalize, preprocess } from "../../image/preprocess.ts";
import { thumbnail } from "../../image/thumbnail.ts";
import { loadProperties } from "../../labels/properties.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { type ComponentSet, componentNames, parseComponents } from "../../model/components.ts";
import { neighborsResultSchema } from "../../results/neighbors.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { neighborGridHtml } from "../../views/neighbors/page.ts";
import { neighborGridSvg } from "../../views/neighbors/svg.ts";
import { neighborGridText } from "../../views/neighbors/terminal.ts";
import type { NeighborGridInput, NeighborItem } from "../../views/neighbors/words.ts";
import type { Register } from "../command.ts";
import { modelNotice } from "../notices.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { wholeNumber } from "../strings.ts";

interface NeighborsOptions {
  readonly index: string;
  readonly heads: string;
  readonly image?: string;
  readonly text?: string;
  readonly k: number;
  readonly score: Scoring;
  readonly labels?: string;
  readonly includeSelf: boolean;
  readonly seed: number;
  readonly out: readonly string[];
}

/** `neighbors --index INDEX --heads SET (--image I | --text T)`: the three retrieval analyses. */
export const registerNeighbors: Register = (program, run) => {
  program
    .command("neighbors")
    .description("find the images that some heads hold most and least like an image or a text")
    .requiredOption("--index <index>", "an index that `index` made with this model")
    .requiredOption(
      "--heads <set>",
      "one head (L3.H1), several (L2-L3, last4, all), a property's name; `all,mlps` for everything",
    )
    .option("--image <file>", "look for images like this one")
    .option("--text <text>", "look for images that fit a text")
    .option("-k <n>", "how many", wholeNumber(1, 1000), 8)
    .addOption(
      new Option("--score <kind>", "dot product as in the paper, cosine, or z: deviations above the mean")
        .choices(SCORINGS)
        .default("dot"),
    )
    .option("--labels <file>", "where properties are defined: labels, or {property: [heads]}")
    .option("--include-self", "show the query image too when the index holds it", false)
    .option("--seed <n>", "chooses the random images", wholeNumber(0), 0)
    .addOption(pictureOption())
    .action(
      run(async (context, options: NeighborsOptions) => {
        const { globals, models, report, signal, streams, say, result } = context;
        const { image, text } = options;
        if ((image === undefined) === (text === undefined)) {
          throw new ClipInterpretError("USAGE", "give either --image or --text");
        }
        checkPictures(options.out, image);
        const index = await openIndex(options.index, { report });
        const model = await models.load(globals.model);
        await requireModelOf(index, model);
        const set = parseComponents(
          options.heads,
          model.geometry,
          await loadProperties(model, options.labels),
        );
        const query =
          image === undefined
            ? await textQuery(model, text ?? "", { report, signal })
            : await imageQuery(model, index, image);
        const search = createSearch(index, model.geometry, model.matmul);
        const { k, score: scoring, includeSelf, seed } = options;
        const found = await findNeighbors(search, model.geometry, query, set, {
          k,
          scoring,
          includeSelf,
          seed,
        });
        const rows = (items: readonly Neighbor[]) =>
          items.map(({ row, score, percentile }) => {
            const { path, id, label } = index.images[row];
            return { path, id, label, score, percentile };
          });
        const json = neighborsResultSchema.parse({
          model: model.name,
          precision: model.precision,
          index: index.folder,
          query: image === undefined ? { text } : { image },
          heads: componentNames(set),
          scoring,
          searched: found.searched,
          excluded: found.excluded,
          distribution: found.distribution,
          neighbors: rows(found.nearest),
          least: rows(found.least),
          random: rows(found.random),
        });
        const picture = await gridOf(model, index, options, set, found, options.out.length > 0);
        await writePictures(options.out, {
          svg: () => neighborGridSvg(picture),
          html: () => neighborGridHtml(picture),
        });
        checkCancelled(signal);
        result(json, () => neighborGridText(picture, { columns: streams.stdout.columns ?? 80 }));
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
};

async function textQuery(model: ClipModel, text: string, work: WorkOptions): Promise<Query> {
  if (text.trim() === "") throw new ClipInterpretError("TEXTS_EMPTY", "the --text is blank");
  return { kind: "text", embedding: await model.encodeTexts([text], work) };
}

/** The query as the index's images were: with the same preprocessing. */
async function imageQuery(model: ClipModel, { manifest }: Index, image: string): Promise<Query> {
  const { exif } = manifest.preprocessing;
  const shown = await preprocess(image, model.config.preprocess, { exif });
  const pixels = new Float32Array(shown.rgb.length);
  normalize(shown.rgb, model.config.preprocess, pixels);
  return { kind: "image", decomposition: await model.decompose(pixels), sha256: shown.sha256 };
}

const SIDE = 160;

/** What is drawn; pictures are read only when there is something to draw. */
async function gridOf(
  model: ClipModel,
  index: Index,
  options: NeighborsOptions,
  set: ComponentSet,
  found: Neighbors,
  withPictures: boolean,
): Promise<NeighborGridInput> {
  const picture = async (path: string) => (withPictures ? thumbnail(path, SIDE) : null);
  const items = (rows: readonly Neighbor[]): Promise<NeighborItem[]> =>
    Promise.all(
      rows.map(async ({ row, score, percentile }) => {
        const { path, label } = index.images[row];
        return { image: await picture(join(index.manifest.root, path)), path, label, score, percentile };
      }),
    );
  const notice = modelNotice(model);
  const { image, text } = options;
  return {
    model: model.name,
    index: basename(index.folder),
    images: found.searched,
    query:
      image === undefined
        ? { kind: "text", text: text ?? "" }
        : {
            kind: "image",
            image: (await thumbnail(image, SIDE)) ?? { png: new Uint8Array(), width: 1, height: 1 },
            path: image,
          },
    heads: options.heads,
    headCount: set.heads.length + set.mlps.length,
    scoring: options.score,
    distribution: found.distribution,
    rows: [
      { title: "most similar", items: await items(found.nearest) },
      { title: "least similar", items: await items(found.least) },
      { title: "random", items: await items(found.random) },
    ],
    ...(notice !== undefined && { notice }),
  };
}
