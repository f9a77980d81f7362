import type { LabelledHead, LabelResult } from "../../results/label.ts";
import { sampleOrigin } from "../../results/origin.fixture.ts";
import { headNamed } from "../../results/shapes.ts";

const NOBODY = { model: null, promptHash: null, date: null };
/** @param fits of each description; null where nobody judged */
export const head = (
  name: string,
  label: string,
  fits: readonly (boolean | null)[],
  by = "the commonest tag",
  judge = "comparing tags",
): LabelledHead => ({
  ...headNamed(name),
  label,
  descriptions: fits.map((_, i) => `a text of some length, number ${i}`),
  tags: fits.map((fit) => (fit === null ? null : "colour")),
  explainedVariance: fits.map((_, i) => 0.25 / (i + 1)),
  consistent: fits.filter((fit) => fit !== null),
  labeller: { ...NOBODY, kind: "tags", by },
  judge: fits.some((fit) => fit !== null)
    ? { kind: "tags", by: judge, promptHash: null, date: null, votes: [] }
    : null,
});
export const RESULT: LabelResult = {
  origin: sampleOrigin({ model: { name: "emoji-4x128-p8", notice: "a small model" }, index: {}, pool: {} }),
  model: "emoji-4x128-p8",
  source: "TEXTSPAN of a pool",
  heads: [
    head("L3.H0", "colour", [true, true, false]),
    head("L10.H12", "<b>animals</b> & more", [null, null]),
  ],
  unlabelled: [headNamed("L3.H2")],
  failed: [],
  agreement: null,
  exam: null,
  inconsistencies: [
    {
      kind: "plural",
      labels: [
        { label: "Color", heads: [headNamed("L3.H0")] },
        { label: "Colors", heads: [headNamed("L3.H1")] },
      ],
    },
  ],
  llm: null,
};
export const BARE: LabelResult = { ...RESULT, heads: [head("L3.H0", "Location", [])], unlabelled: [] };
