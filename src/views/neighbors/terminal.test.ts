import { describe, expect, test } from "vitest";
import { empty, forText, headsNamed, hostile, item, result, withRows } from "./neighbors.fixture.ts";
import { neighborsTerminal } from "./terminal.ts";

describe("listing of a search for a terminal", () => {
  test("has rank, score, percentile, label and path of every image, rows in their order", () => {
    const lines = neighborsTerminal(result, { columns: 100 }).split("\n");
    expect(lines[0]).toBe("Nearest to elephant.png through L3.H1");
    expect(lines).toContain("  1  +0.0500   99.9 %  label of 0.05    pictures/animals/0.05.png");
    expect(lines).toContain("  2  −0.0321   50.0 %  label of -0.0321  pictures/animals/0.0321.png");
    expect(lines.filter((line) => /similar$|^random$/.test(line))).toEqual([
      "most similar",
      "least similar",
      "random",
    ]);
  });

  test("of a long path the end is kept", () => {
    const path = `${"folders/".repeat(20)}last/whale.png`;
    const text = neighborsTerminal(withRows([item(0, { path })]), { columns: 72 });
    expect(text).toMatch(/ …\/(folders\/)+last\/whale\.png\n/);
  });

  test("fits the terminal, whatever the labels and paths, and lets no control character through", () => {
    for (const columns of [72, 80, 120]) {
      const text = neighborsTerminal(hostile, { columns });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
      for (const line of text.split("\n")) {
        const wide = line.match(/[\u2e80-\uffff]/g)?.length ?? 0;
        expect(line.length + wide, line).toBeLessThanOrEqual(columns);
      }
    }
  });

  test("without images says so, with finite numbers", () => {
    expect(neighborsTerminal(withRows([]), { columns: 80 })).toContain("  no images");
    expect(neighborsTerminal(empty, { columns: 80 })).not.toMatch(/NaN|Infinity/);
  });

  test("on a narrow terminal breaks the heading instead of cutting what was asked", () => {
    const components = headsNamed("L21.H3,L21.H11,L22.H0,L22.H8", 4);
    const words = neighborsTerminal(forText("a red ball", { components }), { columns: 40 });
    expect(words.replaceAll("\n", " ")).toContain("Nearest to “a red ball” through L21.H3,L21.H11,");
    expect(words.replaceAll("\n", " ")).toContain("2,000 images searched");
    for (const line of words.split("\n")) expect(line.length).toBeLessThanOrEqual(40);
  });
});
