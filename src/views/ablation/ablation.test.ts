import { describe, expect, it } from "vitest";
import { debiasHtml, debiasSvg } from "../debias/svg.ts";
import { debiasText } from "../debias/terminal.ts";
import { debiasHeadline } from "../debias/words.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { ablation, cue } from "./ablation.fixture.ts";
import { type AblationPicture, ablationPageHtml, ablationSvg } from "./svg.ts";
import { ablationText } from "./terminal.ts";

describe("pictures of ablation", () => {
  it.each([
    ["accuracies as SVG", () => ablationSvg(ablation)],
    ["accuracies as a page", () => ablationPageHtml(ablation).replace("<!doctype html>", "")],
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
      "With the direct effect of L0.H0 replaced by its mean, worst-group accuracy goes from 30.0 % to 70.0 % and average accuracy from 80.0 % to 90.0 %.",
    );
    const [selection] = cue.selections;
    expect(debiasHeadline({ ...cue, selections: [{ ...selection, chosen: [] }] })).toContain(
      "none were ablated",
    );
  });

  it("hold with nothing but one row, and with many heads", () => {
    const bare: AblationPicture = { ...ablation, rows: [ablation.rows[0]], forward: null };
    expectBalanced(ablationSvg(bare));
    expect(ablationText(bare, { columns: 40 })).toContain("50.0 [40.0, 60.0]");
    const heads = Array.from({ length: 384 }, (_, i) => i / 384);
    const many = {
      ...cue,
      gap: { ...cue.gap, heads },
      headNames: heads.map((_, i) => `L${i >> 4}.H${i & 15}`),
    };
    const svg = debiasSvg(many);
    expectBalanced(svg);
    expect(svg).toContain("40 largest of 384 heads");
    expect(svg).not.toContain("NaN");
  });

  it("print the same numbers for a terminal, on lines that hold no commands", () => {
    const text = `${ablationText(ablation, { columns: 80 })}\n${debiasText(cue, { columns: 80 })}`;
    expect(text).toContain("3 of 20");
    expect(text).toContain("17 of 20");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
  });
});
