import { sampleOrigin } from "../../results/origin.fixture.ts";
import type {
  EvaluatedMethod,
  Measured,
  SegmentationAnswer,
  SegmentationEvaluation,
} from "../../results/segmentation-evaluation.ts";

const measured = (value: number | Measured): Measured =>
  typeof value === "number" ? { value, low: value - 0.05, high: value + 0.05 } : value;

/** The three measures of both questions, in the order of the sheet's columns. */
type Values = readonly (number | Measured)[];

/** A method that reached these values. @param kind a set of heads, another method, or one that does not look */
export function method(
  name: string,
  values: Values,
  kind: "set" | "paper" | "control" = "set",
): EvaluatedMethod {
  const measures = (of: Values) => ({
    ...{ pixelAccuracy: measured(of[0]), meanIou: measured(of[1]), meanPrecision: measured(of[2]) },
  });
  const both = { predicted: measures(values.slice(0, 3)), true: measures(values.slice(3)) };
  return {
    name,
    paper: kind === "paper" ? "a paper" : null,
    components: kind === "set" ? { set: name, heads: [], mlps: [] } : null,
    ...{ measures: both, difference: both },
  };
}

/** An evaluation of 1,200 images by some methods. */
export const sampleEvaluation = (
  methods: EvaluatedMethod[],
  answers: SegmentationAnswer[],
  about: { readonly model?: string; readonly notice?: string } = {},
): SegmentationEvaluation => ({
  origin: sampleOrigin({
    model: { ...(about.model !== undefined && { name: about.model }), notice: about.notice ?? null },
  }),
  ...{ source: "scenes", foreign: false, images: 1200, size: 64, classes: 250, occurring: 240 },
  ...{ leftOut: 0, leastShare: 0.01, asked: { predicted: 1200, true: 1300 }, predictedRight: 0.7 },
  ...{ foreground: { predicted: 0.2, true: 0.18 }, draws: 1000, seed: 0, methods, answers },
  ...{ rejected: [], unmatched: [] },
});
