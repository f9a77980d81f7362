import type { Command } from "commander";
import { explainPixels } from "../../analysis/explain/explain.ts";
import { encodePng } from "../../image/encode.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { pixelsOf } from "../../model/pixels.ts";
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
    .option("--no-exif", "ignore the EXIF orientation, as the reference implementation does")
    .option("--max-pixels <n>", "refuse images with more pixels", wholeNumber(1))
    .action(
      run(async (context, image: string | undefined, options: Options, _command: Command) => {
        const { report, signal, streams, say, result, called } = context;
        checkPictures(options.out, image);
        const example = image === undefined ? EXAMPLE_SCENE : undefined;
        const source = image ?? example?.path ?? "";
        const given = await textsOf(options, { report, signal });
        const texts = given.length > 0 ? given : (example?.texts ?? []);
        const model = await context.model();
        const { exif, maxPixels } = options;
        if (options.words) {
          const [text, ...others] = example && given.length === 0 ? texts.slice(0, 1) : texts;
          if (text === undefined || others.length > 0)
            throw new ClipInterpretError("USAGE", "--words reads the words of one text: give --text once");
          const asked = { ...options, source, text, label: example?.caption ?? null };
          return explainWordsCommand(context, model, asked);
        }
        const decoding = { exif, report, ...(maxPixels && { maxPixels }) };
        const seen = await pixelsOf(model, source, decoding);
        const named = { name: source, label: example?.caption ?? null };
        const explained = await explainPixels(model, seen, texts, { image: named, report, signal });
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
