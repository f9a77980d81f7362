/**
 * What the metrics are where nothing is known about the heads, so that a value can be told from what the pool, the
 * labeller and the number of heads give by themselves:
 *
 * - **random labels**: every head keeps its descriptions and bears one of the pool's properties, each as likely;
 * - **shuffled descriptions**: the descriptions of all heads are dealt out anew and labelled and judged again;
 * - **random texts**: every head is described by texts drawn from the pool, labelled and judged.
 */
import { type Interval, percentileInterval } from "../math/intervals.ts";
import { Random } from "../math/random.ts";
import type { PoolText } from "../text/pool.ts";
import { METRICS, type MetricKey, type MetricValues, valuesOf } from "./metric-names.ts";
import { DESCRIPTIONS, type JudgedHead, measureLabels } from "./metrics.ts";

/** A labeller and a judge that answer at once: what can be asked thousands of times. */
export interface OfflineLabeller {
  label(descriptions: readonly PoolText[]): string;
  /** Whether each description fits a label. */
  judge(label: string, descriptions: readonly PoolText[]): boolean[];
}

/** A head with the texts that describe it, most variance first. */
export interface DescribedByTexts {
  readonly head: string;
  readonly descriptions: readonly PoolText[];
}

/** For each metric where it lies in 95 % of the draws; null where no draw had a value. */
export type MetricIntervals = Readonly<Record<MetricKey, Interval | null>>;

export const BASELINES = ["randomLabels", "shuffledDescriptions", "randomTexts"] as const;
export type Baseline = (typeof BASELINES)[number];

/** How baselines are drawn. */
export interface BaselineOptions {
  /** Default: 1,000. */
  readonly draws?: number;
  readonly seed?: number;
}

/** Labels and judges heads by their first five descriptions. */
export function judgeHeads(
  heads: readonly DescribedByTexts[],
  { label, judge }: OfflineLabeller,
): JudgedHead[] {
  return heads.map(({ head, descriptions }) => {
    const first = descriptions.slice(0, DESCRIPTIONS);
    const given = label(first);
    return { head, label: given, consistent: judge(given, first) };
  });
}

/** The metrics under all three baselines. @param pool at least five texts, with properties */
export function measureBaselines(
  heads: readonly DescribedByTexts[],
  pool: readonly PoolText[],
  labeller: OfflineLabeller,
  { draws = 1000, seed = 0 }: BaselineOptions = {},
): Readonly<Record<Baseline, MetricIntervals>> {
  const described = heads.map(({ head, descriptions }) => ({
    head,
    descriptions: descriptions.slice(0, DESCRIPTIONS),
  }));
  const properties = [...new Set(pool.flatMap(({ property }) => (property === null ? [] : [property])))];
  const dealt = described.flatMap(({ descriptions }) => descriptions);
  const drawHeads: Record<Baseline, (random: Random) => JudgedHead[]> = {
    randomLabels: (random) =>
      described.map(({ head, descriptions }) => {
        const label = random.pick(properties);
        return { head, label, consistent: labeller.judge(label, descriptions) };
      }),
    shuffledDescriptions(random) {
      const left = shuffled(dealt, random);
      const anew = described.map(({ head, descriptions }) => ({
        head,
        descriptions: left.splice(0, descriptions.length),
      }));
      return judgeHeads(anew, labeller);
    },
    randomTexts: (random) =>
      judgeHeads(
        described.map(({ head }) => ({ head, descriptions: drawTexts(pool, random) })),
        labeller,
      ),
  };
  return Object.fromEntries(
    BASELINES.map((name, family) => {
      const values = Array.from({ length: draws }, (_, draw) =>
        valuesOf(measureLabels(drawHeads[name](new Random(seed + family, draw)))),
      );
      return [name, intervalsOf(values)];
    }),
  ) as Record<Baseline, MetricIntervals>;
}

/** The intervals of many sets of values. */
export const intervalsOf = (draws: readonly MetricValues[]): MetricIntervals =>
  Object.fromEntries(
    METRICS.map(({ key }) => [
      key,
      percentileInterval(draws.map((values) => values[key]).filter((value) => value !== null)),
    ]),
  ) as Record<MetricKey, Interval | null>;

function drawTexts(pool: readonly PoolText[], random: Random): PoolText[] {
  const drawn = new Set<number>();
  while (drawn.size < Math.min(DESCRIPTIONS, pool.length)) drawn.add(random.below(pool.length));
  return [...drawn].map((i) => pool[i]);
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
