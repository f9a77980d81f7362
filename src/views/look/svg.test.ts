import { expect, test } from "vitest";
import { sampleExplanation, sampleMatrix } from "../explanation/sample.fixture.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { sampleSegmentation } from "../segmentation/segmentation.fixture.ts";
import { lookPictures, lookSvg } from "./svg.ts";

const TEXT = "</text><script>&";
const pixels = { rgb: new Uint8Array(4 * 2 * 3).fill(90), width: 4, height: 2 };
const look = {
  explanation: sampleExplanation(
    ["a cat", TEXT].map((text) => sampleMatrix(text, { layers: 4, heads: 4 })),
    { image: '"><script>', notice: "<b>" },
  ),
  segmentation: sampleSegmentation([{ text: TEXT, map: [0.02, 0.01, 0, -0.02], cls: 0.005 }], {
    set: "last2",
  }),
};

test("the picture of a look has the map, its sums, and the matrix of the text that it is of", async () => {
  const pictures = await lookPictures(look, pixels, async (rgb) => rgb);
  expect(pictures.map).toMatchObject({ width: 4, height: 2 });
  const svg = lookSvg(look, pictures);
  expectBalanced(svg);
  expect(svg).not.toContain("<script>");
  expect(svg.match(/<title>L3\.H3 /g)).toHaveLength(1);
  expect(svg.match(/<image /g)).toHaveLength(1);
  expect(svg).toContain("Where last2 (8 heads) spoke for");
  expect(svg).toContain("patches +0.0100, CLS token +0.0050, together +0.0150");
});
