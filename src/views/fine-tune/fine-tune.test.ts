import { describe, expect, test } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { hostile, resultOf, sample, tunedHead } from "./fine-tune.fixture.ts";
import { fineTuneHtml } from "./page.ts";
import { fineTuneSvg } from "./svg.ts";
import { fineTuneTerminal } from "./terminal.ts";

describe("a fine-tune, drawn", () => {
  test.each([0, 1, 2, 60])("%i heads: balanced, finite, those that changed, most first", (count) => {
    const svg = fineTuneSvg(sample(count));
    expectBalanced(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg).not.toContain(">L1.H0<");
    const names = [...svg.matchAll(/>L1\.H(\d+)</g)].map(([, head]) => Number(head));
    expect(names).toEqual(Array.from({ length: Math.min(48, Math.max(0, count - 1)) }, (_, i) => i + 1));
    expect(svg.includes(">no head changed<")).toBe(count < 2);
    expect(svg.includes(">11 more heads changed; the HTML page has them.<")).toBe(count === 60);
    expect(fineTuneHtml(sample(count)).includes(">L1.H59<")).toBe(count === 60);
  });

  test("a bar is as long as its change, in three parts, and its ratios are those that moved", () => {
    const svg = fineTuneSvg(
      resultOf([tunedHead("L0.H0", 0.4, [0.5, 0.3, 0.2]), tunedHead("L0.H1", 0.1, [1, 0, 0])]),
    );
    const widths = [...svg.matchAll(/<rect x="[\d.]+" y="\d+" width="([\d.]+)" height="12"/g)].map(([, w]) =>
      Number(w),
    );
    expect(widths).toEqual([130, 78, 52, 65, 0, 0]);
    expect(svg).toContain(">@1 ×1.40, @3 ×0.80<");
    expect(svg).toContain(">what L0.H0 tells, against –<");
  });

  test("without texts there is no column for them", () => {
    const heads = [tunedHead("L0.H0", 0.4, [0.5, 0.3, 0.2])];
    expect(fineTuneHtml(resultOf(heads))).toContain("the change in texts");
    expect(fineTuneHtml(resultOf(heads, { words: false }))).not.toContain("the change in texts");
  });

  test.each([30, 80, 160])("a terminal of %i columns is not exceeded", (columns) => {
    const text = fineTuneTerminal(sample(25), { columns });
    for (const line of text.split("\n")) expect([...line].length).toBeLessThanOrEqual(columns);
    expect(text).toContain("4 more heads changed less");
  });

  test("hostile names stay text", () => {
    for (const markup of [fineTuneSvg(hostile), fineTuneHtml(hostile)]) {
      expect(markup).not.toMatch(/<script/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
      expect(markup).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
    }
    expectBalanced(fineTuneSvg(hostile));
  });
});
