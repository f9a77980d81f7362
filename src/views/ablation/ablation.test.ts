import { describe, expect, it } from "vitest";
import { headOf } from "../../results/shapes.ts";
import type { ZeroShotResult } from "../../results/zero-shot.ts";
import { cue, gapOf } from "../debias/debias.fixture.ts";
import { debiasHtml } from "../debias/page.ts";
import { debiasSvg } from "../debias/svg.ts";
import { debiasTerminal } from "../debias/terminal.ts";
import { debiasCaption, debiasHeadline, ringWords } from "../debias/words.ts";
import { cellsOf } from "../kit/cells.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { ablation, forward, named } from "./ablation.fixture.ts";
import { ablationHtml } from "./page.ts";
import { ablationSvg } from "./svg.ts";
import { ablationTerminal } from "./terminal.ts";
import { ablationKey } from "./words.ts";

describe("pictures of ablation", () => {
  it.each([
    ["accuracies as SVG", () => ablationSvg(ablation)],
    ["accuracies as a page", () => ablationHtml(ablation).replace("<!doctype html>", "")],
    ["a removed cue as SVG", () => debiasSvg(cue)],
    ["a removed cue as a page", () => debiasHtml(cue).replace("<!doctype html>", "")],
  ])("%s are well formed, inert whatever names hold, and finite", (_, draw) => {
    const markup = draw();
    expectBalanced(markup);
    expect(markup).not.toMatch(/<script|\u202e|NaN|Infinity|undefined/);
    expect(markup).not.toMatch(/<link|@import|url\(|(?:src|href)="(?!data:)/);
  });

  it("say in a sentence what came of it, also where nothing helps", () => {
    expect(debiasHeadline(cue)).toBe(
      "With the direct effect of L0.H0 replaced by its mean, worst-group accuracy goes from 30.0\u00a0% to 70.0\u00a0% and average accuracy from 80.0\u00a0% to 90.0\u00a0%.",
    );
    const [selection] = cue.selections;
    expect(debiasHeadline({ ...cue, selections: [{ ...selection, chosen: [] }] })).toContain(
      "none were ablated",
    );
  });

  it("hold with nothing but one row, and with many heads", () => {
    const bare: ZeroShotResult = { ...ablation, rows: [ablation.rows[0]], forward: null };
    expectBalanced(ablationSvg(bare));
    expect(ablationTerminal(bare, { columns: 40 })).toContain("50.0 [40.0, 60.0]");
    const values = Array.from({ length: 384 }, (_, i) => i / 384);
    const svg = debiasSvg({ ...cue, gap: gapOf(values, 0, 0, 16) });
    expectBalanced(svg);
    expect(svg).toContain("40 largest of 384 heads");
    expect(svg).not.toContain("NaN");
  });

  it("print the same numbers for a terminal, on lines that hold no commands", () => {
    const text = `${ablationTerminal(ablation, { columns: 80 })}\n${debiasTerminal(cue, { columns: 80 })}`;
    expect(text).toContain("3 of 20");
    expect(text).toContain("17 of 20");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
  });

  it("say of what takes a head's place, of rings and of random heads only what is so", () => {
    expect(debiasCaption(cue)).not.toContain("means are");
    const [chosen] = cue.selections;
    const given = { ...chosen, selection: "given" as const, chosen: [headOf(0, 1)] };
    const byName = { ...cue, selections: [given] };
    expect(debiasCaption(byName)).toContain("means are those of 20 validation images");
    expect(debiasCaption({ ...byName, replacement: "zero" })).not.toContain("means are");
    expect(ringWords(byName)).toBe("Rings: all the heads that were named.");
    expect(ringWords({ ...cue, selections: [given, chosen] })).toMatch(
      /validation images; of the heads that/,
    );
    const without = { ...ablation, rows: ablation.rows.map((row) => ({ ...row, random: null })) };
    expect(ablationKey(ablation)).toContain("Gray");
    expect(ablationKey({ ...without, forward: null })).not.toContain("Gray");
    expect(ablationTerminal(ablation, { columns: 80 })).not.toMatch(/Gray|Whiskers/);
  });

  it.each([40, 60, 80, 120])("fit into a terminal of %i columns, numbers whole", (columns) => {
    const group = named("a group with a name that is longer than any terminal is wide ".repeat(3), 0.3);
    const rows = ablation.rows.map((row) => ({ ...row, worst: group }));
    const grouped = { ...ablation, whole: { ...ablation.whole, worst: group }, rows };
    const inside = { ...forward, whole: { ...forward.whole, worst: group } };
    const groups = cue.groups.map((change) => ({ ...change, name: group.name }));
    for (const text of [
      ablationTerminal(grouped, { columns }),
      debiasTerminal({ ...cue, groups, forward: [inside] }, { columns }),
    ]) {
      for (const line of text.split("\n")) expect(cellsOf(line)).toBeLessThanOrEqual(columns);
      expect(text.match(/\[\d+\.\d, \d+\.\d\]/g)?.length).toBeGreaterThan(4);
      expect(text).not.toMatch(/\[\d[^\]]*…/);
    }
  });
});
