import type { Interval } from "../../src/math/intervals.ts";
import { headNamed } from "../../src/results/shapes.ts";
import type { StudyModel, StudyResult } from "../../src/results/study.ts";
import { EVIL, reportOf } from "../../src/study/study.fixture.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import {
  studyCalibrationSvg,
  studyHistogramsSvg,
  studyLayersSvg,
  studyMetricsSvg,
} from "../../src/views/study/charts.ts";
import { studyHeadsCsv, studyMetricsCsv } from "../../src/views/study/csv.ts";
import { studyMarkdown } from "../../src/views/study/markdown.ts";
import { studyHtml } from "../../src/views/study/page.ts";
import { studyTerminal } from "../../src/views/study/words.ts";
import { gradient } from "./gradient.ts";
import type { Gallery } from "./picture.ts";

const interval = (low: number, high: number): Interval => ({ low, mean: (low + high) / 2, high });
const thumbnails = new Map([["0".repeat(64), gradient([50, 90, 230])]]);

/** Two seeds of a small model and a larger one, whose labels are partly right. */
async function study(): Promise<StudyResult> {
  const report = await reportOf(["tiny", 800_000, 4], ["tiny-s2", 800_000, 2], ["large", 43_000_000, 1]);
  const [first, second, third] = report.models;
  const { calibration, sizes } = report;
  const { right } = calibration!.measures;
  return {
    ...report,
    calibration: {
      ...calibration!,
      measures: { ...calibration!.measures, right: { ...right, p: 0.005 } },
    },
    sizes: {
      ...sizes,
      steps: sizes.steps.map((step, i) => ({ ...step, difference: i % 2 === 0 ? 0.4 : -0.3 })),
    },
    models: [
      { ...first, ...layered, ...placed(first, 0.2), heads: responding(first) },
      { ...second, ...placed(second, 0.4), origin: noted(second, "an approximation") },
      {
        ...third,
        ...placed(third, 0.7),
        metrics: { ...placed(third, 0.7).metrics, histogram: [0, 0, 1, 0, 0, 3] },
      },
    ],
    published: [
      {
        ...{ model: "ViT-B-32", trainedOn: "OpenAI", layers: 12, patch: 32, heads: 48 },
        printed: { entanglement: 0.5, association: null },
        consistency: { high: 10, moderate: 20, low: 5 },
        computed: placed(first, 0.6).metrics,
        equalHeads: { ...placed(first, 0.6).metrics, heads: 48, of: 48 },
        equalDepth: { ...placed(first, 0.5).metrics, heads: 24, of: 24 },
      },
    ],
  };
}

const noted = ({ origin }: StudyModel, notice: string) => ({
  ...origin,
  model: { ...origin.model, notice },
});

/** Metrics that lie at a place of their axes, between narrow ranges below and wide ones above; rules of folding differ. */
function placed({ metrics, resampled, baselines }: StudyModel, at: number) {
  const around = (most: number, low: number, high: number) => interval(most * (at + low), most * (at + high));
  const ranges = (low: number, high: number) => ({
    meanCcs: around(5, low, high),
    association: around(1, low, high),
    entanglement: around(1, low, high),
  });
  const randomTexts = { ...baselines!.randomTexts, ...ranges(0.04, 0.28) };
  return {
    metrics: {
      ...metrics,
      ...{ meanCcs: 5 * at, association: at },
      entanglement: { written: at / 8, case: at / 4, plural: at / 2, synonym: at },
      duplicates: { written: at / 10, case: at / 5, plural: at / 3, synonym: at / 2 },
    },
    resampled: { ...resampled, ...ranges(-0.1, 0.05) },
    baselines: { ...baselines!, randomTexts },
  };
}

/** The heads, each responding to several factors, of which one is not above chance. */
const responding = ({ heads }: StudyModel): StudyModel["heads"] =>
  heads.map((head) => ({
    ...head,
    selectivity: [
      { factor: "size", share: 0.02, significant: false },
      { factor: "animal", share: 0.31, significant: true },
      { factor: "colour", share: 0.6, significant: true },
      { factor: "count", share: 0.01, significant: true },
    ],
  }));

/** Labels over two layers. */
const layered: Pick<StudyModel, "byLayer" | "byProperty"> = {
  byLayer: ["L0", "L1"].map((name) => ({
    ...{ name, heads: [0, 1, 2, 3].map((head) => headNamed(`${name}.H${head}`)), judged: 4, meanCcs: 3 },
    ...{ association: 0.75, entanglement: 0.5 },
  })),
  byProperty: [
    ["colour", ["L0.H0", "L0.H1", "L0.H2", "L1.H3"]],
    [EVIL, ["L0.H3", "L1.H0", "L1.H1", "L1.H2"]],
    ["a label that is much longer than its column has room for", ["L10.H0"]],
  ].map(([name, heads]) => ({
    ...{ name: String(name), heads: [heads].flat().map(headNamed), judged: 4, meanCcs: 3 },
    ...{ association: 0.5, entanglement: 1 },
  })),
};

/** A report of one model in which single numbers are set. */
async function withNumbers(numbers: {
  readonly meanCcs: number | null;
  readonly random: Interval;
  readonly shuffled: Interval;
  readonly p: number;
  readonly tagged: number;
}): Promise<StudyResult> {
  const report = await reportOf(["tiny", 800_000, 4]);
  const [model] = report.models;
  const { calibration } = report;
  const { randomTexts, shuffledDescriptions } = model.baselines!;
  const { right, ccsWithLabelShare, excessWithLabelShare } = calibration!.measures;
  const measured = { value: 0.5, chance: interval(0.1, 0.3), p: numbers.p };
  return {
    ...report,
    calibration: {
      ...calibration!,
      measures: {
        ...calibration!.measures,
        right: { ...right, ...measured },
        ccsWithLabelShare: { ...ccsWithLabelShare, ...measured },
        excessWithLabelShare: { ...excessWithLabelShare, ...measured },
      },
    },
    models: [
      {
        ...model,
        metrics: { ...model.metrics, meanCcs: numbers.meanCcs },
        origin: { ...model.origin, pool: { ...model.origin.pool, texts: 28 } },
        tags: [{ tag: "colour", texts: numbers.tagged }],
        baselines: {
          ...model.baselines!,
          randomTexts: { ...randomTexts, meanCcs: numbers.random },
          shuffledDescriptions: { ...shuffledDescriptions, meanCcs: numbers.shuffled },
        },
      },
    ],
  };
}

/** The steps of a comparison with a verdict that is set. */
async function withVerdicts(...verdicts: StudyResult["sizes"]["steps"][number]["verdict"][]) {
  const report = await study();
  // With several verdicts, association is compared twice, and the smaller of two detectable differences counts.
  const { steps: three } = report.sizes;
  const steps = (verdicts.length > 1 ? [...three, three[1]] : three).map((step, i) => ({
    ...step,
    difference: i % 2 === 0 ? 0.4 : -0.3,
    detectable: i === 1 ? 1.2 : 0.6,
    verdict: verdicts[i % verdicts.length],
  }));
  return { ...report, models: [], calibration: null, sizes: { ...report.sizes, steps } };
}

/** Heads at every CCS, right and wrong, whose labels are true to different degrees. */
async function scattered(): Promise<StudyResult> {
  const report = await study();
  const [head] = report.calibration!.heads;
  const heads = Array.from({ length: 15 }, (_, i) => ({
    ...head,
    ...{ name: `L0.H${i}`, ccs: i % 6, bestShare: 0.75 - i / 50, right: i % 3 !== 0 },
    labelShare: i === 3 ? null : i % 3 === 0 ? 0.1 + i / 100 : 0.75 - i / 50,
  }));
  return { ...report, calibration: { ...report.calibration!, heads } };
}

/** A model of which nothing was judged: no dots, whiskers or bands. */
async function unjudged(): Promise<StudyResult> {
  const report = await reportOf(["tiny", 800_000, 4]);
  const [model] = report.models;
  const none = { meanCcs: null, association: null, entanglement: null };
  return {
    ...report,
    calibration: null,
    models: [
      {
        ...model,
        metrics: { ...model.metrics, ...{ judged: 0, histogram: [0, 0, 0, 0, 0, 0], meanCcs: null } },
        resampled: { ...model.resampled, ...none },
        baselines: { ...model.baselines!, randomTexts: { ...model.baselines!.randomTexts, ...none } },
        heads: model.heads.map((head) => ({
          ...head,
          ...{ selectivity: [], images: [] },
          descriptions: head.descriptions.map((text) => ({ ...text, fits: null, property: null })),
        })),
      },
    ],
  };
}

const many = () => reportOf(...Array.from({ length: 6 }, (_, i) => [`model ${i}`, 10, i % 5] as const));

export const studies: Gallery = {
  title: "Studies",
  pictures: [
    {
      name: "study/histograms.svg",
      shows: "three models; the third has one head of CCS 2 and three of CCS 5",
      draw: async () => studyHistogramsSvg(await study()),
    },
    {
      name: "study/histograms-many.svg",
      shows: "six models in two rows of at most four",
      draw: async () => studyHistogramsSvg(await many()),
    },
    {
      name: "study/histograms-unjudged.svg",
      shows: "one model of which no head was judged: no bars, chance alone",
      draw: async () => studyHistogramsSvg(await unjudged()),
    },
    {
      name: "study/metrics.svg",
      shows: "three metrics of three models: dots, ranges over resampled images, and bands of random texts",
      draw: async () => studyMetricsSvg(await study()),
    },
    {
      name: "study/metrics.png",
      shows: "the same as pixels",
      draw: async () => svgToPng(studyMetricsSvg(await study()), { width: 500 }),
    },
    {
      name: "study/metrics-unjudged.svg",
      shows: "missing values: no ranges and no bands, and a dot only where something is known",
      draw: async () => studyMetricsSvg(await unjudged()),
    },
    {
      name: "study/layers.svg",
      shows: "three labels in two layers: colour three times in the first and once in the second",
      draw: async () => studyLayersSvg((await study()).models[0]),
    },
    {
      name: "study/calibration.svg",
      shows: "fifteen heads by CCS: right labels are circles high up, wrong ones triangles below",
      draw: async () => studyCalibrationSvg(await scattered()),
    },
    {
      name: "study/calibration-none.svg",
      shows: "nothing is known of the images: axes alone",
      draw: async () => studyCalibrationSvg(await unjudged()),
    },
    {
      name: "study/page.html",
      shows: "the whole report of two seeds of a small model and a larger one",
      draw: async () => studyHtml(await study(), thumbnails),
    },
    {
      name: "study/markdown.txt",
      shows: "the report as Markdown",
      draw: async () => studyMarkdown(await study()),
    },
    {
      name: "study/markdown-unjudged.txt",
      shows: "the report of a model of which nothing is known",
      draw: async () => studyMarkdown(await unjudged()),
    },
    {
      name: "study/metrics-csv.txt",
      shows: "every metric of every model, a line each",
      draw: async () => studyMetricsCsv(await study()),
    },
    {
      name: "study/heads-csv.txt",
      shows: "every head, a line each; a name that looks like a formula is quoted",
      draw: async () => studyHeadsCsv(await study()),
    },
    {
      name: "study/findings-above.txt",
      shows:
        "p just below 0.05 and a mean CCS just above both ranges: all verdicts are good; one tag has half of the pool",
      draw: async () =>
        studyTerminal(
          await withNumbers({
            ...{
              meanCcs: 3.51,
              random: interval(2.5, 3.5),
              shuffled: interval(3, 3.5),
              p: 0.049,
              tagged: 14,
            },
          }),
        ),
    },
    {
      name: "study/findings-at.txt",
      shows:
        "p of 0.05 and a mean CCS on the edge of both ranges: no verdict is good; one tag has more than half",
      draw: async () =>
        studyTerminal(
          await withNumbers({
            ...{ meanCcs: 3.5, random: interval(2.5, 3.5), shuffled: interval(3, 3.5), p: 0.05, tagged: 15 },
          }),
        ),
    },
    {
      name: "study/findings-below.txt",
      shows: "a mean CCS below what random texts have, and p below a thousandth",
      draw: async () =>
        studyTerminal(
          await withNumbers({
            ...{ meanCcs: 2.4, random: interval(2.5, 3.5), shuffled: interval(2, 2.3), p: 0.0009, tagged: 3 },
          }),
        ),
    },
    {
      name: "study/findings-unjudged.txt",
      shows: "nothing was judged and nothing is known of the images",
      draw: async () => studyTerminal(await unjudged()),
    },
    {
      name: "study/findings-sizes.txt",
      shows: "two comparisons for the larger model, one against it and one undecided; 0.60 can be detected",
      draw: async () =>
        studyTerminal(await withVerdicts("more interpretable", "less interpretable", "not told apart")),
    },
    {
      name: "study/findings-sizes-alike.txt",
      shows: "no comparison is decided",
      draw: async () => studyTerminal(await withVerdicts("not told apart")),
    },
    {
      name: "study/findings-no-seeds.txt",
      shows: "two sizes, one seed each: the study cannot say",
      draw: async () => studyTerminal(await reportOf(["small", 10, 4], ["large", 20, 4])),
    },
  ],
};
