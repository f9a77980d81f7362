import { encodePng } from "../../src/image/encode.ts";
import type { SegmentedText, SegmentResult } from "../../src/results/segment.ts";
import { headOf } from "../../src/results/shapes.ts";
import type { Canvas } from "../../src/views/kit/heatmap.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { segmentationHtml } from "../../src/views/segmentation/page.ts";
import { segmentationPictures } from "../../src/views/segmentation/pictures.ts";
import { sampleSegmentation } from "../../src/views/segmentation/segmentation.fixture.ts";
import { segmentationSvg } from "../../src/views/segmentation/svg.ts";
import { segmentationTerminal } from "../../src/views/segmentation/terminal.ts";
import { canvas, faded, mapOf, signedOverlay, winnersOf } from "./heat.ts";
import type { Gallery } from "./picture.ts";
import { type Drawn, drawn } from "./stored-png.ts";

const GRID = 4;

/** Texts with their maps on a grid of 4 × 4, by the patch where each is strongest, and the CLS token's shares. */
const BALL = { text: "a red ball", map: mapOf(GRID, { row: 2, column: 1 }, 0.0312), cls: 0.0123 };
const SUN = { text: "the sun", map: mapOf(GRID, { row: 0, column: 3 }, 0.0187), cls: -0.0041 };
const GRASS = { text: "grass", map: mapOf(GRID, { row: 3, column: 2 }, 0.0244), cls: 0.0007 };

/** A picture wider than the square that the model saw, the whole of one, and one taller than it; a long strip. */
const CROPPED = canvas(60, 40, { x: 10, y: 0, width: 40, height: 40 });
const WHOLE = canvas(40, 40, { x: 0, y: 0, width: 40, height: 40 });
const TALL = canvas(16, 80, { x: 0, y: 32, width: 16, height: 16 });
const STRIP = canvas(640, 8, { x: 316, y: 0, width: 8, height: 8 });

/** A picture with the segmentation that is drawn on it. */
interface Case {
  readonly on: Canvas;
  readonly result: SegmentResult;
}

/** A segmentation of a picture whose file is eight times as large. */
function segmentation(
  on: Canvas,
  texts: Parameters<typeof sampleSegmentation>[0],
  about: Parameters<typeof sampleSegmentation>[1] = {},
): Case {
  const { x, y, width, height } = on.covered;
  const result = sampleSegmentation(texts, {
    ...{ model: "world-tiny", image: "pictures/ball.png", ...about },
    original: { width: on.width * 8, height: on.height * 8 },
    placement: { x: 8 * x, y: 8 * y, width: 8 * width, height: 8 * height },
  });
  return { on, result };
}

const stored = async (rgb: Uint8Array, width: number, height: number) => drawn(rgb, width, height).png;
const picturesOf = ({ on, result }: Case) => segmentationPictures(result, on, stored);
const svgOf = async (one: Case) => segmentationSvg(one.result, await picturesOf(one));

const rounded = (value: number) => Math.round(value * 1e5) / 1e5;

/** The ball's patch, with what so many heads wrote there. */
const ballPatch =
  (count = 8) =>
  ({ values }: SegmentedText): SegmentedText["token"] => {
    const shares = [0.0151, 0.0108, -0.0075, 0.0061, 0.0052, -0.0041, 0.0031, 0.0025, 0.0003, -0.0003];
    const heads = shares.slice(0, count).map((share, i) => ({
      ...headOf(3 - (i % 2), i >> 1),
      value: rounded((share / 0.0312) * values[2][1]),
    }));
    return { row: 2, column: 1, value: values[2][1], heads };
  };

const one = segmentation(CROPPED, [BALL]);
const oneWithPatch = segmentation(CROPPED, [BALL], { token: ballPatch() });
const topics = segmentation(WHOLE, [BALL, SUN, GRASS]);
const contrast = segmentation(WHOLE, [BALL, SUN], { mode: "contrast" });

const BASELINES: SegmentResult["baselines"] = (
  [
    ["rollout", "attention rollout", "Abnar & Zuidema 2020", null, mapOf(GRID, { row: 1, column: 1 }, 0.08)],
    [
      ...(["attention", "raw attention", "the last layer’s, mean of its heads", null] as const),
      mapOf(GRID, { row: 0, column: 0 }, 0.5),
    ],
    [
      ...(["grad-cam", "Grad-CAM", "Selvaraju et al. 2017", "a red ball"] as const),
      mapOf(GRID, { row: 3, column: 3 }, 0.0021),
    ],
  ] as const
).map(([name, title, paper, text, map]) => ({
  ...{ name, title, paper, text },
  values: Array.from({ length: GRID }, (_, row) => map.slice(row * GRID, (row + 1) * GRID)),
}));

const NOTICE =
  "This photograph is outside the generated world that the model was trained on: its maps mean little.";
const LONG = "a photograph of a red ball that somebody left on the grass in front of a pale blue sky";
const sixteen = Array.from({ length: 16 }, (_, i) => ({
  text: `the thing in patch ${i}`,
  map: mapOf(GRID, { row: i >> 2, column: i & 3 }, 0.02 + i / 1000),
}));

const asPng = ({ rgb, width, height }: Drawn) => encodePng(rgb, width, height);

export const segmentationGallery: Gallery = {
  title: "a segmentation",
  pictures: [
    {
      name: "segmentation/one-text.svg",
      shows:
        "One text over a wide picture: red on the ball, blue far from it, gray outside the dashed square.",
      draw: () => svgOf(one),
    },
    {
      name: "segmentation/chosen-patch.svg",
      shows:
        "The patch in the third row and second column framed, with its six strongest heads as bars (negative ones to the left) and the others together.",
      draw: () => svgOf(oneWithPatch),
    },
    {
      name: "segmentation/few-heads.svg",
      shows: "A single head, by its name: the chosen patch in the corner has nothing to add together.",
      draw: () =>
        svgOf(
          segmentation(CROPPED, [BALL], {
            ...{ set: "L3.H0", heads: 1 },
            token: () => ({
              ...{ row: 0, column: 3, value: -0.01872 },
              heads: [{ ...headOf(3, 0), value: -0.01872 }],
            }),
          }),
        ),
    },
    {
      name: "segmentation/three-topics.svg",
      shows:
        "Three texts over the whole picture on one scale, in rows of three and two, and which leads where: the ball blue, the sun orange, the grass green.",
      draw: () => svgOf(topics),
    },
    {
      name: "segmentation/own-scales.svg",
      shows: "The same, each map on its own scale: all three reach full colour, and the caption says so.",
      draw: () => svgOf(segmentation(WHOLE, [BALL, SUN, GRASS], { scale: "own" })),
    },
    {
      name: "segmentation/sixteen-texts.svg",
      shows: "Sixteen texts: from the sixth on the winners' colours bear lines, as their key does.",
      draw: async () => {
        const { on, result } = segmentation(WHOLE, sixteen);
        const pictures = await picturesOf({ on, result });
        // Sixteen maps would make a large file of what is seen elsewhere.
        const blank = drawn(Uint8Array.of(255, 255, 255), 1, 1);
        return segmentationSvg(result, { ...pictures, original: blank, texts: sixteen.map(() => blank) });
      },
    },
    {
      name: "segmentation/contrast-of-two.svg",
      shows: "Two texts against each other, the second the reverse of the first, with ends that say so.",
      draw: () => svgOf(contrast),
    },
    {
      name: "segmentation/contrast-of-three.svg",
      shows:
        "Three texts, each against the others' mean, over a cropped picture; the winners as in the topics of the same.",
      draw: () => svgOf(segmentation(CROPPED, [BALL, SUN, GRASS], { mode: "contrast" })),
    },
    {
      name: "segmentation/baselines.svg",
      shows: "Below the map what other methods make of it, pale to dark, with their papers.",
      draw: () => svgOf(segmentation(WHOLE, [BALL], { baselines: BASELINES })),
    },
    {
      name: "segmentation/tall-and-noted.svg",
      shows:
        "A tall narrow picture, of which the model saw the middle; a notice, long words and a right-to-left text.",
      draw: () =>
        svgOf(
          segmentation(
            TALL,
            [
              { ...BALL, text: LONG },
              { ...GRASS, text: "كرة حمراء على العشب" },
            ],
            {
              notice: NOTICE,
              image: "a-very-long-file-name-of-a-photograph-taken-in-the-summer-of-2019.jpeg",
            },
          ),
        ),
    },
    {
      name: "segmentation/strip.svg",
      shows:
        "A strip across the whole width, each panel in a row of its own: a contrast of long texts through a set of one head.",
      draw: () => {
        const long = "the sun high above a field of grass, a tree and a house";
        const texts = [
          { ...BALL, text: LONG },
          { ...SUN, text: long },
        ];
        return svgOf(segmentation(STRIP, texts, { mode: "contrast", set: "colour", heads: 1 }));
      },
    },
    {
      name: "segmentation/page.html",
      shows:
        "The page of a contrast with a chosen patch: the picture, sums as a table, the heads of the patch, and all data.",
      draw: async () => {
        const page = segmentation(WHOLE, [BALL, SUN], { mode: "contrast", token: ballPatch() });
        return segmentationHtml(page.result, await picturesOf(page));
      },
    },
    {
      name: "segmentation/80-columns.txt",
      shows: "Three texts as small maps of shades on one scale, and which leads where.",
      draw: () => segmentationTerminal(topics.result, { columns: 80 }),
    },
    {
      name: "segmentation/80-columns-patch.txt",
      shows: "A chosen patch with its eight heads.",
      draw: () => segmentationTerminal(oneWithPatch.result, { columns: 80 }),
    },
    {
      name: "segmentation/40-columns.txt",
      shows: "A contrast with a notice and long words, and a patch with more heads than are listed.",
      draw: () => {
        const texts = [{ ...BALL, text: LONG }, SUN];
        const about = { mode: "contrast", notice: NOTICE, token: ballPatch(10) } as const;
        return segmentationTerminal(segmentation(WHOLE, texts, about).result, { columns: 40 });
      },
    },
    {
      name: "segmentation/9-columns.txt",
      shows: "Too narrow for the small map, which is left out.",
      draw: () => segmentationTerminal(one.result, { columns: 9 }),
    },
    {
      name: "segmentation/map.png",
      shows:
        "The pixels of a text's map: red over the ball, blue far from it, gray where the model did not look.",
      draw: () => asPng(signedOverlay(CROPPED, GRID, BALL.map)),
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
        return asPng(signedOverlay(ink, GRID, BALL.map));
      },
    },
    {
      name: "segmentation/winners.png",
      shows: "The pixels of the winners: the ball blue, the sun orange, the grass green, pale between them.",
      draw: () => asPng(winnersOf(CROPPED, GRID, [BALL.map, SUN.map, GRASS.map])),
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
      draw: async () => svgToPng(await svgOf(oneWithPatch), { width: 480 }),
    },
  ],
};
