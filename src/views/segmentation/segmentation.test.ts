import { describe, expect, test } from "vitest";
import { headOf } from "../../results/shapes.ts";
import { signedScale } from "../kit/colour.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { segmentationHtml } from "./page.ts";
import { segmentationPaints, segmentationPictures } from "./pictures.ts";
import { sampleSegmentation } from "./segmentation.fixture.ts";
import { segmentationSvg } from "./svg.ts";
import { segmentationTerminal } from "./terminal.ts";
import { limitsOf } from "./words.ts";

const picture = { png: Uint8Array.of(1, 2, 3), width: 4, height: 2 };
const PICTURES = {
  ...{ original: picture, winners: picture },
  ...{ texts: Array(16).fill(picture), baselines: [picture] },
};
const dog = { text: "a dog", map: [0.02, 0.01, 0, -0.02], cls: -0.02 };
const cat = { text: "a cat", map: [0.001, 0.004, 0.008, -0.03], cls: 0.01 };
const cow = { text: "a cow", map: [0, 0.005, 0.004, 0.002], cls: 0 };
const one = sampleSegmentation([dog]);
const words = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, line]) => line);
const draw = (result: typeof one) => segmentationSvg(result, PICTURES);
const all = (result: typeof one) => words(draw(result)).join(" ");

describe("picture of a segmentation", () => {
  test("names image, heads and text, and shows the sum with the CLS token's share and the error", () => {
    const drawn = all(one);
    expect(drawn).toContain("Topics in dog.png, through last2 (8 heads) of tiny");
    expect(drawn).toContain("“a dog”");
    expect(drawn).toContain("patches +0.0100, CLS token −0.0200, together −0.0100");
    expect(drawn).toContain("the heads’ score −0.0100, error 2e-9");
    for (const end of ["−0.0200", "0", "+0.0200"]) expect(words(draw(one))).toContain(end);
  });

  test("draws the crop, or says that the model sees everything", () => {
    expect(draw(one).match(/stroke-dasharray="5 3"/g)).toHaveLength(2);
    expect(all(one)).toContain("inside the dashed line");
    const whole = sampleSegmentation([dog], { placement: { x: 0, y: 0, width: 40, height: 20 } });
    expect(draw(whole)).not.toContain("stroke-dasharray");
    expect(all(whole)).toContain("The model sees all of it");
  });

  test("marks a chosen patch and lists its heads, the weakest together", () => {
    const heads = Array.from({ length: 8 }, (_, i) => ({ ...headOf(0, i), value: (8 - i) / 1000 }));
    const svg = draw(
      sampleSegmentation([dog], { token: () => ({ row: 1, column: 0, value: 0.036, heads }) }),
    );
    expect(svg).toContain('x="160" y="160" width="160" height="160"');
    expect(words(svg)).toContain("strongest heads at patch 1,0 (+0.03600)");
    expect(words(svg)).toContain("2 more, together");
    expect(words(svg)).toContain("+0.00300");
  });

  test("of a contrast sets each text against the other and keys the winners", () => {
    const drawn = words(draw(sampleSegmentation([dog, cat], { mode: "contrast" })));
    for (const line of [
      "“a dog” − “a cat”",
      "“a cat” − “a dog”",
      "75 % of the patches",
      "25 % of the patches",
    ])
      expect(drawn).toContain(line);
    const three = sampleSegmentation([dog, cat, cow], { mode: "contrast" });
    expect(words(draw(three))).toContain("“a dog” − the others’ mean");
  });

  test("shows other methods with their papers", () => {
    const baselines = [
      {
        ...{ name: "rollout", title: "attention rollout", paper: "Abnar & Zuidema 2020", text: null },
        values: [
          [0, 0.1],
          [0.05, 0],
        ],
      },
    ];
    const drawn = all(sampleSegmentation([dog], { baselines }));
    expect(drawn).toContain("attention rollout");
    expect(drawn).toContain("Abnar &amp; Zuidema 2020");
    expect(drawn).toContain("dark +0.100");
  });

  test("leaves no panel alone in its row", () => {
    const four = [dog, cat, cow, { ...cow, text: "a hen" }];
    const places = [
      ...draw(sampleSegmentation(four, { original: { width: 20, height: 20 } })).matchAll(
        /<g transform="translate\(([\d.]+) ([\d.]+)\)"><g transform="translate\(0 0\)"><text [^>]*font-size="14"/g,
      ),
    ].map(([, , top]) => Number(top));
    const rows = [...new Set(places)].map((top) => places.filter((other) => other === top).length);
    expect(rows).toEqual([3, 3]);
  });

  test("is well-formed whatever a text says, as a page too, which has the sums as a table and all data", () => {
    const hostile = sampleSegmentation([{ ...dog, text: "</text><script>&" }], {
      ...{ notice: "<b>", image: '"><script>', set: "<i>" },
    });
    for (const markup of [draw(hostile), segmentationHtml(hostile, PICTURES)]) {
      expectBalanced(markup.replace(/<!doctype html>|<style>[\s\S]*?<\/style>/g, ""));
      expect(markup).not.toContain("<script>");
    }
    expect(segmentationHtml(one, PICTURES)).toContain("+0.010000");
    expect(segmentationHtml(one, PICTURES)).toContain('"similarity": -0.015');
  });
});

describe("the scale of several maps", () => {
  const common = sampleSegmentation([dog, cat]);
  const own = { ...common, scale: "own" as const };

  test("is one for all, so that a colour means the same number; or each map's own, to full colour", () => {
    expect(limitsOf(common)).toEqual([0.03, 0.03]);
    expect(limitsOf(own)).toEqual([0.02, 0.03]);
    const corner = (result: typeof one) => segmentationPaints(result).texts[0](0, 0).map(Math.round);
    const rgb = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
    for (const [i, wanted] of rgb(signedScale(0.03).colour(0.02)).entries())
      expect(Math.abs(corner(common)[i] - wanted)).toBeLessThanOrEqual(1);
    expect(corner(own)).toEqual(rgb(signedScale(1).colour(1)));
  });

  test("is said, where there is more than one map", () => {
    const views = (result: typeof one) => [
      all(result),
      segmentationHtml(result, PICTURES),
      segmentationTerminal(result, { columns: 200 }),
    ];
    for (const view of views(common)) expect(view).toContain("One scale for all maps");
    for (const view of views(own)) expect(view).toContain("Each map on its own scale");
    for (const view of views(one)) expect(view).not.toMatch(/scale for all|own scale/i);
  });
});

describe("the map of winners", () => {
  test("is painted by the texts' own maps and their lead, whatever the mode", () => {
    const texts = [dog, cat, cow];
    const topic = segmentationPaints(sampleSegmentation(texts));
    const contrast = segmentationPaints(sampleSegmentation(texts, { mode: "contrast" }));
    for (let down = 0; down <= 1; down += 0.125)
      for (let across = 0; across <= 1; across += 0.125)
        expect(contrast.winners!(down, across)).toEqual(topic.winners!(down, across));
    // The largest lead is the cow's over the dog, at the last patch: full colour there, and there alone.
    expect(contrast.winners!(1, 1).map(Math.round)).toEqual([0x00, 0x9e, 0x73]);
  });

  test("draws sixteen texts each in its own way", async () => {
    const texts = Array.from({ length: 16 }, (_, i) => ({
      text: `text ${i}`,
      map: Array.from({ length: 16 }, (__, at) => (at === i ? 0.02 : 0)),
    }));
    const result = sampleSegmentation(texts, {
      ...{ original: { width: 64, height: 64 }, placement: { x: 0, y: 0, width: 64, height: 64 } },
    });
    const seen: Uint8Array[] = [];
    const keep = async (rgb: Uint8Array) => {
      seen.push(rgb);
      return rgb;
    };
    const pixels = { rgb: new Uint8Array(64 * 64 * 3).fill(128), width: 64, height: 64 };
    await segmentationPictures(result, pixels, keep, { squares: true });
    const winners = seen.at(-1)!;
    const patches = Array.from({ length: 16 }, (_, i) => {
      const [top, left] = [Math.floor(i / 4) * 16, (i % 4) * 16];
      return Array.from({ length: 256 }, (__, at) => {
        const from = ((top + (at >> 4)) * 64 + left + (at & 15)) * 3;
        return winners.subarray(from, from + 3).join();
      }).join(" ");
    });
    expect(new Set(patches).size).toBe(16);
  });
});

describe("segmentation as lines", () => {
  const lines = (columns: number) => segmentationTerminal(one, { columns });

  test("draws a small map, blank where it is negative, and says where it is strongest", () => {
    expect(lines(80)).toContain("  ██▒▒\n\n");
    expect(lines(80)).toContain("strongest patch: row 0, column 0, +0.0200");
  });

  test("keeps to the width, without spaces at the end", () => {
    const contrast = sampleSegmentation([dog, cat], { mode: "contrast", notice: "It means little." });
    for (const columns of [24, 40, 80]) {
      for (const line of segmentationTerminal(contrast, { columns }).split("\n")) {
        expect(line.length).toBeLessThanOrEqual(columns);
        expect(line).toBe(line.trimEnd());
      }
    }
  });
});
