import { describe, expect, test } from "vitest";
import { hostile, nothing, sample, signed, small } from "./selectivity.fixture.ts";
import { selectivityTerminal } from "./terminal.ts";

describe("listing of selectivity for a terminal", () => {
  test("has each factor's strongest heads, highest first, and those not above chance last", () => {
    const lines = selectivityTerminal(small, { columns: 80 }).split("\n");
    expect(lines).toContain("colour  (8 levels, 500 images; whole embedding 99.0 %)");
    const size = lines.indexOf("size  (3 levels, 400 images; whole embedding 98.0 %)");
    expect(lines.slice(size + 1, size + 5).map((line) => line.trim().split(/\s{2,}/)[0])).toEqual([
      "L1.H0",
      "L1.H1",
      "L0.H1",
      "L0.H0",
    ]);
    expect(lines[size + 1]).toContain("31.0 %");
    expect(lines[size + 4]).toMatch(/L0\.H0 +90\.0 % +not above chance/);
  });

  test("says of a head that it writes away from what it sees", () => {
    const text = selectivityTerminal(signed, { columns: 80 });
    expect(text).toMatch(/L0\.H1 +62\.0 % .* away$/m);
    expect(text.match(/ away$/gm)).toHaveLength(1);
  });

  test("leaves out heads that ignore a factor", () => {
    const text = selectivityTerminal(small, { columns: 80 });
    expect(text.match(/^ {2}L1\.H1 /gm)).toHaveLength(1);
    expect(selectivityTerminal({ ...small, heads: [] }, { columns: 80 })).toContain("no head follows it");
  });

  test("has five heads a factor, however many there are", () => {
    const text = selectivityTerminal(sample({ layers: 24, heads: 16, factors: 6 }), { columns: 80 });
    expect(text.match(/^ {2}L\d+\.H\d+ /gm)).toHaveLength(30);
  });

  test("fits the terminal and lets no control character through", () => {
    for (const columns of [72, 80, 120]) {
      const text = selectivityTerminal(hostile, { columns });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
      for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(columns);
    }
  });

  test.each(nothing)("%s: finite numbers all the same", (_, input) => {
    expect(selectivityTerminal(input, { columns: 80 })).not.toMatch(/NaN|Infinity|undefined/);
  });
});
