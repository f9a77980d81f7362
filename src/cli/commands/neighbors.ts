import { Option } from "commander";
import { findNeighbors, imageQuery, textQuery } from "../../analysis/neighbors/neighbors.ts";
import { createSearch } from "../../corpus/search.ts";
import { thumbnailsOf } from "../../corpus/thumbnails.ts";
import { thumbnail } from "../../image/thumbnail.ts";
import { loadProperties } from "../../labels/properties.ts";
import { parseComponents } from "../../model/components.ts";
import { SCORINGS, type Scoring } from "../../results/scoring.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled } from "../../support/progress.ts";
import { neighborsHtml } from "../../views/neighbors/page.ts";
import { neighborsSvg } from "../../views/neighbors/svg.ts";
import { neighborsTerminal } from "../../views/neighbors/terminal.ts";
import { THUMBNAIL } from "../../views/neighbors/words.ts";
import type { Register } from "../command.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { wholeNumber } from "../strings.ts";
import { rootOption } from "../thumbnails.ts";

interface NeighborsOptions {
  readonly index: string;
  readonly root?: string;
  readonly heads: string;
  readonly image?: string;
  readonly text?: string;
  readonly k: number;
  readonly scoring?: Scoring;
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
    .requiredOption("--index <index>", "an index, which brings its model")
    .requiredOption(
      "--heads <set>",
      "one head (L3.H1), several (L2-L3, last4, all), a property's name; `all,mlps` for everything",
    )
    .option("--image <file>", "look for images like this one")
    .option("--text <text>", "look for images that fit a text")
    .option("-k <n>", "how many", wholeNumber(1, 1000), 8)
    .addOption(
      new Option(
        "--scoring <kind>",
        "cosine from the mean of all images, head by head; dot product as in the paper; cosine; z: deviations above the mean (default: centred for an image, dot for a text)",
      ).choices(SCORINGS),
    )
    .option("--labels <file>", "where properties are defined: labels, or {property: [heads]}")
    .option("--include-self", "show the query image too when the index holds it", false)
    .option("--seed <n>", "chooses the random images", wholeNumber(0), 0)
    .addOption(rootOption())
    .addOption(pictureOption())
    .action(
      run(async (context, options: NeighborsOptions) => {
        const { report, signal, streams, say, result } = context;
        const { image, text } = options;
        if ((image === undefined) === (text === undefined)) {
          throw new ClipInterpretError("USAGE", "give either --image or --text");
        }
        checkPictures(options.out, image);
        const { index, model } = await context.openShards(options.index, options.root);
        const properties = await loadProperties(model, options.labels);
        const heads = {
          name: options.heads,
          set: parseComponents(options.heads, model.geometry, properties),
        };
        const query =
          image === undefined
            ? await textQuery(model, text ?? "", { report, signal })
            : await imageQuery(model, index, image);
        const search = createSearch(index, model.geometry, model.matmul);
        const found = await findNeighbors(model, search, query, heads, options);
        checkCancelled(signal);
        if (options.out.length > 0) {
          const shown = [...found.neighbors, ...found.least, ...found.random];
          const pictures = {
            query: image === undefined ? null : await thumbnail(image, THUMBNAIL),
            pictureOf: await thumbnailsOf(index, shown, THUMBNAIL, report),
          };
          await writePictures(options.out, {
            svg: () => neighborsSvg(found, pictures),
            html: () => neighborsHtml(found, pictures),
          });
        }
        result(found, () => neighborsTerminal(found, { columns: streams.stdout.columns ?? 80 }));
        for (const path of options.out) say(`drawn: ${path}`);
      }),
    );
};
