/** What is said of an evaluation of maps, in words and cells: the same in a picture, on a page and in a terminal. */
import type {
  EvaluatedMethod,
  Measured,
  Protocol,
  SegmentationEvaluation,
  SegmentationMetric,
} from "../../results/segmentation-evaluation.ts";
import { percent } from "../kit/chart.ts";
import { counted } from "../kit/text.ts";

/** The measures that are shown, in order. */
const MEASURES: readonly (readonly [SegmentationMetric, string])[] = [
  ["pixelAccuracy", "pixel accuracy"],
  ["meanIou", "mIoU"],
  ["meanPrecision", "mAP"],
];

/** The two questions in words. */
export const QUESTIONS: readonly (readonly [Protocol, string])[] = [
  ["predicted", "predicted class"],
  ["true", "true classes"],
];

/** One measure of one question. */
export interface SheetColumn {
  readonly group: string;
  readonly title: string;
  readonly of: (method: EvaluatedMethod) => Measured;
}

/** Every measure of every question. */
export const COLUMNS: readonly SheetColumn[] = QUESTIONS.flatMap(([protocol, group]) =>
  MEASURES.map(([metric, title]) => ({
    ...{ group, title },
    of: ({ measures }: EvaluatedMethod) => measures[protocol][metric],
  })),
);

/** Whether a method does not look at the image, so that what it reaches is chance. */
export const isControl = ({ paper, components }: EvaluatedMethod): boolean =>
  paper === null && components === null;

/** A heading, without the name of the model in it; that is what may be cut. */
export const sheetTitle = (model: string, { images, source }: SegmentationEvaluation): string =>
  `How well maps of ${model} find things: ${counted(images, "image")} of ${source}`;

/** What must be known before the numbers are read; null where nothing must. */
export const sheetNotice = ({ origin, foreign }: SegmentationEvaluation): string | null =>
  origin.model.notice !== null && foreign
    ? `${origin.model.notice} These images are not of its world: read the numbers as a test of the measurement, not of the model.`
    : origin.model.notice;

/** `68.4 [66.5, 70.1]`. */
const inWords = ({ value, low, high }: Measured): string =>
  `${percent(value)} [${percent(low)}, ${percent(high)}]`;

/** A row a method, with every measure. */
export const sheetTable = ({ methods }: SegmentationEvaluation) => ({
  columns: ["method", ...COLUMNS.map(({ group, title }) => `#${group}: ${title}`)],
  rows: methods.map((method) => [method.name, ...COLUMNS.map(({ of }) => inWords(of(method)))]),
});

/** A row a method, with the measures of one question, and how far it is from the first. */
export const questionTable = ({ methods }: SegmentationEvaluation, protocol: Protocol) => ({
  columns: ["method", ...MEASURES.map(([, title]) => `#${title}`), "#mIoU minus the first’s", "paper"],
  rows: methods.map(({ name, paper, measures, difference }, m) => [
    name,
    ...MEASURES.map(([metric]) => inWords(measures[protocol][metric])),
    m === 0 ? "" : inWords(difference[protocol].meanIou),
    paper ?? "",
  ]),
});
