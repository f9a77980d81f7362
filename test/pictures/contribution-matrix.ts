import type { Explanation } from "../../src/results/explain.ts";
import { headOf } from "../../src/results/shapes.ts";
import { contributionPanel } from "../../src/views/explanation/matrix.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { quoted, svgDocument } from "../../src/views/kit/svg.ts";
import { formatCosine } from "../../src/views/kit/text.ts";
import { matrix, pooledMatrix } from "./matrices.ts";
import type { Gallery } from "./picture.ts";

/** Values that can be checked by eye: rows from the first layer on, largest head +0.03, its opposite −0.03. */
const plain = {
  text: "a red car",
  similarity: 0.05,
  heads: [
    { ...headOf(0, 0), value: 0.03 },
    { ...headOf(0, 1), value: 0 },
    { ...headOf(1, 0), value: -0.03 },
    { ...headOf(1, 1), value: 0.01 },
  ],
  mlps: [
    { component: "embed", value: 0.01 },
    { component: "L0.MLP", value: -0.02 },
    { component: "L1.MLP", value: 0.05 },
  ],
  sum: 0.05,
  error: 3e-8,
};

const drawn = (input: Explanation) =>
  svgDocument(
    contributionPanel(input),
    `What each component contributed to ${quoted(input.text, 600, 12)}, cosine ${formatCosine(input.similarity)}`,
  );

const four = matrix("a red ball", { layers: 4, heads: 4 }, { seed: 4, similarity: 0.3127 });
const twelve = matrix("a red ball", { layers: 12, heads: 12 }, { seed: 11, similarity: 0.2411 });
const large = matrix("a red ball", { layers: 24, heads: 16 }, { seed: 21, similarity: -0.0312 });

export const contributionMatrix: Gallery = {
  title: "one text's contributions",
  pictures: [
    {
      name: "contribution-matrix/two-by-two.svg",
      shows:
        "Two layers of two heads, few enough to check by eye: L1 on top, +0.03 red at L0.H0, −0.03 blue at L1.H0, the MLP of +0.05 beyond the scale.",
      draw: () => drawn(plain),
    },
    {
      name: "contribution-matrix/within-the-scale.svg",
      shows: "The same with MLPs that the scale holds: its ends have no ≤ and ≥.",
      draw: () =>
        drawn({
          ...plain,
          mlps: plain.mlps.map((mlp) => ({ ...mlp, value: mlp.value / 2 })),
          similarity: 0.03,
          sum: 0.03,
          error: 0,
        }),
    },
    {
      name: "contribution-matrix/four-by-four.svg",
      shows: "4 × 4 heads with their numbers; frames round the three strongest, named below.",
      draw: () => drawn(four),
    },
    {
      name: "contribution-matrix/twelve-by-twelve.svg",
      shows: "12 × 12 heads: frames with ranks 1 to 5, which the line below names.",
      draw: () => drawn(twelve),
    },
    {
      name: "contribution-matrix/twenty-four-by-sixteen.svg",
      shows: "24 × 16 heads and a negative cosine: small cells, five of them with their ranks.",
      draw: () => drawn(large),
    },
    {
      name: "contribution-matrix/pool.svg",
      shows:
        "A model that pools by attention: the MLP of its pool has a row of its own above the last layer's.",
      draw: () => drawn(pooledMatrix(four, 0.0214)),
    },
    {
      name: "contribution-matrix/tall-and-narrow.svg",
      shows: "12 layers of one head: the line of the strongest heads holds as many as fit.",
      draw: () => drawn(matrix("a ball", { layers: 12, heads: 1 }, { seed: 3, similarity: 0.21 })),
    },
    {
      name: "contribution-matrix/low-and-wide.svg",
      shows: "One layer of 12 heads.",
      draw: () => drawn(matrix("a ball", { layers: 1, heads: 12 }, { seed: 3, similarity: 0.21 })),
    },
    {
      name: "contribution-matrix/gaps.svg",
      shows: "Two heads of four and one MLP: an open frame where nothing is known.",
      draw: () =>
        drawn({
          ...plain,
          heads: plain.heads.filter(({ head, layer }) => head === layer),
          mlps: plain.mlps.slice(1, 2),
          similarity: 0.02,
          sum: 0.02,
        }),
    },
    {
      name: "contribution-matrix/broken-sum.svg",
      shows: "A sum that does not hold is said not to.",
      draw: () => drawn({ ...plain, sum: 0.06, error: 0.01 }),
    },
    {
      name: "contribution-matrix/nothing.svg",
      shows: "All contributions zero: near-white cells on a scale of ±1.",
      draw: () =>
        drawn({
          ...plain,
          heads: plain.heads.map((head) => ({ ...head, value: 0 })),
          mlps: plain.mlps.map((mlp) => ({ ...mlp, value: 0 })),
          similarity: 0,
          sum: 0,
          error: 0,
        }),
    },
    {
      name: "contribution-matrix/mlps-alone.svg",
      shows: "Heads of zero: the scale is that of the MLPs, none of which lies beyond it.",
      draw: () => {
        const heads = plain.heads.map((head) => ({ ...head, value: 0 }));
        return drawn({ ...plain, heads, similarity: 0.04, sum: 0.04 });
      },
    },
    {
      name: "contribution-matrix/long-text.svg",
      shows: "A text too long for its line is cut before the cosine.",
      draw: () =>
        drawn({
          ...plain,
          text: "a photograph of a red car that somebody parked in front of a very large house in the country",
        }),
    },
    {
      name: "contribution-matrix/right-to-left.svg",
      shows: "A Hebrew text stays left of its cosine, in its quotes.",
      draw: () => drawn({ ...plain, text: "מכונית אדומה" }),
    },
    {
      name: "contribution-matrix/twelve-by-twelve.png",
      shows: "The 12 × 12 heads as a PNG, with the fonts of the package.",
      draw: () => svgToPng(drawn(twelve), { width: 360 }),
    },
  ],
};
