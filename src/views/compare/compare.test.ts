import { describe, expect, it } from "vitest";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { textWidth } from "../kit/text.ts";
import { result } from "./compare.fixture.ts";
import { compareHtml } from "./page.ts";
import { compareSvg } from "./svg.ts";
import { compareTerminal } from "./terminal.ts";

const NO_PICTURES = { pictureOf: new Map<string, null>() };

describe("the picture of matched heads", () => {
  it("is well-formed, names both models, the chance level, and every cell", () => {
    const svg = compareSvg(result(2, 3), NO_PICTURES);
    expectBalanced(svg);
    for (const part of ["small &lt;model&gt;", "1,234 images", "0.010", "back&lt;ground 71 % and 42 %"])
      expect(svg).toContain(part);
    expect(svg.match(/class="cell"/g)).toHaveLength(4 * 6);
    expect(svg).toContain("L1.H0 and L1.H1: 0.004, not above chance");
    expect(svg.match(/class="outline"/g)).toHaveLength(4 + 1);
  });

  it("stays small where models are large, and shows pairs still", () => {
    const svg = compareSvg(result(24, 24, 16), NO_PICTURES);
    expectBalanced(svg);
    expect(svg.length).toBeLessThan(4e6);
    expect(svg.match(/class="outline"/g)).toHaveLength(384 + 1);
  });

  it("explains only what it draws, and leaves out names of layers that would run into each other", () => {
    const svg = compareSvg(result(40, 60, 2), NO_PICTURES);
    expect(svg).not.toContain('<circle class="muted"');
    const names = [...svg.matchAll(/<text x="([\d.]+)" y="51"[^>]*>(L\d+)</g)];
    expect(names.length).toBeGreaterThan(20);
    for (const [i, [, x]] of names.slice(1).entries())
      expect(Number(x) - Number(names[i][1])).toBeGreaterThan(textWidth(names[i][2], 11, true));
  });

  it("names both sides with their weights and images at its foot", () => {
    expect(compareSvg(result(2, 3), NO_PICTURES)).toMatch(
      /clip-interpret 1\.2\.3 · small &lt;model&gt; \(weights a{12}, fp32\) · index scenes \(c{12}\) · large \(/,
    );
  });

  it("says so when nothing matches", () => {
    const none = { ...result(2, 2), mutual: 0, bestOfA: [], pairs: [] };
    expect(compareSvg(none, NO_PICTURES)).toContain("none is above chance");
    expect(compareTerminal(none, { columns: 80 })).toContain("no pair of heads is above chance");
  });
});

describe("matched heads in words", () => {
  it("are a page with tables", () => {
    const html = compareHtml(result(2, 3), NO_PICTURES);
    expect(html).toContain("<td>0.88 [0.85, 0.90]</td>");
    expect(html).toContain('<tr><th scope="row">L2.H0</th><td>L0.H0</td><td class="n">0.004 n.s.</td></tr>');
  });

  it("fit the terminal", () => {
    for (const columns of [60, 100]) {
      for (const line of compareTerminal(result(2, 3), { columns }).split("\n"))
        expect(line.length).toBeLessThanOrEqual(columns);
    }
  });
});
