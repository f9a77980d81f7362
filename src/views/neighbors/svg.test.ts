import { describe, expect, test } from "vitest";
import type { NeighborsResult } from "../../results/neighbors.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import {
  empty,
  forText,
  headsNamed,
  hostile,
  image,
  item,
  picturesOf,
  result,
  withRows,
} from "./neighbors.fixture.ts";
import { neighborsSvg } from "./svg.ts";

const draw = (of: NeighborsResult, picture: typeof image | null = image) =>
  neighborsSvg(of, picturesOf(of, picture));

/** Everything drawn as text, in order. */
const words = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
/** Left edges of the ticks in the strip. */
const marks = (svg: string) => [...svg.matchAll(/class="ink mark" x="([-\d.]+)"/g)].map(([, x]) => Number(x));

describe("picture of a search", () => {
  test("shows every image with its score, percentile, label and file name, below its row's title", () => {
    const drawn = words(draw(result));
    const row = drawn.indexOf("most similar");
    expect(drawn.slice(row, row + 9)).toEqual([
      "most similar",
      "+0.0500",
      "99.9 %",
      "label of 0.05",
      "0.05.png",
      "+0.0412",
      "50.0 %",
      "label of 0.0412",
      "0.0412.png",
    ]);
    for (const score of ["−0.0500", "−0.0321", "+0.0123", "−0.0234"]) expect(drawn).toContain(score);
    expect(draw(result).match(/<image /g)).toHaveLength(7);
  });

  test("says what was asked, through which heads, and of how many images", () => {
    expect(words(draw(result))[0]).toBe("Nearest to elephant.png through L3.H1");
    const through = forText("a red background", { components: headsNamed("colours", 4) });
    expect(words(draw(through))[0]).toBe("Nearest to “a red background” through colours (4 heads)");
    expect(words(draw(result))).toContain("tiny · index scenes · 2,000 images searched");
    const origin = sampleOrigin({
      model: { name: "m".repeat(90) },
      index: { name: "w".repeat(90) },
      image: {},
    });
    const [, context] = words(draw({ ...result, origin }));
    expect(context).toMatch(/^m+… · index w+… · 2,000 images searched$/);
    expect(draw(through).match(/<image /g)).toHaveLength(6);
    expect(words(draw(through))).toContain("“a red background”");
  });

  test("a long text is shortened inside its quotes, whatever its words", () => {
    for (const text of ["many words ".repeat(90), "x".repeat(5000)]) {
      const drawn = words(draw(forText(text)));
      const lines = drawn.slice(drawn.indexOf("query") + 1, drawn.indexOf("most similar"));
      expect(lines.length).toBeLessThanOrEqual(12);
      expect(lines.join(" ")).toMatch(/^“.*…”$/);
    }
  });

  test.each([
    ["centred", "cosine of what L3.H1 wrote for the query and for each image, seen from the mean", "0.0412"],
    ["dot", "dot product of what L3.H1 wrote for the query and for each image", "+0.0412"],
    ["cosine", "cosine of what L3.H1 wrote", "0.0412"],
    ["z", "in standard deviations above the mean", "+0.04"],
  ] as const)("%s: says what the score is, and writes it so", (scoring, meaning, written) => {
    const svg = draw({ ...result, scoring });
    expect(words(svg).join(" ")).toContain(meaning);
    expect(words(svg)).toContain(written);
  });

  test("says how all scores are spread and how far the highest stands out", () => {
    const prose = words(draw(result)).join(" ");
    expect(prose).toContain(
      "2,000 images searched: mean +0.0100 ± 0.0200, from −0.0500 to +0.0500; the highest is 2.0 deviations above",
    );
    for (const part of ["least −0.0500", "most +0.0500", "line: median +0.0200"]) {
      expect(prose).toContain(part);
    }
  });

  test("the strip has a tick for every score, at its place between least and most", () => {
    const svg = draw(withRows([item(0.05), item(0)], [item(-0.05)]));
    const [most, middle, least] = marks(svg);
    expect(middle).toBeCloseTo((most + least) / 2, 0);
    expect(least).toBeLessThan(middle);
    const band = /class="track" x="([\d.]+)" y="\d+" width="([\d.]+)"/.exec(svg)!;
    const span = most + 2 - least;
    expect(Number(band[2])).toBeCloseTo(0.4 * span, 0);
    expect(Number(band[1])).toBeCloseTo(least + 0.4 * span, 0);
    const median = Number(/class="tick median" d="M([\d.]+) /.exec(svg)![1]);
    expect(median).toBeCloseTo(least + 0.7 * span, 0);
  });

  test("a score beyond the ends is drawn at the end", () => {
    const [beyond, most] = marks(draw(withRows([item(9), item(0.05)])));
    expect(beyond).toBe(most);
  });

  test("a band wider than all scores ends with them", () => {
    const svg = draw({ ...result, distribution: { ...result.distribution, deviation: 9 } });
    const [, x, width] = /class="track" x="([\d.]+)" y="\d+" width="([\d.]+)"/.exec(svg)!.map(Number);
    expect([x, x + width]).toEqual([Math.min(...marks(svg)), Math.max(...marks(svg)) + 2]);
  });

  test("a row goes on in the next line after eight images, inside the picture", () => {
    const svg = draw(withRows(Array.from({ length: 19 }, (_, index) => item(index / 1000))));
    const places = [...svg.matchAll(/<g transform="translate\((\d+) (\d+)\)"><g class="item">/g)].map(
      ([, x, y]) => [Number(x), Number(y)],
    );
    expect(places).toHaveLength(19);
    expect(new Set(places.map(String)).size).toBe(19);
    expect(new Set(places.map(([, y]) => y)).size).toBe(3);
    const [, width] = /width="(\d+)"/.exec(svg)!;
    expect(Math.max(...places.map(([x]) => x)) + 228 + 128).toBeLessThanOrEqual(Number(width) - 48);
  });

  test("an image that is gone has an empty frame that says so, and keeps its score", () => {
    const svg = draw(withRows([item(0.0417)]), null);
    expect(words(svg)).toContain("the file is gone");
    expect(words(svg)).toContain("+0.0417");
    expect(svg.match(/<image /g)).toHaveLength(1);
    expect(draw(result)).not.toContain("the file is gone");
  });

  test("without a label the file's name is in its place", () => {
    const drawn = words(draw(withRows([item(0.01, { label: null, path: "a/b/c.png" })])));
    expect(drawn.filter((text) => text === "c.png")).toHaveLength(1);
    expect(drawn).not.toContain("null");
  });

  test("a picture that is not square keeps its proportions and stays in its square", () => {
    const svg = draw(withRows([item(0)]), { ...image, width: 100, height: 50 });
    expect(svg).toContain('<image x="0" y="32" width="128" height="64"');
  });

  test("few pixels are shown as squares, many are not", () => {
    const large = { ...image, width: 256, height: 256 };
    expect(draw(withRows([item(0)]))).toContain('image-rendering="optimizeSpeed"');
    expect(draw(withRows([item(0)]), large)).not.toContain("image-rendering");
  });

  test.each([
    ["no rows", empty],
    ["a row without images", withRows([])],
  ])("%s: a picture all the same, with finite numbers", (_, none) => {
    const svg = draw(none);
    expectBalanced(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(marks(svg)).toEqual([]);
  });

  test("says so when there are no images, and when all scores are the same", () => {
    expect(words(draw(withRows([])))).toContain("no images");
    const nothing = words(draw(empty)).join(" ");
    expect(nothing).toContain("No image was searched");
    expect(nothing).not.toMatch(/among those of 0|least|most 0/);
    const same = { mean: 0.5, deviation: 0, least: 0.5, median: 0.5, most: 0.5 };
    const svg = draw({ ...withRows([item(0.5)]), distribution: same });
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(words(svg).join(" ")).toContain("all have the same score, +0.500");
    expect(marks(svg)).toHaveLength(1);
  });

  test("hostile names, labels and paths stay text", () => {
    const svg = draw(hostile);
    expectBalanced(svg);
    expect(svg).not.toMatch(/<script|<img|x{400}/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
    expect(svg).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
    expect(svg).toContain("&lt;script&gt;");
  });
});
