import { describe, expect, test } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { hostile, resultOf, sample, written } from "./from-weights.fixture.ts";
import { fromWeightsHtml } from "./page.ts";
import { fromWeightsSvg } from "./svg.ts";
import { fromWeightsTerminal } from "./terminal.ts";

describe("heads from weights, drawn", () => {
  test.each([0, 1, 2, 17])("%i heads: balanced, finite, each with its first directions by name", (heads) => {
    const svg = fromWeightsSvg(sample(heads));
    expectBalanced(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    for (let h = 0; h < heads; h++) {
      expect(svg).toContain(`>L3.H${h}@3<`);
      // One head alone has room for all.
      expect(svg.includes(`>L3.H${h}@5<`)).toBe(heads === 1);
    }
    expect(svg.includes(">no heads<")).toBe(heads === 0);
  });

  test("of more heads than fit it says how many it leaves out, and the page has them", () => {
    const result = sample(70, 1);
    expect(fromWeightsSvg(result)).toContain(">6 more heads stand in the HTML page and the JSON.<");
    expect(fromWeightsHtml(result)).toContain("text 0 of L3.H69");
  });

  test("both ends are shown, and an end without words says so; what chance reaches too is pale", () => {
    const svg = fromWeightsSvg(sample(1));
    expect(svg).toContain(">0.60 text 0 of L3.H0 + 0.30 a second text<");
    expect(svg).toContain(">0.60 what 1 of L3.H0 is not<");
    expect(svg).toContain(">no text points there<");
    const line = (text: string) => svg.match(new RegExp(`class="(\\w+)"[^>]*>[\\d.]+ ${text}`))?.[1];
    expect(line("text 3 of L3.H0")).toBe("ink");
    expect(line("text 4 of L3.H0")).toBe("muted");
  });

  test("with images, directions carry their variance: in words, in bars, on the page", () => {
    const result = resultOf([written("L1.H0", 4, true)], { images: 500 });
    expect(fromWeightsTerminal(result, { columns: 100 })).toMatch(/20 % {2}L1\.H0@3/);
    expect(fromWeightsHtml(result)).toContain("variance %");
    expect(fromWeightsHtml(sample(1))).not.toContain("variance %");
    expect(fromWeightsSvg(result)).toContain("500 images");
  });

  test.each([20, 60, 200])(
    "a terminal of %i columns is not exceeded by prose, and shows three of many",
    (columns) => {
      const text = fromWeightsTerminal(sample(2), { columns });
      expect(text).toContain("L3.H1@2");
      expect(text).not.toContain("L3.H1@3");
      expect(text).toContain("… 3 more");
      if (columns >= 60)
        for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
    },
  );

  test("hostile names stay text", () => {
    for (const markup of [fromWeightsSvg(hostile), fromWeightsHtml(hostile)]) {
      expect(markup).not.toMatch(/<script/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
      expect(markup).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
    }
    expectBalanced(fromWeightsSvg(hostile));
  });
});
