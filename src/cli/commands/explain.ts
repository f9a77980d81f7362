import { type Command, Option } from "commander";
import { explainPixels } from "../../analysis/explain/explain.ts";
import { createSearch } from "../../corpus/search.ts";
import { encodePng } from "../../image/encode.ts";
import { loadProperties } from "../../labels/properties.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { parseHeads } from "../../model/components.ts";
import { pixelsOf } from "../../model/pixels.ts";
import { REPLACEMENTS, type Replacement } from "../../results/accuracy.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { explanationHtml } from "../../views/explanation/page.ts";
import { explanationSvg } from "../../views/explanation/svg.ts";
import { explanationTerminal } from "../../views/explanation/terminal.ts";
import type { Picture } from "../../views/kit/svg.ts";
import type { Register } from "../command.ts";
import { EXAMPLE_SCENE } from "../example-scene.ts";
import { checkPictures, pictureOption, writePictures } from "../pictures.ts";
import { collect, wholeNumber } from "../strings.ts";
import { textsOf, textsOption } from "../texts-option.ts";
import { explainWordsCommand } from "./explain-words.ts";

interface Options {
  readonly text: readonly string[];
  readonly texts?: string;
  readonly out: readonly string[];
  readonly all: boolean;
  readonly against?: string;
  readonly lessAverage: boolean;
  readonly ablate?: string;
  readonly labels?: string;
  readonly replacement: Replacement;
  readonly index?: string;
  readonly exif: boolean;
  readonly maxPixels?: number;
  readonly words: boolean;
  readonly heads: string;
  readonly textHeads: string;
  readonly token?: string;
  readonly pairs: number;
}

/** `explain [IMAGE] --text T …`: the score of each text and every component's exact share in it. */
export const registerExplain: Register = (program, run) => {
  program
    .command("explain")
    .description("say why an image scores as it does for each text: the exact share of every head and MLP")
    .argument(
      "[image]",
      "any JPEG, PNG, WebP, GIF, TIFF, HEIC, AVIF, BMP or PPM; without it, an example scene with texts of its own",
    )
    .option("--text <text>", "a text to explain the image by; once or more", collect, [])
    .addOption(textsOption())
    .addOption(pictureOption())
    .option("--words", "say which word of one text looks where, and what each word adds to the score", false)
    .option("--heads <set>", "with --words: the image heads that patches are read through", "all")
    .option(
      "--text-heads <set>",
      "with --words: the text heads that words are read through: T3.H1, T2-T3",
      "all",
    )
    .option("--token <row,column>", "with --words: a patch whose words are listed; counted from 0,0")
    .option(
      "--pairs <n>",
      "with --words: pairs of a text head and an image head that are listed",
      wholeNumber(0),
      10,
    )
    .option("--all", "list every component, however many the model has", false)
    .option("--against <text>", "hold every other text's score and parts against this one's")
    .option("--less-average", "take off what the average picture of --index scores", false)
    .option("--ablate <set>", "heads without whose direct effects each text is scored too")
    .option("--labels <file>", "where properties for --ablate are defined")
    .addOption(
      new Option("--replacement <kind>", "what takes the place of a direct effect; mean: over --index")
        .choices(REPLACEMENTS)
        .default("mean"),
    )
    .option("--index <index>", "an index, for --less-average and --ablate")
    .option("--no-exif", "ignore the EXIF orientation, as the reference implementation does")
    .option("--max-pixels <n>", "refuse images with more pixels", wholeNumber(1))
    .action(
      run(async (context, image: string | undefined, options: Options, _command: Command) => {
        const { report, signal, streams, say, result, called } = context;
        checkPictures(options.out, image);
        const example = image === undefined ? EXAMPLE_SCENE : undefined;
        const source = image ?? example?.path ?? "";
        const given = await textsOf(options, { report, signal });
        const shown = given.length > 0 ? given : (example?.texts ?? []);
        if (options.words) {
          const [text, ...others] = example && given.length === 0 ? shown.slice(0, 1) : shown;
          if (text === undefined || others.length > 0)
            throw new ClipInterpretError("USAGE", "--words reads the words of one text: give --text once");
          const { against, lessAverage, ablate } = options;
          if (against !== undefined || lessAverage || ablate !== undefined)
            throw new ClipInterpretError(
              "USAGE",
              "--words goes with none of --against, --less-average, --ablate",
            );
          const asked = { ...options, source, text, label: example?.caption ?? null };
          return explainWordsCommand(context, await context.model(), asked);
        }
        const { against, lessAverage, ablate, replacement } = options;
        const texts = against === undefined || shown.includes(against) ? shown : [...shown, against];
        const needsIndex = lessAverage || (ablate !== undefined && replacement === "mean");
        if (needsIndex && options.index === undefined) {
          const why = lessAverage ? "--less-average" : "--ablate";
          throw new ClipInterpretError("USAGE", `${why} needs --index, whose average picture is meant`);
        }
        const opened = options.index === undefined ? undefined : await context.openShards(options.index);
        const model = opened?.model ?? (await context.model());
        const compared = {
          ...(against !== undefined && { against }),
          ...{ lessAverage, replacement },
          ...(ablate !== undefined && {
            ablate: parseHeads(model, ablate, await loadProperties(model, options.labels)),
          }),
          ...(opened && { index: createSearch(opened.index, model.geometry, model.matmul) }),
        };
        const { exif, maxPixels } = options;
        const decoding = { exif, report, ...(maxPixels && { maxPixels }) };
        const seen = await pixelsOf(model, source, decoding);
        const named = { name: source, label: example?.caption ?? null };
        const explained = await explainPixels(model, seen, texts, {
          ...{ image: named, report, signal },
          ...compared,
        });
        const pictures = { image: await shownImage(model, seen.shown.rgb) };
        await writePictures(options.out, {
          svg: () => explanationSvg(explained, pictures),
          html: () => explanationHtml(explained, pictures),
        });
        const { columns = 80, isTTY = false } = streams.stdout;
        const colour = isTTY && !process.env.NO_COLOR;
        result(explained, () => explanationTerminal(explained, { columns, colour, all: options.all }));
        for (const path of options.out) say(`drawn: ${path}`);
        if (example) say(nextSteps(called));
      }),
    );
};

const NEXT_STEPS = [
  ['explain PICTURE --text "a dog" --text "a cat" --out why.html', "your own picture and texts"],
  ["models", "real CLIPs, and which of them are here"],
  ["pull ViT-B-32/openai", "fetch one (605 MB); then --model ViT-B-32/openai"],
  ["--help", "everything else"],
] as const;

const nextSteps = (called: string): string =>
  ["", "Where to go next:", ...NEXT_STEPS.map(([step, why]) => `  ${called} ${step.padEnd(66)}${why}`)].join(
    "\n",
  );

async function shownImage(model: ClipModel, rgb: Uint8Array): Promise<Picture> {
  const { size } = model.config.preprocess;
  return { png: await encodePng(rgb, size, size), width: size, height: size };
}
