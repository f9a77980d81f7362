import { describe, expect, it } from "vitest";
import { cellsOf } from "../kit/cells.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { BARE, head, RESULT } from "./labels.fixture.ts";
import { labelsHtml } from "./page.ts";
import { labelsTerminal } from "./terminal.ts";

describe("a list of labels", () => {
  it("says for every head its label, how many descriptions fit, and which", () => {
    const text = labelsTerminal(RESULT, { columns: 100 });
    expect(text).toMatch(/^L3\.H0 +colour +2\/3 {2}✓ a text of some length, number 0/m);
    expect(text).toContain("✗ a text of some length, number 2");
    expect(text).toMatch(/^L10\.H12 +<b>animals<\/b> & more +– +· a text/m);
    for (const part of ["Note: a small model", "TEXTSPAN of a pool", "the commonest tag", "comparing tags"])
      expect(text).toContain(part);
    expect(text).toContain("No label: L3.H2");
    expect(text).toContain("- “Color” (L3.H0) and");
  });

  it.each([30, 60, 80, 200])("fits in %d columns", (columns) => {
    for (const line of labelsTerminal(RESULT, { columns }).split("\n"))
      expect(cellsOf(line)).toBeLessThanOrEqual(columns);
  });

  it("shows labels alone where there is nothing else", () => {
    const text = labelsTerminal(BARE, { columns: 80 });
    expect(text).toMatch(/^head +label\nL3\.H0 +Location$/m);
    expect(text).not.toContain("fit");
    expect(labelsHtml(BARE)).not.toContain("Per cent");
  });

  it("is a page that is well formed, runs and fetches nothing, and shows texts as texts", () => {
    const html = labelsHtml(RESULT);
    expectBalanced(html.slice(html.indexOf("<main>"), html.indexOf("</main>") + 7));
    expect(html).toContain("&lt;b&gt;animals&lt;/b&gt; &amp; more");
    expect(html).toContain('<td class="n">2/3</td>');
    expect(html).toContain("✓ <bdi>a text of some length, number 1</bdi>");
    expect(html).toContain("12.5 %, colour");
    expect(html).not.toMatch(/<script|(src|href)=/);
    expect(html).not.toContain("labelled by</th>");
    expect(labelsHtml({ ...RESULT, heads: [...RESULT.heads, head("L3.H3", "x", [true], "b")] })).toContain(
      "labelled by</th>",
    );
  });
});
