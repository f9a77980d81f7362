/**
 * Whether head labels are true, where truth is known: on images whose every factor is known, a head's selectivity ε² for
 * each factor (`analysis/selectivity.ts`) says what it responds to; a label that names a property is right where that
 * property's factor has the head's highest ε² among the factors that the pool has texts about.
 *
 * Chance is a permutation: the labels (with their CCS) are dealt out again at random among the heads, which keeps how often each label
 * and each best factor occurs. Some factors contain others (a concept has one group), so their ε² lie close together: beside
 * "right" is "right or nested", which accepts a label whose factor determines the best one or is determined by it.
 */
import { percentileInterval } from "../math/intervals.ts";
import { Random } from "../math/random.ts";
import { rankCorrelation } from "../math/rank-correlation.ts";
import { wilson } from "../math/wilson.ts";
import type { Head } from "../results/shapes.ts";
import {
  CALIBRATION_MEASURES,
  type CalibratedHead,
  type Calibration,
  type CalibrationKey,
  type LabelRow,
  type ReliabilityRow,
} from "../results/study.ts";
import { shuffled } from "./baselines.ts";
import { ccsOf, countLabels, DESCRIPTIONS, type JudgedHead } from "./metrics.ts";

/** What is known of the heads: ε² of each factor, and which factors contain which. */
export interface Truth {
  /** Factors that the pool has texts about, named as its properties. */
  readonly factors: readonly string[];
  /** Head by its name → ε² of each factor, in their order. */
  readonly shares: ReadonlyMap<string, readonly number[]>;
  /** Share of the pool's texts that speak of each factor, in their order. */
  readonly poolShares: readonly number[];
  /** Pairs of factors of which the first determines the second: every image's concept its group. */
  readonly nested: readonly (readonly [finer: string, coarser: string])[];
}

/** Heads of one model with the truth about them. */
export interface CalibrationGroup {
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
  const known = groups.map(({ heads, truth }) => ({ truth, heads: compare(heads, truth) }));
  const calibrated = known.flatMap(({ heads }) => heads);
  const values = measure(calibrated);
  const shuffles = Array.from({ length: permutations }, (_, p) => {
    const random = new Random(seed, p);
    return measure(known.flatMap(({ heads, truth }) => dealAnew(heads, truth, random)));
  });
  const count = Math.min(...groups.map(({ resamples = [] }) => resamples.length));
  const again = Array.from({ length: groups.length === 0 ? 0 : count }, (_, i) =>
    measure(groups.flatMap(({ resamples = [], truth }) => compare(resamples[i], truth))),
  );
  const measures = CALIBRATION_MEASURES.map(({ key }) => {
    const value = values[key];
    const chance = shuffles.map((drawn) => drawn[key]).filter((drawn) => drawn !== null);
    const reached = value === null ? 0 : chance.filter((drawn) => drawn >= value - 1e-12).length;
    const drawn = again.map((sample) => sample[key]).filter((found) => found !== null);
    return [
      key,
      {
        value,
        chance: percentileInterval(chance),
        p: value === null ? null : (reached + 1) / (chance.length + 1),
        resampled: percentileInterval(drawn),
      },
    ] as const;
  });
  return {
    heads: calibrated,
    measures: Object.fromEntries(measures) as Calibration["measures"],
    reliability: reliabilityOf(calibrated),
    byLabel: labelRows(calibrated),
  };
}

/** The labels, with their CCS, in random order over the heads. */
function dealAnew(heads: readonly CalibratedHead[], truth: Truth, random: Random): CalibratedHead[] {
  const labels = shuffled(heads, random);
  return heads.map((head, i) => judge(head, labels[i].label, labels[i].ccs, truth));
}

function compare(heads: readonly JudgedHead[], truth: Truth): CalibratedHead[] {
  return heads.flatMap((judged) => {
    const ccs = ccsOf(judged);
    if (ccs === undefined || !truth.shares.has(judged.name)) return [];
    return [judge(judged, judged.label, ccs, truth)];
  });
}

function judge({ layer, head, name }: Head, label: string, ccs: number, truth: Truth): CalibratedHead {
  const shares = truth.shares.get(name)!;
  const at = shares.indexOf(Math.max(...shares));
  const best = truth.factors[at];
  const named = truth.factors.indexOf(label);
  const nested = truth.nested.some(
    ([finer, coarser]) => (finer === label && coarser === best) || (finer === best && coarser === label),
  );
  return {
    ...{ layer, head, name, label, ccs, best, bestShare: shares[at] },
    excess: ccs - DESCRIPTIONS * (truth.poolShares[named] ?? 0),
    labelShare: named < 0 ? null : shares[named],
    right: label === best,
    rightOrNested: label === best || nested,
  };
}

function measure(heads: readonly CalibratedHead[]): Record<CalibrationKey, number | null> {
  const ccs = heads.map((head) => head.ccs);
  const named = heads.map(({ labelShare }) => labelShare ?? 0);
  const best = heads.map(({ bestShare }) => bestShare);
  const total = sum(best);
  const [sure, unsure] = [heads.filter((head) => head.ccs >= 3), heads.filter((head) => head.ccs < 3)];
  const shareRight = (of: readonly CalibratedHead[]) => of.filter(({ right }) => right).length / of.length;
  return {
    right: heads.length === 0 ? null : shareRight(heads),
    rightOrNested:
      heads.length === 0 ? null : heads.filter(({ rightOrNested }) => rightOrNested).length / heads.length,
    captured: total === 0 ? null : sum(named) / total,
    ccsWithLabelShare: rankCorrelation(ccs, named),
    excessWithLabelShare: rankCorrelation(
      heads.map(({ excess }) => excess),
      named,
    ),
    ccsWithBestShare: rankCorrelation(ccs, best),
    associationGap: sure.length === 0 || unsure.length === 0 ? null : shareRight(sure) - shareRight(unsure),
  };
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
