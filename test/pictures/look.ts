import { sampleExplanation } from "../../src/views/explanation/sample.fixture.ts";
import { lookPictures, lookSvg } from "../../src/views/look/svg.ts";
import { sampleSegmentation } from "../../src/views/segmentation/segmentation.fixture.ts";
import { canvas, mapOf } from "./heat.ts";
import { matrix, pooledMatrix } from "./matrices.ts";
import type { Gallery } from "./picture.ts";
import { drawn } from "./stored-png.ts";

const TEXTS = ["a red ball", "the sun"];
const stored = async (rgb: Uint8Array, width: number, height: number) => drawn(rgb, width, height).png;

/** The look at one of two texts. */
async function look(
  text: string,
  { pools = false, ...about }: { set: string; heads: number; notice?: string; pools?: boolean },
) {
  const pixels = canvas(60, 40, { x: 10, y: 0, width: 40, height: 40 });
  const origin = { model: "world-tiny", image: "pictures/ball.png", ...about };
  const explained = TEXTS.map((one, i) =>
    matrix(one, { layers: 4, heads: 4 }, { seed: 4 + i, similarity: 0.3127 - i / 10 }),
  );
  const looked = {
    explanation: sampleExplanation(
      pools ? explained.map((one) => pooledMatrix(one, 0.0214)) : explained,
      origin,
    ),
    segmentation: sampleSegmentation(
      [{ text, map: mapOf(4, { row: 2, column: 1 }, 0.0312), cls: pools ? null : 0.0123 }],
      {
        ...origin,
        ...{ original: { width: 480, height: 320 }, placement: { x: 80, y: 0, width: 320, height: 320 } },
      },
    ),
  };
  return lookSvg(looked, await lookPictures(looked, pixels, stored));
}

export const lookGallery: Gallery = {
  title: "a look",
  pictures: [
    {
      name: "look/all-heads.svg",
      shows: "The map of all heads on a wide picture, its sums, and the matrix of the same text.",
      draw: () => look("a red ball", { set: "all", heads: 16 }),
    },
    {
      name: "look/one-head.svg",
      shows: "One head by its name, the matrix of the second text, and a notice.",
      draw: () => look("the sun", { set: "L3.H0", heads: 1, notice: "The model knows drawn scenes only." }),
    },
    {
      name: "look/pool.svg",
      shows:
        "A model that pools by attention and has no CLS token: all patches together are the score; a row for the pool's MLP.",
      draw: () => look("a red ball", { set: "all", heads: 16, pools: true }),
    },
  ],
};
