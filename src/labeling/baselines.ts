/**
 * What the metrics are where nothing is known about the heads, so that a value can be distinguished from what the pool, the
 * labeller and the number of heads give by themselves:
 *
 * - **random labels**: every head keeps its descriptions and has one of the pool's properties, each as likely;
 * - **shuffled descriptions**: the descriptions of all heads are dealt out again at random and labelled and judged again;
 * - **random texts**: every head is described by texts drawn from the pool, labelled and judged.
 */
import { percentileInterval } from "../math/intervals.ts";
import { Random } from "../math/random.ts";
import {
  BASELINES,
  type Baseline,
  type Baselines,
  METRICS,
  type MetricIntervals,
  type MetricValues,
  valuesOf,
} from "../results/metrics.ts";
import type { Head } from "../results/shapes.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import type { PoolText } from "../text/pool.ts";
import type { Described, DescribedText, Judge, Labeller } from "./labeller.ts";
import { DESCRIPTIONS, type JudgedHead, measureLabels } from "./metrics.ts";

/** How baselines are drawn. */
export interface BaselineOptions extends WorkOptions {
  /** Default: 1,000. */
  readonly draws?: number;
  readonly seed?: number;
}

/** Who labels and who judges; asked thousands of times, so no language model. */
export interface OfflineLabelling {
  readonly labeller: Labeller;
  readonly judge: Judge;
}

/** Labels and judges heads by their first five descriptions; a head that gets no label is left out. */
export async function judgeHeads(
  heads: readonly Described[],
  { labeller, judge }: OfflineLabelling,
): Promise<JudgedHead[]> {
  const judged: JudgedHead[] = [];
  for (const head of heads) {
    const first = { ...head, descriptions: head.descriptions.slice(0, DESCRIPTIONS) };
    const named = await labeller(first, {});
    if (!named) continue;
    const { consistent } = await judge(named.label, first, {});
    judged.push({ ...headAlone(head), label: named.label, consistent });
  }
  return judged;
}

const headAlone = ({ layer, head, name }: Head): Head => ({ layer, head, name });

/** The metrics under all three baselines. @param pool texts with properties */
export async function measureBaselines(
  heads: readonly Described[],
  pool: readonly PoolText[],
  labelling: OfflineLabelling,
  { draws = 1000, seed = 0, signal }: BaselineOptions = {},
): Promise<Baselines> {
  const described = heads.map((head) => ({
    ...head,
    descriptions: head.descriptions.slice(0, DESCRIPTIONS),
  }));
  const properties = [...new Set(pool.flatMap(({ property }) => (property === null ? [] : [property])))];
  const dealt = described.flatMap(({ descriptions }) => descriptions);
  const drawHeads: Record<Baseline, (random: Random) => Promise<JudgedHead[]>> = {
    randomLabels: (random) =>
      Promise.all(
        described.map(async (head) => {
          const label = random.pick(properties);
          const { consistent } = await labelling.judge(label, head, {});
          return { ...headAlone(head), label, consistent };
        }),
      ),
    shuffledDescriptions(random) {
      const left = shuffled(dealt, random);
      const redealt = described.map((head) => ({
        ...head,
        descriptions: left.splice(0, head.descriptions.length),
      }));
      return judgeHeads(redealt, labelling);
    },
    randomTexts: (random) =>
      judgeHeads(
        described.map((head) => ({ ...head, descriptions: drawTexts(pool, random) })),
        labelling,
      ),
  };
  const measured: Partial<Baselines> = {};
  for (const [family, name] of BASELINES.entries()) {
    const values: MetricValues[] = [];
    for (let draw = 0; draw < draws; draw++) {
      checkCancelled(signal);
      values.push(valuesOf(measureLabels(await drawHeads[name](new Random(seed + family, draw)))));
    }
    measured[name] = intervalsOf(values);
  }
  return measured as Baselines;
}

/** The intervals of many sets of values. */
export const intervalsOf = (draws: readonly MetricValues[]): MetricIntervals =>
  Object.fromEntries(
    METRICS.map(({ key }) => [
      key,
      percentileInterval(draws.map((values) => values[key]).filter((value) => value !== null)),
    ]),
  ) as MetricIntervals;

/** Five texts of a pool; none explains more than another, so a tie between tags goes by name. */
function drawTexts(pool: readonly PoolText[], random: Random): DescribedText[] {
  const drawn = new Set<number>();
  while (drawn.size < Math.min(DESCRIPTIONS, pool.length)) drawn.add(random.below(pool.length));
  return [...drawn].map((i) => ({ ...pool[i], explainedVariance: 0 }));
}

/** A list in random order. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const dealt = [...items];
  for (let i = dealt.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [dealt[i], dealt[j]] = [dealt[j], dealt[i]];
  }
  return dealt;
}

/** Items in groups of one stratum, in the order of their first. */
export function strataOf<T>(items: readonly T[], stratum: (item: T) => unknown): T[][] {
  const strata = new Map<unknown, T[]>();
  for (const item of items) {
    const members = strata.get(stratum(item)) ?? [];
    members.push(item);
    strata.set(stratum(item), members);
  }
  return [...strata.values()];
}

/** Pairs each item with one of its stratum, each once, at random. */
export const dealtWithin = <T>(
  strata: readonly (readonly T[])[],
  random: Random,
): (readonly [item: T, dealt: T])[] =>
  strata.flatMap((members) => {
    const dealt = shuffled(members, random);
    return members.map((item, i) => [item, dealt[i]] as const);
  });
