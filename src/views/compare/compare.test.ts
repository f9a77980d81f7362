import { describe, expect, it } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { input } from "./compare.fixture.ts";
import { headMatchHtml } from "./page.ts";
import { headMatchSvg } from "./svg.ts";
import { headMatchText } from "./terminal.ts";

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
