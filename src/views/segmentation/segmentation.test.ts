import { describe, expect, test } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { segmentationHtml } from "./page.ts";
import { segmentationSvg } from "./svg.ts";
import { segmentationText } from "./terminal.ts";
import type { SegmentationInput } from "./words.ts";

const picture = { png: Uint8Array.of(1, 2, 3), width: 4, height: 2 };
const text = (words: string) => ({
  ...{ text: words, overlay: picture, limit: 0.02, similarity: 0.3 },
  ...{ patches: 0.12, cls: -0.02, sum: 0.1, score: 0.1, error: 2e-9 },
});
const input: SegmentationInput = {
  ...{ model: "tiny", imageName: "dog.png", width: 40, height: 20, heads: "last2", headCount: 8 },
  ...{ mode: "topic", grid: 2, original: picture },
  shown: { width: 400, height: 200, covered: { x: 100, y: 0, width: 200, height: 200 } },
  texts: [text("a dog")],
};
const words = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, line]) => line);
const all = (svg: string) => words(svg).join(" ");

describe("picture of a segmentation", () => {
  test("names image, heads and text, and shows the sum with the CLS token's share and the error", () => {
    const drawn = all(segmentationSvg(input));
    expect(drawn).toContain("Topics in dog.png, through last2 (8 heads) of tiny");
    expect(drawn).toContain("“a dog”");
    expect(drawn).toContain("patches +0.1200, CLS token −0.0200, together +0.1000");
    expect(drawn).toContain("the heads’ score +0.1000, error 2e-9");
    for (const end of ["−0.0200", "0", "+0.0200"]) expect(words(segmentationSvg(input))).toContain(end);
  });

  test("draws the crop, or says that the model sees everything", () => {
    const cropped = segmentationSvg(input);
    expect(cropped.match(/stroke-dasharray="5 3"/g)).toHaveLength(2);
    expect(all(cropped)).toContain("inside the dashed line");
    const whole = { ...input, shown: { ...input.shown, covered: { x: 0, y: 0, width: 400, height: 200 } } };
    expect(segmentationSvg(whole)).not.toContain("stroke-dasharray");
    expect(all(segmentationSvg(whole))).toContain("The model sees all of it");
  });

  test("marks a chosen patch and lists its heads, the weakest together", () => {
    const heads = Array.from({ length: 8 }, (_, i) => ({ name: `L0.H${i}`, value: (8 - i) / 1000 }));
    const chosen = { ...text("a dog"), patch: { row: 1, column: 0, value: 0.036, heads } };
    const svg = segmentationSvg({ ...input, texts: [chosen] });
    expect(svg).toContain('x="100" y="100" width="100" height="100"');
    expect(words(svg)).toContain("strongest heads at patch 1,0 (+0.03600)");
    expect(words(svg)).toContain("2 more, together");
    expect(words(svg)).toContain("+0.00300");
  });

  test("of a contrast sets each text against the other and keys the winners", () => {
    const two = { ...input, mode: "contrast" as const, texts: [text("a dog"), text("a cat")] };
    const winners = {
      ...{ overlay: picture, largestMargin: 0.01 },
      texts: [
        { text: "a dog", colour: "#0072b2", patches: 3 },
        { text: "a cat", colour: "#d55e00", patches: 1 },
      ],
    };
    const drawn = words(segmentationSvg({ ...two, winners }));
    for (const line of [
      "“a dog” − “a cat”",
      "“a cat” − “a dog”",
      "75 % of the patches",
      "25 % of the patches",
    ])
      expect(drawn).toContain(line);
    const three = { ...two, texts: [text("a dog"), text("a cat"), text("a cow")] };
    expect(words(segmentationSvg(three))).toContain("“a dog” − the others’ mean");
  });

  test("shows other methods with their papers", () => {
    const baselines = [
      {
        title: "attention rollout",
        paper: "Abnar & Zuidema 2020",
        text: null,
        overlay: picture,
        low: 0,
        high: 0.1,
      },
    ];
    const drawn = all(segmentationSvg({ ...input, baselines }));
    expect(drawn).toContain("attention rollout");
    expect(drawn).toContain("Abnar &amp; Zuidema 2020");
  });

  test("is well-formed whatever a text says, as a page too, which has the sums as a table", () => {
    const hostile = { ...input, notice: "<b>", imageName: '"><script>', texts: [text("</text><script>&")] };
    for (const markup of [segmentationSvg(hostile), segmentationHtml(hostile)]) {
      expectBalanced(markup.replace(/<!doctype html>|<style>[\s\S]*?<\/style>/g, ""));
      expect(markup).not.toContain("<script>");
    }
    expect(segmentationHtml(input)).toContain("+0.120000");
  });
});

describe("segmentation as lines", () => {
  const { original: _, texts: __, winners: ____, baselines: _____, ...rest } = input;
  const lines = (columns: number) => {
    const { overlay: ___, ...own } = text("a dog");
    return segmentationText({ ...rest, texts: [{ ...own, values: [0.02, 0.01, 0, -0.02] }] }, { columns });
  };

  test("draws a small map, blank where it is negative, and says where it is strongest", () => {
    expect(lines(80)).toContain("  ██▒▒\n  \n");
    expect(lines(80)).toContain("strongest patch: row 0, column 0, +0.0200");
  });

  test("keeps to the width", () => {
    for (const line of lines(40).split("\n")) expect(line.length).toBeLessThanOrEqual(46);
  });
});
