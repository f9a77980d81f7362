/** The tables of a study as cells of text, for HTML and Markdown alike. */
import { holm } from "../../math/holm.ts";
import {
  BASELINES,
  type Baseline,
  LABEL_BASELINES,
  type LabelBaseline,
  METRICS,
  type MetricIntervals,
} from "../../results/metrics.ts";
import {
  CALIBRATION_MEASURES,
  type Calibration,
  type StudyModel,
  type StudyResult,
} from "../../results/study.ts";
import type { Table } from "../kit/table.ts";
import { counted } from "../kit/text.ts";
import { number, rangeOf, sizeOf, withRange } from "./words.ts";

/** The paper's table over the models that were studied. Entanglement grows with the number of heads: see {@link sizeTable}. */
export function modelTable({ models }: StudyResult): Table {
  return {
    caption: "Models that were studied, with 95 % ranges over resampled images",
    columns: [
      "model",
      "#weights",
      "#layers × heads",
      "#patch",
      "data",
      "#heads",
      "#entanglement ↓",
      "#association ↑",
      "#mean CCS ↑",
    ],
    rows: models.map(({ origin, shape, metrics, resampled }) => [
      origin.model.name,
      sizeOf(shape.size),
      `${shape.layers} × ${shape.headsPerLayer}`,
      String(shape.patch),
      shape.trainedOn ?? "–",
      String(metrics.heads),
      withRange(metrics.entanglement.synonym, resampled.entanglement),
      withRange(metrics.association, resampled.association),
      withRange(metrics.meanCcs, resampled.meanCcs),
    ]),
  };
}

/** How many labels of each model are right, beside what needs no look at the heads. */
export function rightTable({ models, calibration }: StudyResult): Table {
  const known = models.flatMap(({ origin, calibration: own }) =>
    own === null ? [] : [{ name: origin.model.name, own }],
  );
  const corrected = holm(known.map(({ own }) => own.measures.right.p ?? 1));
  const row = (name: string, { heads, constant, measures }: Calibration, pHolm: number | null) => {
    const { right } = measures;
    return [
      ...[name, String(heads.length), number(right.value)],
      constant === null ? "–" : `${number(constant.right / heads.length)} (${constant.label})`,
      withRange(right.chance?.mean ?? null, right.chance),
      ...[pOf(right.p), pOf(pHolm)],
      withRange(right.layerChance?.mean ?? null, right.layerChance),
      pOf(right.layerP),
    ];
  };
  return {
    caption: "Labels that are right, beside what needs no look at the heads",
    columns: [
      ...["model", "#heads", "#right", "#one label for all", "#permuted", "#p"],
      ...["#p, Holm", "#permuted within layers", "#p within layers"],
    ],
    rows: [
      ...known.map(({ name, own }, i) => row(name, own, corrected[i])),
      ...(calibration !== null && known.length > 1 ? [row("all together", calibration, null)] : []),
    ],
  };
}

/** How often labels are right in each part of the layers. */
export function depthTable({ byDepth }: Calibration): Table {
  const shareOf = ({ heads, right }: { heads: number; right: number }) =>
    heads === 0 ? "–" : `${right} of ${heads}`;
  return {
    caption: "How often is a label right, by depth?",
    columns: ["layers", "#right", "#one label for all", "#with CCS ≥ 3", "#with CCS < 3"],
    rows: byDepth.map(({ depth, heads, right, constant, sure, unsure }) => [
      ...[depth, shareOf({ heads, right }), shareOf({ heads, right: constant })],
      ...[shareOf(sure), shareOf(unsure)],
    ]),
  };
}

const pOf = (p: number | null): string => (p === null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3));

/** The paper's six models: what is printed, and what the labels published for them give. */
export function publishedTable({ published }: StudyResult): Table {
  return {
    caption: "The paper’s six models: printed values, and what their published labels give",
    columns: [
      ...["model", "#layers", "#patch", "data", "#heads", "#printed entangl.", "#printed assoc."],
      ...["#share a label, case", "#plural", "#synonyms", "#1 − distinct/n, case", "#plural", "#prefix rule"],
      ...[`#share a label, of ${published[0]?.equalHeads.heads ?? 0} heads`, "#of equal depth"],
    ],
    rows: published.map(({ model, layers, patch, trainedOn, heads, printed, computed, ...equal }) => [
      ...[model, String(layers), String(patch), trainedOn ?? "–", String(heads)],
      ...[number(printed.entanglement, 3), number(printed.association, 3)],
      ...(["case", "plural", "synonym"] as const).map((fold) => number(computed.entanglement[fold], 3)),
      ...(["case", "plural"] as const).map((fold) => number(computed.duplicates[fold], 3)),
      number(computed.prefix, 3),
      number(equal.equalHeads.entanglement.case, 3),
      number(equal.equalDepth.entanglement.case, 3),
    ]),
  };
}

const BASELINE_NAMES: Readonly<Record<Baseline, string>> = {
  randomLabels: "#random labels",
  shuffledDescriptions: "#shuffled descriptions",
  randomTexts: "#random texts",
};

const LABEL_BASELINE_NAMES: Readonly<Record<LabelBaseline, string>> = {
  constant: "#one label for all",
  random: "#given labels at random",
  permuted: "#permuted labels",
};

/** What a model's metrics stand beside: baselines of tags, or of the labels that were given. */
function baselinesOf({ baselines, labelBaselines }: StudyModel): [name: string, MetricIntervals][] {
  if (labelBaselines) return LABEL_BASELINES.map((key) => [LABEL_BASELINE_NAMES[key], labelBaselines[key]]);
  return baselines ? BASELINES.map((key) => [BASELINE_NAMES[key], baselines[key]]) : [];
}

/** Every metric of one model beside its baselines. */
export function metricTable(model: StudyModel): Table {
  const { origin, metrics, resampled } = model;
  const beside = baselinesOf(model);
  return {
    caption: origin.model.name,
    columns: ["metric", "#value", "#resampled images", ...beside.map(([name]) => name), "formula"],
    rows: METRICS.map(({ key, name: metric, better, formula, of }) => [
      `${metric} ${better === "higher" ? "↑" : "↓"}`,
      number(of(metrics)),
      rangeOf(resampled[key]),
      ...beside.map(([, drawn]) => withRange(drawn[key]?.mean ?? null, drawn[key])),
      formula,
    ]),
  };
}

/** What is calibrated: all models together, or one. */
export function calibrationTable(caption: string, { measures }: Calibration): Table {
  return {
    caption,
    columns: [
      ...["measure", "#value", "#over trainings", "#resampled images", "#permuted labels", "#p"],
      ...["#permuted within layers", "#p", "formula"],
    ],
    rows: CALIBRATION_MEASURES.map(({ key, name, formula }) => {
      const { value, chance, p, layerChance, layerP, resampled, trainings } = measures[key];
      return [
        ...[name, number(value), rangeOf(trainings), rangeOf(resampled)],
        ...[withRange(chance?.mean ?? null, chance), pOf(p)],
        ...[withRange(layerChance?.mean ?? null, layerChance), pOf(layerP), formula],
      ];
    }),
  };
}

/** How often labels are right, by CCS. */
export function reliabilityTable({ reliability }: Calibration): Table {
  return {
    caption: "How often is a label right, by its CCS?",
    columns: [
      "#CCS",
      "#heads",
      "#right",
      "#share right [95 %]",
      "#right or nested",
      "#mean ε² of the label",
      "#mean highest ε²",
    ],
    rows: reliability.map(({ ccs, heads, right, rightOrNested, low, high, labelShare, bestShare }) => [
      ...[String(ccs), String(heads), String(right)],
      low === null || high === null ? "–" : withRange(right / heads, { low, high }),
      ...[String(rightOrNested), number(labelShare), number(bestShare)],
    ]),
  };
}

/** How often each label is right. */
export function labelTable({ byLabel }: Calibration): Table {
  return {
    caption: "How often is each label right?",
    columns: ["label", "#heads", "#right", "#share right [95 %]"],
    rows: byLabel.map(({ label, heads, right, low, high }) => [
      ...[label, String(heads), String(right)],
      withRange(right / heads, { low, high }),
    ]),
  };
}

/** Larger models beside smaller ones. */
export function sizeTable({ sizes }: StudyResult): Table {
  return {
    caption: `Larger minus smaller, ${counted(sizes.heads, "head")} of each from relative depth ${number(sizes.from)} on`,
    columns: [
      ...["metric", "smaller", "larger", "#difference", "#s", "#p", "#p, Holm"],
      ...["#detectable with 80 % power", "larger is"],
    ],
    rows: sizes.steps.map(
      ({ metric, smaller, larger, difference, scatter, p, pHolm, detectable, verdict }) => [
        METRICS.find(({ key }) => key === metric)!.name,
        ...[smaller, larger, difference > 0 ? `+${number(difference)}` : number(difference)],
        ...[number(scatter), pOf(p), pOf(pHolm), number(detectable), verdict],
      ],
    ),
  };
}

/** How far metrics scatter between seeds. */
export function seedTable({ sizes }: StudyResult): Table {
  const groups = sizes.groups.filter(({ models }) => models.length > 1);
  return {
    caption: "Models that differ in their seed alone",
    columns: ["models", "#seeds", ...METRICS.slice(0, 6).map(({ name }) => `#${name}: mean ± s`)],
    rows: groups.map(({ name, models, mean, deviation }) => [
      ...[name, String(models.length)],
      ...METRICS.slice(0, 6).map(({ key }) => `${number(mean[key])} ± ${number(deviation[key])}`),
    ]),
  };
}

/** What every number follows from. */
export function inputTable({ models }: StudyResult): Table {
  return {
    caption: "What the numbers follow from, by SHA-256",
    columns: ["model", "weights", "index", "#images", "pool", "#texts", "pool’s hash"],
    rows: models.map(({ origin: { model, index, pool } }) => [
      ...[model.name, model.weights.slice(0, 16), index.sha256.slice(0, 16)],
      ...[index.images.toLocaleString("en"), pool.name],
      ...[pool.texts.toLocaleString("en"), pool.sha256.slice(0, 16)],
    ]),
  };
}
