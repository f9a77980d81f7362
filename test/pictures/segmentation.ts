import { encodePng } from "../../src/image/encode.ts";
import type { Canvas } from "../../src/views/kit/heatmap.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { segmentationHtml } from "../../src/views/segmentation/page.ts";
import { segmentationSvg } from "../../src/views/segmentation/svg.ts";
import { type SegmentationLines, segmentationText } from "../../src/views/segmentation/terminal.ts";
import type { SegmentationInput, SegmentedText } from "../../src/views/segmentation/words.ts";
import { canvas, faded, largestOf, mapOf, shareOverlay, signedOverlay, winnersOf } from "./heat.ts";
import type { Gallery } from "./picture.ts";
import type { Drawn } from "./stored-png.ts";

const GRID = 4;

/** A text's map on a grid of 4 × 4, by the patch where it is strongest. */
const MAPS = {
  "a red ball": mapOf(GRID, { row: 2, column: 1 }, 0.0312),
  "the sun": mapOf(GRID, { row: 0, column: 3 }, 0.0187),
  grass: mapOf(GRID, { row: 3, column: 2 }, 0.0244),
};
type Name = keyof typeof MAPS;

const rounded = (value: number) => Math.round(value * 1e5) / 1e5;
const sumOf = (values: readonly number[]) => rounded(values.reduce((sum, value) => sum + value, 0));

/** A picture wider than the square that the model saw, the whole of one, and one taller than it. */
const CROPPED = canvas(60, 40, { x: 10, y: 0, width: 40, height: 40 });
const WHOLE = canvas(40, 40, { x: 0, y: 0, width: 40, height: 40 });
const TALL = canvas(16, 40, { x: 0, y: 12, width: 16, height: 16 });

/** What the CLS token wrote to each text's score. */
const CLS = { "a red ball": 0.0123, "the sun": -0.0041, grass: 0.0007 };

/** In contrast, each text's map minus the mean of the others. */
function segmented(on: Canvas, name: Name, names: readonly Name[], mode: "topic" | "contrast") {
  const others = mode === "topic" ? [] : names.filter((other) => other !== name);
  const lead = (of: (text: Name) => number) =>
    rounded(of(name) - (others.length === 0 ? 0 : sumOf(others.map(of)) / others.length));
  const values = MAPS[name].map((_, i) => lead((text) => MAPS[text][i]));
  const patches = sumOf(values);
  const cls = lead((text) => CLS[text]);
  const sum = rounded(patches + cls);
  return {
    ...{ text: name as string, overlay: signedOverlay(on, GRID, values), limit: largestOf(values), values },
    ...{ similarity: rounded(1.5 * sum), patches, cls, sum, score: sum, error: 2e-9 },
  } satisfies SegmentedText & { values: number[] };
}

/** A segmentation of the picture by these texts, drawn `scale` times as large. */
function segmentation(
  on: Canvas,
  scale: number,
  mode: "topic" | "contrast",
  names: readonly Name[],
): Omit<SegmentationInput, "texts"> & { texts: readonly ReturnType<typeof segmented>[] } {
  const { x, y, width, height } = on.covered;
  const covered = { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
  const won = winnersOf(
    on,
    GRID,
    names.map((name) => MAPS[name]),
  );
  return {
    ...{ model: "world-tiny", imageName: "ball.png", width: on.width * 8, height: on.height * 8 },
    ...{ heads: "last2", headCount: 8, mode, grid: GRID, original: faded(on) },
    shown: { width: on.width * scale, height: on.height * scale, covered },
    texts: names.map((name) => segmented(on, name, names, mode)),
    ...(names.length > 1 && {
      winners: {
        ...{ overlay: won.overlay, largestMargin: won.largestMargin },
        texts: names.map((text, i) => ({ text, colour: won.colours[i], patches: won.counts[i] })),
      },
    }),
  };
}

/** A chosen patch of this value, with what eight heads wrote there. */
function patchOf(value: number) {
  const heads = [0.0151, 0.0108, -0.0075, 0.0061, 0.0052, -0.0041, 0.0031, 0.0025].map((share, i) => ({
    name: `L${3 - (i % 2)}.H${i >> 1}`,
    value: rounded((share / 0.0312) * value),
  }));
  return { row: 2, column: 1, value, heads };
}

const one = segmentation(CROPPED, 8, "topic", ["a red ball"]);
const oneWithPatch = { ...one, texts: [{ ...one.texts[0], patch: patchOf(0.0312) }] };
const topics = segmentation(WHOLE, 8, "topic", ["a red ball", "the sun", "grass"]);
const contrast = segmentation(WHOLE, 8, "contrast", ["a red ball", "the sun"]);
const contrastOfThree = segmentation(CROPPED, 8, "contrast", ["a red ball", "the sun", "grass"]);

const BASELINES = [
  {
    title: "attention rollout",
    paper: "Abnar & Zuidema 2020",
    text: null,
    values: mapOf(GRID, { row: 1, column: 1 }, 0.08),
  },
  {
    title: "raw attention",
    paper: "the last layer’s, mean of its heads",
    text: null,
    values: mapOf(GRID, { row: 0, column: 0 }, 0.5),
  },
  {
    title: "Grad-CAM",
    paper: "Selvaraju et al. 2017",
    text: "a red ball",
    values: mapOf(GRID, { row: 3, column: 3 }, 0.0021),
  },
].map(({ values, ...about }) => ({
  ...about,
  ...{ overlay: shareOverlay(WHOLE, GRID, values), low: Math.min(...values), high: Math.max(...values) },
}));

const NOTICE =
  "This photograph is outside the generated world that the model was trained on: its maps mean little.";
const LONG = "a photograph of a red ball that somebody left on the grass in front of a pale blue sky";

function linesOf({ original: _, baselines: __, winners, ...rest }: typeof one): SegmentationLines {
  return { ...rest, ...(winners && { winners: winners.texts }) };
}

const asPng = ({ rgb, width, height }: Drawn) => encodePng(rgb, width, height);

export const segmentationGallery: Gallery = {
  title: "a segmentation",
  pictures: [
    {
      name: "segmentation/one-text.svg",
      shows:
        "One text over a wide picture: red on the ball, blue far from it, gray outside the dashed square.",
      draw: () => segmentationSvg(one),
    },
    {
      name: "segmentation/chosen-patch.svg",
      shows:
        "The patch in the third row and second column framed, with its six strongest heads as bars (negative ones to the left) and the others together.",
      draw: () => segmentationSvg(oneWithPatch),
    },
    {
      name: "segmentation/few-heads.svg",
      shows: "A single head, by its name: the chosen patch in the corner has nothing to add together.",
      draw: () =>
        segmentationSvg({
          ...one,
          ...{ heads: "L3.H0", headCount: 1 },
          texts: [
            {
              ...one.texts[0],
              patch: { row: 0, column: 3, value: -0.01872, heads: [{ name: "L3.H0", value: -0.01872 }] },
            },
          ],
        }),
    },
    {
      name: "segmentation/three-topics.svg",
      shows:
        "Three texts over the whole picture, and which leads where: the ball blue, the sun orange, the grass green.",
      draw: () => segmentationSvg(topics),
    },
    {
      name: "segmentation/contrast-of-two.svg",
      shows: "Two texts against each other, the second the reverse of the first, with ends that say so.",
      draw: () => segmentationSvg(contrast),
    },
    {
      name: "segmentation/contrast-of-three.svg",
      shows: "Three texts, each against the others' mean, over a cropped picture.",
      draw: () => segmentationSvg(contrastOfThree),
    },
    {
      name: "segmentation/baselines.svg",
      shows: "Below the map what other methods make of it, pale to dark, with their papers.",
      draw: () =>
        segmentationSvg({ ...segmentation(WHOLE, 8, "topic", ["a red ball"]), baselines: BASELINES }),
    },
    {
      name: "segmentation/tall-and-noted.svg",
      shows:
        "A tall narrow picture, of which the model saw the middle; a notice, long words and a right-to-left text.",
      draw: () => {
        const input = segmentation(TALL, 10, "topic", ["a red ball", "grass"]);
        const words = [LONG, "كرة حمراء على العشب"];
        return segmentationSvg({
          ...input,
          ...{
            notice: NOTICE,
            imageName: "a-very-long-file-name-of-a-photograph-taken-in-the-summer-of-2019.jpeg",
          },
          texts: input.texts.map((text, i) => ({ ...text, text: words[i] })),
          winners: {
            ...input.winners!,
            texts: input.winners!.texts.map((won, i) => ({ ...won, text: words[i] })),
          },
        });
      },
    },
    {
      name: "segmentation/large-picture.svg",
      shows:
        "A picture drawn pixel for pixel, without squares, with a contrast of long texts through a set of one head.",
      draw: () => {
        const input = segmentation(WHOLE, 1, "contrast", ["a red ball", "the sun"]);
        const words = [LONG, "the sun high above a field of grass, a tree and a house"];
        return segmentationSvg({
          ...input,
          ...{ heads: "colour", headCount: 1 },
          texts: input.texts.map((text, i) => ({ ...text, text: words[i] })),
        });
      },
    },
    {
      name: "segmentation/page.html",
      shows:
        "The page of a contrast with a chosen patch: the picture, sums as a table, and the heads of the patch.",
      draw: () =>
        segmentationHtml({
          ...contrast,
          texts: contrast.texts.map((text) => ({ ...text, patch: patchOf(text.values[9]) })),
        }),
    },
    {
      name: "segmentation/80-columns.txt",
      shows: "Three texts as small maps of shades, and which leads where.",
      draw: () => segmentationText(linesOf(topics), { columns: 80 }),
    },
    {
      name: "segmentation/80-columns-patch.txt",
      shows: "A chosen patch with its eight heads.",
      draw: () => segmentationText(linesOf(oneWithPatch), { columns: 80 }),
    },
    {
      name: "segmentation/40-columns.txt",
      shows: "A contrast with a notice and long words, and a patch with more heads than are listed.",
      draw: () =>
        segmentationText(
          {
            ...linesOf(contrast),
            notice: NOTICE,
            texts: contrast.texts.map((text, i) => ({
              ...text,
              ...(i === 0 && { text: LONG }),
              patch: {
                ...patchOf(text.values[9]),
                heads: [
                  ...patchOf(text.values[9]).heads,
                  { name: "L2.H4", value: 0.0003 },
                  { name: "L2.H5", value: -0.0003 },
                ],
              },
            })),
          },
          { columns: 40 },
        ),
    },
    {
      name: "segmentation/9-columns.txt",
      shows: "Too narrow for the small map, which is left out.",
      draw: () => segmentationText(linesOf(one), { columns: 9 }),
    },
    {
      name: "segmentation/map.png",
      shows:
        "The pixels of a text's map: red over the ball, blue far from it, gray where the model did not look.",
      draw: () => asPng(signedOverlay(CROPPED, GRID, MAPS["a red ball"])),
    },
    {
      name: "segmentation/map-over-ink.png",
      shows: "A map over black squares on white: its colours still show where the picture is darkest.",
      draw: () => {
        const side = 32;
        const rgb = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
          const [x, y] = [Math.floor(i / 3) % side, Math.floor(i / (3 * side))];
          return x % 16 < 4 && y % 16 < 4 ? 0 : 255;
        });
        const ink = { rgb, width: side, height: side, covered: { x: 0, y: 0, width: side, height: side } };
        return asPng(signedOverlay(ink, GRID, MAPS["a red ball"]));
      },
    },
    {
      name: "segmentation/winners.png",
      shows: "The pixels of the winners: the ball blue, the sun orange, the grass green, pale between them.",
      draw: () => asPng(winnersOf(CROPPED, GRID, Object.values(MAPS)).overlay),
    },
    {
      name: "segmentation/unseen.png",
      shows:
        "The picture in its colours inside the square that the model saw, above and below it faded to gray.",
      draw: () => asPng(faded(TALL)),
    },
    {
      name: "segmentation/chosen-patch.png",
      shows: "The chosen patch again, as the PNG that is written.",
      draw: () => svgToPng(segmentationSvg(oneWithPatch), { width: 480 }),
    },
  ],
};
