import { describe, expect, test } from "vitest";
import { cellsOf } from "../kit/cells.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { textspanHtml } from "./page.ts";
import { textspanSvg } from "./svg.ts";
import { textspanTerminal } from "./terminal.ts";
import { described, hostile, resultOf, sample } from "./textspan.fixture.ts";
import { percent, verdictOf } from "./words.ts";

describe("picture of heads in texts", () => {
  test.each([0, 1, 2, 16, 64])(
    "%i heads: balanced, finite, every head with its first eight texts",
    (heads) => {
      const svg = textspanSvg(sample(heads));
      expectBalanced(svg);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      for (let h = 0; h < heads; h++) {
        expect(svg).toContain(`>L3.H${h}<`);
        expect(svg).toContain(`>text 7 of L3.H${h}<`);
        // One head alone has room for all.
        expect(svg.includes(`>text 8 of L3.H${h}<`)).toBe(heads === 1);
      }
      expect(svg.includes(">no heads<")).toBe(heads === 0);
    },
  );

  test("of more heads than fit it says how many it leaves out, and the page has them", () => {
    const result = sample(80);
    expect(textspanSvg(result)).toContain(">16 more heads stand in the HTML page and the JSON.<");
    expect(textspanHtml(result)).toContain("text 19 of L3.H79");
  });

  test("bars are as long as their shares, on one scale for all heads", () => {
    const svg = textspanSvg(resultOf([described("L0.H0", 4)]));
    const widths = [...svg.matchAll(/<rect x="[\d.]+" y="\d+" width="([\d.]+)" height="11"/g)].map((match) =>
      Number(match[1]),
    );
    expect(widths).toHaveLength(4);
    for (const [k, width] of widths.entries()) expect(width).toBeCloseTo(widths[0] / (k + 1), 1);
  });

  test("without resamples there is no column for them", () => {
    expect(textspanSvg(sample(1, 5, true))).toContain(">kept<");
    expect(textspanSvg(sample(1, 5, false))).not.toContain(">kept<");
    expect(textspanHtml(sample(1, 5, false))).not.toContain("kept %");
  });

  test("a head in which nothing varies says so", () => {
    const svg = textspanSvg(sample(1, 0));
    expectBalanced(svg);
    expect(svg).toContain(">nothing varies over these images<");
    for (const heading of [">adds<", ">kept<"]) expect(svg).not.toContain(heading);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("hostile names stay text", () => {
    for (const markup of [textspanSvg(hostile), textspanHtml(hostile)]) {
      expect(markup).not.toMatch(/<script/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
      expect(markup).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
    }
    expectBalanced(textspanSvg(hostile));
    // Its metadata has the whole origin.
    expect(textspanSvg(hostile).replace(/<metadata>.*<\/metadata>/, "")).not.toMatch(/x{400}/);
  });
});

describe("words and lines", () => {
  test("shares in words, with the range, the control and the ceiling", () => {
    expect(verdictOf(described("L0.H0", 2))).toBe(
      "2 texts explain 30.0 % [61.0, 72.0]; without meaning 3 %, at most 36 %; p = 0.02",
    );
    expect([percent(0), percent(0.001), percent(0.456), percent(1)]).toEqual([
      "0 %",
      "<1 %",
      "46 %",
      "100 %",
    ]);
  });

  test("a terminal shows five texts of many heads, all of one, and no line is too long", () => {
    const many = textspanTerminal(sample(3), { columns: 60 });
    expect(many).toContain("text 4 of L3.H2");
    expect(many).not.toContain("text 5 of L3.H2");
    expect(many).toContain("… 15 more");
    expect(textspanTerminal(sample(1), { columns: 60 })).toContain("text 19 of L3.H0");
    for (const line of many.split("\n")) expect(cellsOf(line)).toBeLessThanOrEqual(60);
  });

  test("a page has every text with what it adds and what resamples keep", () => {
    const page = textspanHtml(sample(1));
    expect(page).toContain("text 19 of L3.H0");
    for (const head of ["adds %", "kept %", "together %", "control %"]) expect(page).toContain(head);
    expect(page).toContain("order overlap 0.83");
  });
});
