import type { LabelListInput, LabelledHead } from "./words.ts";

export const head = (name: string, label: string, ...fits: (boolean | null)[]): LabelledHead => ({
  head: name,
  label,
  labelledBy: "the commonest tag",
  descriptions: fits.map((fit, i) => ({
    text: `a text of some length, number ${i}`,
    fits: fit,
    explainedVariance: 0.25 / (i + 1),
    tag: fit === null ? null : "colour",
  })),
});
export const INPUT: LabelListInput = {
  model: "emoji-4x128-p8",
  source: "TEXTSPAN of a pool",
  labelledBy: ["the commonest tag"],
  judgedBy: ["comparing tags"],
  heads: [head("L3.H0", "colour", true, true, false), head("L10.H12", "<b>animals</b> & more", null, null)],
  unlabelled: ["L3.H2"],
  inconsistencies: ["“Color” (L3.H0) and “Colors” (L3.H1) differ in singular and plural"],
  notice: "a small model",
};
export const BARE: LabelListInput = {
  ...INPUT,
  heads: [head("L3.H0", "Location")],
  judgedBy: [],
  unlabelled: [],
};
