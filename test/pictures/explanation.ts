import type { Explanation } from "../../src/results/explain.ts";
import { explanationHtml } from "../../src/views/explanation/page.ts";
import { sampleExplanation } from "../../src/views/explanation/sample.fixture.ts";
import { explanationSvg } from "../../src/views/explanation/svg.ts";
import { explanationTerminal } from "../../src/views/explanation/terminal.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { matrix, pooledMatrix } from "./matrices.ts";
import type { Gallery } from "./picture.ts";
import { scene } from "./stored-png.ts";

const small = scene(32, 32);
const four = { layers: 4, heads: 4 };
const about = { model: "world-tiny", image: "ball.png" };
const result = (...texts: Explanation[]) => sampleExplanation(texts, about);
const pictures = { image: small };

const ball = matrix("a red ball on the grass", four, { seed: 4, similarity: 0.3127 });
const cat = matrix("a cat", four, { seed: 5, similarity: 0.2218 });
const moon = matrix("the moon at night", four, { seed: 6, similarity: -0.0841 });
const car = matrix("a blue car", four, { seed: 7, similarity: 0.1302 });

const LONG =
  "a photograph of a red ball that somebody left on the grass in front of a pale blue sky on a sunny afternoon, taken from far away with an old camera";

const one = result(ball);
/** Given in another order than that of their similarity. */
const several = result(cat, moon, ball, car);
const noted = sampleExplanation([cat, ball], {
  ...about,
  notice:
    "This photograph is outside the generated world that the model was trained on: its scores mean little.",
});

export const explanation: Gallery = {
  title: "an explanation",
  pictures: [
    {
      name: "explanation/one-text.svg",
      shows: "One text: the image in whole squares, one bar, one wide matrix with a number in each cell.",
      draw: () => explanationSvg(one, pictures),
    },
    {
      name: "explanation/two-texts.svg",
      shows: "Two texts, the more similar one first and in bold, beside each other on one colour scale.",
      draw: () => explanationSvg(result(cat, ball), pictures),
    },
    {
      name: "explanation/four-texts.svg",
      shows:
        "Four texts by similarity, as two rows of two; the last has a negative cosine, whose bar goes left from a line at zero.",
      draw: () => explanationSvg(several, pictures),
    },
    {
      name: "explanation/all-negative.svg",
      shows: "Two texts with negative cosines: both bars end at zero, which is on the right.",
      draw: () =>
        explanationSvg(result(moon, matrix("rain", four, { seed: 8, similarity: -0.0312 })), pictures),
    },
    {
      name: "explanation/within-the-scale.svg",
      shows:
        "No MLP beyond the heads' scale: the colour bar's ends have no ≤ and ≥, and no note speaks of them.",
      draw: () =>
        explanationSvg(
          result(
            matrix("a ball", four, { seed: 4, similarity: 0.05, mlps: [0.01, 0.004, -0.002, 0.006, 0.003] }),
          ),
          pictures,
        ),
    },
    {
      name: "explanation/broken-sum.svg",
      shows: "One of two sums does not hold: the caption says that the numbers must not be used.",
      draw: () => explanationSvg(result(ball, { ...cat, sum: 0.2318, error: 0.01 }), pictures),
    },
    {
      name: "explanation/pool.svg",
      shows:
        "A model that pools by attention: a row for the MLP of its pool in both matrices, and what it is.",
      draw: () => explanationSvg(result(pooledMatrix(cat, -0.0132), pooledMatrix(ball, 0.0214)), pictures),
    },
    {
      name: "explanation/notice.svg",
      shows: "A notice under the title, and two texts.",
      draw: () => explanationSvg(noted, pictures),
    },
    {
      name: "explanation/wide-photograph.svg",
      shows:
        "A wide image of many pixels, smoothed rather than in squares; a long name and a long text are cut.",
      draw: () =>
        explanationSvg(
          sampleExplanation(
            [
              { ...ball, text: LONG },
              { ...cat, text: "כדור אדום על הדשא" },
            ],
            {
              model: "ViT-L-14-336 pretrained on two billion pairs",
              image: "a-very-long-file-name-of-a-photograph-that-somebody-took-in-the-summer-of-2019.jpeg",
            },
          ),
          { image: scene(120, 68) },
        ),
    },
    {
      name: "explanation/tall-photograph.svg",
      shows: "A tall image, and a ranking of one Japanese text.",
      draw: () => explanationSvg(result({ ...ball, text: "芝生の上の赤いボール" }), { image: scene(24, 48) }),
    },
    {
      name: "explanation/twelve-layers.svg",
      shows:
        "A model of 12 × 12 heads and two texts: small cells that bear the ranks of the strongest heads.",
      draw: () =>
        explanationSvg(
          result(
            matrix("a red ball", { layers: 12, heads: 12 }, { seed: 11, similarity: 0.2411 }),
            matrix("a cat", { layers: 12, heads: 12 }, { seed: 12, similarity: 0.1107 }),
          ),
          pictures,
        ),
    },
    {
      name: "explanation/three-texts.svg",
      shows: "Three texts beside each other, with cells so narrow that only every second head has its label.",
      draw: () =>
        explanationSvg(
          result(
            ...[21, 22, 23].map((seed) =>
              matrix(`text ${seed}`, { layers: 3, heads: 16 }, { seed, similarity: seed / 100 }),
            ),
          ),
          pictures,
        ),
    },
    {
      name: "explanation/four-texts.png",
      shows: "The four texts again, as the PNG that is written.",
      draw: () => svgToPng(explanationSvg(several, pictures), { width: 480 }),
    },
    {
      name: "explanation/page.html",
      shows: "The page: the picture, each text's largest contributions with the rest together, and the data.",
      draw: () => explanationHtml(noted, pictures),
    },
    {
      name: "explanation/80-columns.txt",
      shows: "Four texts in a terminal of 80 columns without colour.",
      draw: () => explanationTerminal(several, { columns: 80, colour: false }),
    },
    {
      name: "explanation/80-columns-pool.txt",
      shows: "The MLP of a pool in a terminal, between the other components by its size.",
      draw: () => explanationTerminal(result(pooledMatrix(ball, 0.0214)), { columns: 80, colour: false }),
    },
    {
      name: "explanation/40-columns.txt",
      shows: "A notice, long texts and a sum that does not hold, in 40 columns.",
      draw: () =>
        explanationTerminal(
          {
            ...noted,
            texts: [
              { ...ball, text: LONG },
              { ...cat, text: "芝生の上の赤いボール", sum: 0.2318, error: 0.01 },
            ],
          },
          { columns: 40, colour: false },
        ),
    },
    {
      name: "explanation/colour-and-the-rest.txt",
      shows:
        "A larger model with escape codes for colour: the 24 strongest components and the others together.",
      draw: () =>
        explanationTerminal(
          {
            ...noted,
            texts: [matrix("a red ball", { layers: 6, heads: 6 }, { seed: 9, similarity: 0.1812 })],
          },
          { columns: 80, colour: true },
        ),
    },
  ],
};
