/**
 * Whether larger models are more interpretable, by one metric at a time, and what could have been seen.
 *
 * A metric of one trained model is one draw: another seed gives other heads. Where a model was trained from several seeds,
 * s is the standard deviation of the metric between them (k seeds, k − 1 degrees of freedom), and it is taken to hold for
 * the models that were trained once. Metrics move in steps of a head (n heads: 1/n), so that a few seeds may agree by
 * accident: s is taken as no less than one step. The difference of two means of a and b models then has the standard error
 * s·√(1/a + 1/b), and
 *
 *     told apart:  |difference| > t₀.₉₇₅ · s·√(1/a + 1/b)
 *     detectable:  (t₀.₉₇₅ + t₀.₈) · s·√(1/a + 1/b)    the least true difference that is detected in 80 % of trainings
 *
 * with Student's t. With three seeds t₀.₉₇₅ is 4.3: the power is small, and the report says how small.
 */
import { sampleDeviation } from "../math/intervals.ts";
import { studentQuantile } from "../math/student.ts";
import { METRICS, type MetricValues } from "../results/metrics.ts";
import { type SeedGroup, SIZE_METRICS, type SizeComparison, type SizeStep } from "../results/study.ts";

/** A model with its size and its metrics. */
export interface SizedModel {
  readonly name: string;
  /** Weights of the image transformer's layers. */
  readonly size: number;
  /** Heads that were analysed. */
  readonly heads: number;
  readonly values: MetricValues;
}

/** A name without its seed: `emoji-4x128-p16-s2` is the second seed of `emoji-4x128-p16`. */
export const withoutSeed = (name: string): string => name.replace(/-s\d+$/, "");

/** Compares every two groups of different size, by each of the {@link SIZE_METRICS}. */
export function compareSizes(models: readonly SizedModel[]): SizeComparison {
  const groups = groupSeeds(models);
  const scattered = groups
    .filter(({ models: { length } }) => length > 1)
    .reduce<SeedGroup | null>(
      (most, group) => (most === null || group.models.length > most.models.length ? group : most),
      null,
    );
  const steps = groups.flatMap((larger, i) =>
    groups
      .slice(0, i)
      .filter(({ size }) => size < larger.size)
      .flatMap((smaller) => SIZE_METRICS.flatMap((metric) => step(metric, smaller, larger, scattered))),
  );
  const seeds = scattered && { group: scattered.name, count: scattered.models.length };
  return { groups, seeds, steps };
}

function groupSeeds(models: readonly SizedModel[]): SeedGroup[] {
  const groups = new Map<string, SizedModel[]>();
  for (const model of models) {
    const key = JSON.stringify([withoutSeed(model.name), model.size]);
    groups.set(key, [...(groups.get(key) ?? []), model]);
  }
  const summary = (members: readonly SizedModel[], of: (values: readonly number[]) => number | null) =>
    Object.fromEntries(
      METRICS.map(({ key }) => {
        const values = members.map(({ values: all }) => all[key]).filter((value) => value !== null);
        return [key, values.length < members.length ? null : of(values)];
      }),
    ) as MetricValues;
  return [...groups.values()]
    .map((members) => ({
      name: withoutSeed(members[0].name),
      size: members[0].size,
      models: members.map(({ name }) => name),
      heads: Math.min(...members.map(({ heads }) => heads)),
      mean: summary(members, (values) => values.reduce((sum, value) => sum + value, 0) / values.length),
      deviation: summary(members, sampleDeviation),
    }))
    .sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1));
}

function step(
  metric: SizeStep["metric"],
  smaller: SeedGroup,
  larger: SeedGroup,
  scattered: SeedGroup | null,
): SizeStep[] {
  const [from, to] = [smaller.mean[metric], larger.mean[metric]];
  if (from === null || to === null) return [];
  const difference = to - from;
  const compared = { metric, smaller: smaller.name, larger: larger.name, difference };
  const deviation = scattered?.deviation[metric] ?? null;
  if (scattered === null || deviation === null) {
    const verdict = "no seeds to compare with";
    return [{ ...compared, scatter: null, critical: null, detectable: null, verdict }];
  }
  const scatter = Math.max(deviation, 1 / scattered.heads);
  const degrees = scattered.models.length - 1;
  const error = scatter * Math.sqrt(1 / smaller.models.length + 1 / larger.models.length);
  const critical = studentQuantile(0.975, degrees) * error;
  const detectable = critical + studentQuantile(0.8, degrees) * error;
  const better = METRICS.find(({ key }) => key === metric)?.better === "lower" ? -difference : difference;
  const verdict =
    Math.abs(difference) <= critical
      ? "not told apart"
      : better > 0
        ? "more interpretable"
        : "less interpretable";
  return [{ ...compared, scatter, critical, detectable, verdict }];
}
