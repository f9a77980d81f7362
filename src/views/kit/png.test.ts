import sharp from "sharp";
import { expect, test } from "vitest";
import { sampleExplanation, sampleMatrix } from "../explanation/sample.fixture.ts";
import { explanationSvg } from "../explanation/svg.ts";
import { svgToPng } from "./png.ts";
import { FONT_FAMILY, type Picture } from "./svg.ts";

/** Share of pixels that differ visibly between two pictures of one size. */
async function difference(first: string, second: string, options = {}): Promise<number> {
  const [a, b] = await Promise.all([first, second].map(async (svg) => pixels(await svgToPng(svg, options))));
  expect(a.length).toBe(b.length);
  let differing = 0;
  for (let index = 0; index < a.length; index++) if (Math.abs(a[index] - b[index]) > 64) differing++;
  return differing / a.length;
}

const pixels = (png: Uint8Array) => sharp(png).removeAlpha().greyscale().raw().toBuffer();

async function redSquare(): Promise<Picture> {
  const red = { create: { width: 8, height: 8, channels: 3 as const, background: "#c00000" } };
  const png = new Uint8Array(await sharp(red).png().toBuffer());
  return { png, width: 8, height: 8 };
}

const draw = async (texts: string[], image?: Picture) =>
  explanationSvg(
    sampleExplanation(texts.map((text, index) => sampleMatrix(text, { layers: 4, heads: 4 }, index + 1))),
    { image: image ?? (await redSquare()) },
  );

const glyph = (text: string, weight = 400) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><text x="4" y="22" font-size="20" font-weight="${weight}" font-family="${FONT_FAMILY}">${text}</text></svg>`;

test("draws text, image and cells without any font of the machine", async () => {
  const svg = await draw(["a red square", "a cat"]);
  const without = (elements: RegExp) => difference(svg, svg.replace(elements, ""), { width: 800 });
  expect(await without(/<text.*?<\/text>/g)).toBeGreaterThan(0.01);
  expect(await without(/<image[^>]*>/)).toBeGreaterThan(0.02);
  expect(await without(/<g class="cell">.*?<\/g>/g)).toBeGreaterThan(0.01);
});

test("has every sign that the views use, and letters of many scripts", async () => {
  for (const sign of "aZé0…“”’Σ−+×≤≥←→жשمΩ☀😀") {
    expect(await difference(glyph(sign), glyph("\u{e000}")), sign).toBeGreaterThan(0.001);
    expect(await difference(glyph(sign), glyph("")), sign).toBeGreaterThan(0.001);
  }
});

test("bold is bold", async () => {
  expect(await difference(glyph("H", 600), glyph("H", 400))).toBeGreaterThan(0.001);
});

test("is twice the size of the SVG, or as wide as asked, and opaque", async () => {
  const svg = await draw(["a"]);
  const width = Number(/width="(\d+)"/.exec(svg)![1]);
  expect((await sharp(await svgToPng(svg)).metadata()).width).toBe(2 * width);
  const asked = sharp(await svgToPng(svg, { width: 300 }));
  expect((await asked.metadata()).width).toBe(300);
  expect((await asked.stats()).isOpaque).toBe(true);
});

test("an enlarged image keeps its hard edges", async () => {
  const bytes = Buffer.from([0, 255, 255, 0]);
  const checker = await sharp(bytes, { raw: { width: 2, height: 2, channels: 1 } })
    .png()
    .toBuffer();
  const svg = await draw(["a"], { png: new Uint8Array(checker), width: 2, height: 2 });
  const [, x, y] = /translate\((\d+) (\d+)\)"><g transform="translate\(0 0\)"><image/.exec(svg)!;
  const region = { left: 2 * (24 + Number(x)) + 4, top: 2 * (24 + Number(y)) + 4, width: 440, height: 440 };
  const raw = await sharp(await svgToPng(svg))
    .extract(region)
    .greyscale()
    .raw()
    .toBuffer();
  expect([...raw].filter((level) => level > 8 && level < 247).length / raw.length).toBeLessThan(0.01);
});

test("draws hostile texts", async () => {
  const svg = await draw(["<script>", "\u0000\u202e", "👩‍👩‍👧", "שלום", "Z\u0301".repeat(999)]);
  expect((await svgToPng(svg)).length).toBeGreaterThan(1000);
});
