/**
 * Whether head labels are true, where truth is known: on images whose every factor is known, a head's selectivity ε² for
 * each factor (`analysis/selectivity.ts`) says what it responds to; a label that names a property is right where that
 * property's factor has the head's highest ε² among the factors that the pool has texts about.
 *
 * A value stands beside three kinds of chance:
 *
 * - **the constant label**: a labeller that always says the factor which most heads respond to;
 * - **permuted**: the labels (with their CCS) are dealt out again at random among the heads of a model, which keeps how
 *   often each label and each best factor occurs;
 * - **permuted within layers**: the same within each layer, which also keeps what a layer's depth says of its heads.
 *
 * Its interval is over trainings: each model's own value is one draw. Some factors contain others (a concept has one
 * group), so their ε² lie close together: beside "right" is "right or nested", which accepts a label whose factor determines
 * the best one or is determined by it. The factor with the highest ε² was chosen among several, so ε² is estimated again on
 * two halves of the images.
 */
import { percentileInterval, studentInterval } from "../math/intervals.ts";
import { Random } from "../math/random.ts";
import { rankCorrelation } from "../math/rank-correlation.ts";
import { signTest } from "../math/sign-test.ts";
import { wilson } from "../math/wilson.ts";
import type { Head } from "../results/shapes.ts";
import {
  CALIBRATION_MEASURES,
  type CalibratedHead,
  type Calibration,
  type CalibrationKey,
  DEPTHS,
  type DepthRow,
  type LabelRow,
  type ReliabilityRow,
} from "../results/study.ts";
import { dealtWithin, strataOf } from "./baselines.ts";
import { relativeDepth } from "./equal-terms.ts";
import { ccsOf, countLabels, DESCRIPTIONS, type JudgedHead } from "./metrics.ts";

/** What is known of the heads: ε² of each factor, and which factors contain which. */
export interface Truth {
  /** Factors that the pool has texts about, named as its properties. */
  readonly factors: readonly string[];
  /** Head by its name → ε² of each factor, in their order. */
  readonly shares: ReadonlyMap<string, readonly number[]>;
  /** The same by each of two halves of the images, where it was measured. */
  readonly halves?: readonly [Truth["shares"], Truth["shares"]];
  /** Share of the pool's texts that speak of each factor, in their order. */
  readonly poolShares: readonly number[];
  /** Pairs of factors of which the first determines the second: every image's concept its group. */
  readonly nested: readonly (readonly [finer: string, coarser: string])[];
}

/** Heads of one model with the truth about them. */
export interface CalibrationGroup {
  readonly model: string;
  readonly layers: number;
  readonly heads: readonly JudgedHead[];
  readonly truth: Truth;
  /** The same heads, labelled again for each resample of the images; ε² stays that of all images. */
  readonly resamples?: readonly (readonly JudgedHead[])[];
}

/** How chance is drawn. */
export interface CalibrationOptions {
  /** Default: 2,000. */
  readonly permutations?: number;
  readonly seed?: number;
}

/**
 * Compares labels with what their heads truly respond to, over the heads of one model or of several together; labels are
 * dealt out again at random within a model. Heads without a judgement or without ε² are left out.
 */
export function calibrate(
  groups: readonly CalibrationGroup[],
  { permutations = 2000, seed = 0 }: CalibrationOptions = {},
): Calibration {
  const known = groups.map((group) => ({ group, heads: compare(group, group.heads) }));
  const calibrated = known.flatMap(({ heads }) => heads);
  const values = measure(calibrated);
  const deal = (family: number, stratum: (head: CalibratedHead) => unknown) =>
    Array.from({ length: permutations }, (_, p) => {
      const random = new Random(seed + family, p);
      return measure(known.flatMap(({ heads, group }) => dealAnew(heads, group, stratum, random)));
    });
  const shuffles = deal(0, () => 0);
  const shufflesByLayer = deal(1, ({ layer }) => layer);
  const count = Math.min(...groups.map(({ resamples = [] }) => resamples.length));
  const again = Array.from({ length: groups.length === 0 ? 0 : count }, (_, i) =>
    measure(groups.flatMap((group) => compare(group, group.resamples![i]))),
  );
  const own = known.map(({ heads }) => measure(heads));
  const measures = CALIBRATION_MEASURES.map(({ key }) => {
    const value = values[key];
    const of = (draws: readonly Measured[]) => draws.map((drawn) => drawn[key]).filter((x) => x !== null);
    const p = (chance: readonly number[]) =>
      value === null
        ? null
        : (chance.filter((drawn) => drawn >= value - 1e-12).length + 1) / (chance.length + 1);
    const [chance, layerChance] = [of(shuffles), of(shufflesByLayer)];
    return [
      key,
      {
        value,
        chance: percentileInterval(chance),
        p: p(chance),
        layerChance: percentileInterval(layerChance),
        layerP: p(layerChance),
        resampled: percentileInterval(of(again)),
        trainings: studentInterval(of(own)),
      },
    ] as const;
  });
  const constant = constantOf(calibrated);
  return {
    heads: calibrated,
    constant,
    halves: halvesOf(known),
    measures: Object.fromEntries(measures) as Calibration["measures"],
    byDepth: depthRows(calibrated, constant?.label),
    reliability: reliabilityOf(calibrated),
    byLabel: labelRows(calibrated),
  };
}

/** The labels, with their CCS, in random order over the heads of each stratum. */
function dealAnew(
  heads: readonly CalibratedHead[],
  group: CalibrationGroup,
  stratum: (head: CalibratedHead) => unknown,
  random: Random,
): CalibratedHead[] {
  return dealtWithin(strataOf(heads, stratum), random).map(([head, { label, ccs }]) =>
    judge(head, label, ccs, group),
  );
}

function compare(group: CalibrationGroup, heads: readonly JudgedHead[]): CalibratedHead[] {
  return heads.flatMap((judged) => {
    const ccs = ccsOf(judged);
    if (ccs === undefined || !group.truth.shares.has(judged.name)) return [];
    return [judge(judged, judged.label, ccs, group)];
  });
}

function judge(
  { layer, head, name }: Head,
  label: string,
  ccs: number,
  { model, layers, truth }: CalibrationGroup,
): CalibratedHead {
  const shares = truth.shares.get(name)!;
  const best = bestOf(truth, shares);
  const named = truth.factors.indexOf(label);
  const nested = truth.nested.some(
    ([finer, coarser]) => (finer === label && coarser === best) || (finer === best && coarser === label),
  );
  return {
    ...{ layer, head, name, model, depth: relativeDepth(layer, layers), label, ccs, best },
    bestShare: Math.max(...shares),
    excess: ccs - DESCRIPTIONS * (truth.poolShares[named] ?? 0),
    labelShare: named < 0 ? null : shares[named],
    right: label === best,
    rightOrNested: label === best || nested,
  };
}

/** The factor with the highest share. */
const bestOf = ({ factors }: Truth, shares: readonly number[]): string =>
  factors[shares.indexOf(Math.max(...shares))];

type Measured = Record<CalibrationKey, number | null>;

function measure(heads: readonly CalibratedHead[]): Measured {
  const ccs = heads.map((head) => head.ccs);
  const named = heads.map(({ labelShare }) => labelShare ?? 0);
  const best = heads.map(({ bestShare }) => bestShare);
  const total = sum(best);
  return {
    right: shareRight(heads),
    rightOrNested:
      heads.length === 0 ? null : heads.filter(({ rightOrNested }) => rightOrNested).length / heads.length,
    captured: total === 0 ? null : sum(named) / total,
    ccsWithLabelShare: rankCorrelation(ccs, named),
    excessWithLabelShare: rankCorrelation(
      heads.map(({ excess }) => excess),
      named,
    ),
    ccsWithBestShare: rankCorrelation(ccs, best),
    associationGap: gapOf(heads),
    laterGap: gapOf(heads.filter(isLater)),
    laterHighGap: gapOf(heads.filter(isLater), ({ ccs: own }) => own === DESCRIPTIONS),
  };
}

const shareRight = (heads: readonly CalibratedHead[]): number | null =>
  heads.length === 0 ? null : countRight(heads).right / heads.length;

const countRight = (heads: readonly CalibratedHead[]) => ({
  heads: heads.length,
  right: heads.filter(({ right }) => right).length,
});

const isSure = ({ ccs }: CalibratedHead) => ccs >= 3;

const isLater = ({ depth }: CalibratedHead) => depth >= 1 / 3;

/** How much oftener the labels of heads that are sure are right; null where all or none are. */
function gapOf(heads: readonly CalibratedHead[], sureOf = isSure): number | null {
  const sure = shareRight(heads.filter(sureOf));
  const unsure = shareRight(heads.filter((head) => !sureOf(head)));
  return sure === null || unsure === null ? null : sure - unsure;
}

/** The best labeller that says one thing of every head of every model, beside the labels. */
function constantOf(heads: readonly CalibratedHead[]): Calibration["constant"] {
  const [most] = [...countLabels(heads.map(({ best }) => best))].sort(
    ([a, n], [b, m]) => m - n || (a < b ? -1 : 1),
  );
  if (most === undefined) return null;
  const [label, right] = most;
  const differ = heads.filter((head) => head.right !== (head.best === label));
  const wins = countRight(differ).right;
  return { label, right, p: signTest(wins, differ.length - wins) };
}

/** ε² estimated on two halves of the images: how often they agree, and what is right by each. */
function halvesOf(
  known: readonly { readonly group: CalibrationGroup; readonly heads: readonly CalibratedHead[] }[],
): Calibration["halves"] {
  let [all, sameBest, right, byHalf, named, best] = [0, 0, 0, 0, 0, 0];
  for (const { group, heads } of known) {
    const { truth } = group;
    if (truth.halves === undefined) return null;
    for (const { name, label } of heads) {
      const shares = truth.halves.map((half) => half.get(name)!);
      const bests = shares.map((half) => bestOf(truth, half));
      const at = truth.factors.indexOf(label);
      all++;
      if (bests[0] === bests[1]) {
        sameBest++;
        if (label === bests[0]) right++;
      }
      for (const [i, half] of shares.entries()) {
        if (label === bests[i]) byHalf++;
        named += half[at] ?? 0;
        best += half[truth.factors.indexOf(bests[1 - i])];
      }
    }
  }
  if (all === 0) return null;
  return { sameBest, right, share: byHalf / (2 * all), captured: best === 0 ? null : named / best };
}

/** How often labels are right in each third of the layers. */
function depthRows(heads: readonly CalibratedHead[], constant: string | undefined): DepthRow[] {
  return DEPTHS.map((depth, third) => {
    const of = heads.filter((head) => Math.min(2, Math.floor(3 * head.depth)) === third);
    return {
      ...{ depth, ...countRight(of), constant: of.filter(({ best }) => best === constant).length },
      sure: countRight(of.filter(isSure)),
      unsure: countRight(of.filter((head) => !isSure(head))),
    };
  });
}

/** How often labels are right, by CCS. */
function reliabilityOf(heads: readonly CalibratedHead[]): ReliabilityRow[] {
  return Array.from({ length: DESCRIPTIONS + 1 }, (_, ccs) => {
    const of = heads.filter((head) => head.ccs === ccs);
    const right = of.filter((head) => head.right).length;
    const { low, high } = wilson(right, of.length);
    const none = of.length === 0;
    return {
      ...{ ccs, heads: of.length, right },
      rightOrNested: of.filter((head) => head.rightOrNested).length,
      low: none ? null : low,
      high: none ? null : high,
      labelShare: none ? null : sum(of.map(({ labelShare }) => labelShare ?? 0)) / of.length,
      bestShare: none ? null : sum(of.map(({ bestShare }) => bestShare)) / of.length,
    };
  });
}

function labelRows(heads: readonly CalibratedHead[]): LabelRow[] {
  const counts = [...countLabels(heads.map(({ label }) => label))];
  return counts
    .map(([label, count]) => {
      const right = heads.filter((head) => head.label === label && head.right).length;
      const { low, high } = wilson(right, count);
      return { label, heads: count, right, low, high };
    })
    .sort((a, b) => b.heads - a.heads || (a.label < b.label ? -1 : 1));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
