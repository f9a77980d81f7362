import { describe, expect, it } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { headMatchHtml } from "./page.ts";
import { headMatchSvg } from "./svg.ts";
import { headMatchText } from "./terminal.ts";
import type { HeadMatchInput } from "./words.ts";

const names = (layers: number, heads: number) =>
  Array.from({ length: layers * heads }, (_, i) => `L${Math.floor(i / heads)}.H${i % heads}`);

function input(layersA: number, layersB: number, heads = 2): HeadMatchInput {
  const [headsA, headsB] = [names(layersA, heads), names(layersB, heads)];
  return {
    ...{ a: "small <model>", b: "large", images: 1234, headsA, headsB },
    similarity: headsA.map((_, a) => headsB.map((_, b) => (a === b ? 0.876 : 0.004))),
    chance: { mean: 0.002, highest: 0.01, permutations: 20 },
    mutual: headsA.map((_, a) => ({ a, b: a })),
    pairs: [
      {
        ...{ a: "L0.H1", b: "L0.H1", similarity: 0.876, low: 0.851, high: 0.902, chance: 0.002 },
        factors: [{ name: "back<ground", a: 0.71, b: 0.42 }],
        axis: { share: 0.9, correlation: 0.93, least: [null], most: [null] },
      },
    ],
  };
}

describe("the picture of matched heads", () => {
  it("is well-formed, names both models, the chance level, and every cell", () => {
    const svg = headMatchSvg(input(2, 3));
    expectBalanced(svg);
    for (const part of ["small &lt;model&gt;", "1,234 images", "0.010", "back&lt;ground 71 % and 42 %"])
      expect(svg).toContain(part);
    expect(svg.match(/class="cell"/g)).toHaveLength(4 * 6);
    expect(svg).toContain("L1.H0 and L1.H1: 0.004, not above chance");
    expect(svg.match(/class="outline"/g)).toHaveLength(4 + 1);
  });

  it("stays small where models are large, and shows pairs still", () => {
    const svg = headMatchSvg(input(24, 24, 16));
    expectBalanced(svg);
    expect(svg.length).toBeLessThan(4e6);
    expect(svg.match(/class="outline"/g)).toHaveLength(384 + 1);
  });

  it("says so when nothing matches", () => {
    const none = { ...input(2, 2), mutual: [], pairs: [] };
    expect(headMatchSvg(none)).toContain("none is above chance");
    expect(headMatchText(none, { columns: 80 })).toContain("no pair of heads is above chance");
  });
});

describe("matched heads in words", () => {
  it("are a page with tables", () => {
    const html = headMatchHtml(input(2, 3));
    expect(html).toContain("<td>0.88 [0.85, 0.90]</td>");
    expect(html).toContain('<tr><th scope="row">L2.H0</th><td>L0.H0</td><td class="n">0.004 n.s.</td></tr>');
  });

  it("fit the terminal", () => {
    for (const columns of [60, 100]) {
      for (const line of headMatchText(input(2, 3), { columns }).split("\n"))
        expect(line.length).toBeLessThanOrEqual(columns);
    }
  });
});
