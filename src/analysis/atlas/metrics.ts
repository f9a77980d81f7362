import type { AtlasMetric, AtlasMetricWords } from "../../results/atlas.ts";

/** The metrics in words; `why` is filled in where no head has one. */
export const METRICS: Readonly<
  Record<AtlasMetric, Omit<AtlasMetricWords, "key" | "why"> & { readonly absent: string }>
> = {
  selectivity: {
    name: "selectivity",
    words: "share of the head’s variance that the factor it knows best explains, beyond chance (ε²)",
    unit: "share",
    absent: "nothing is known of the images: give them labels or factors",
  },
  sign: {
    name: "signed selectivity",
    words:
      "the same with a sign: above 0 the head writes towards the text of the value that it sees, below 0 away from it",
    unit: "signed-share",
    absent: "no known factor of the images has values with texts",
  },
  explained: {
    name: "explained by texts",
    words: "share of the head’s variance that its first TEXTSPAN texts explain",
    unit: "share",
    absent: "the model reads no texts",
  },
  control: {
    name: "explained without meaning",
    words: "what the same choice explains after random rotations of the joint space, on average",
    unit: "share",
    absent: "the model reads no texts",
  },
  p: {
    name: "p of the texts",
    words: "share of random rotations after which the same choice explains as much",
    unit: "p",
    absent: "the model reads no texts",
  },
  norm: {
    name: "norm",
    words: "mean length of what the head writes into an embedding of length 1",
    unit: "length",
    absent: "",
  },
  directEffect: {
    name: "direct effect",
    words:
      "share of the true class’s lead that the head brings in zero-shot classification, for the factor where that is most",
    unit: "signed-share",
    absent: "no known factor of the images has values with texts",
  },
  ablationEffect: {
    name: "effect of taking it away",
    words:
      "change of zero-shot accuracy when the head’s direct effect is replaced by its mean, for the factor where that is most",
    unit: "signed-share",
    absent: "no known factor of the images has values with texts",
  },
  ccs: {
    name: "concept consistency",
    words: "how many of the head’s five descriptions fit its label, as a judge said",
    unit: "count",
    absent: "no labels with verdicts were given",
  },
};
