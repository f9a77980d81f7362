/**
 * Whether larger models are more interpretable, by one metric at a time, and what could have been seen.
 *
 * Models are compared on equal terms (`equal-terms.ts`): heads of the same relative depth, and metrics that depend on the
 * number of heads for as many as the model with the fewest has there.
 *
 * A metric of one trained model is one draw: another seed gives other heads. s is the standard deviation of the metric
 * between seeds, pooled over the groups of models that were trained from several (Σ(k − 1)s²/Σ(k − 1), with that many
 * degrees of freedom), and it is taken to hold for the models that were trained once. Metrics move in steps of a head (n
 * heads: 1/n), so that a few seeds may agree by accident: s is taken as no less than one step. The difference of two means
 * of a and b models is then
 *
 *     t = difference / (s·√(1/a + 1/b))
 *
 * with Student's t; the p-values of all comparisons are corrected together (Holm). Detectable is the least true difference
 * that is found in 80 % of trainings at the level α/m of the strictest of m comparisons: the effect at which the noncentral
 * t distribution lies beyond the critical value with that probability.
 */
import { holm } from "../math/holm.ts";
import { sampleDeviation } from "../math/intervals.ts";
import { detectableShift, studentP } from "../math/student.ts";
import { METRICS, type MetricValues } from "../results/metrics.ts";
import { type SeedGroup, SIZE_METRICS, type SizeComparison, type SizeStep } from "../results/study.ts";
import { equalTerms, type HeadsOfModel, measureEqually } from "./equal-terms.ts";

/** A model with its size and its heads. */
export interface SizedModel extends HeadsOfModel {
  readonly name: string;
  /** Weights of the image transformer's layers. */
  readonly size: number;
}

const [LEVEL, POWER] = [0.05, 0.8];

/** A name without its seed: `emoji-4x128-p16-s2` is the second seed of `emoji-4x128-p16`. */
export const withoutSeed = (name: string): string => name.replace(/-s\d+$/, "");

/** Compares every two groups of different size, by each of the {@link SIZE_METRICS}. */
export function compareSizes(models: readonly SizedModel[]): SizeComparison {
  const terms = equalTerms(models);
  const groups = groupSeeds(models.map((model) => ({ ...model, values: measureEqually(model, terms) })));
  const scattered = groups.filter(({ models: { length } }) => length > 1);
  const degrees = scattered.reduce((sum, { models: { length } }) => sum + length - 1, 0);
  const open = groups.flatMap((larger, i) =>
    groups
      .slice(0, i)
      .filter(({ size }) => size < larger.size)
      .flatMap((smaller) =>
        SIZE_METRICS.flatMap((metric) => differenceOf(metric, smaller, larger, scattered, terms.heads)),
      ),
  );
  const tested = open.filter(({ p }) => p !== null);
  const corrected = new Map(holm(tested.map(({ p }) => p!)).map((p, i) => [tested[i], p]));
  const shift = tested.length === 0 ? null : detectableShift(LEVEL / tested.length, POWER, degrees);
  return {
    ...terms,
    groups,
    seeds: degrees === 0 ? null : { groups: scattered.map(({ name }) => name), degrees },
    steps: open.map((one) => {
      const { error, ...step } = one;
      const pHolm = corrected.get(one) ?? null;
      return {
        ...step,
        pHolm,
        detectable: error === null || shift === null ? null : shift * error,
        verdict: verdictOf(step, pHolm),
      };
    }),
  };
}

function groupSeeds(models: readonly (SizedModel & { values: MetricValues })[]): SeedGroup[] {
  const groups = new Map<string, (SizedModel & { values: MetricValues })[]>();
  for (const model of models) {
    const key = JSON.stringify([withoutSeed(model.name), model.size]);
    groups.set(key, [...(groups.get(key) ?? []), model]);
  }
  const summary = (
    members: readonly { values: MetricValues }[],
    of: (values: readonly number[]) => number | null,
  ) =>
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
      mean: summary(members, (values) => values.reduce((sum, value) => sum + value, 0) / values.length),
      deviation: summary(members, sampleDeviation),
    }))
    .sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1));
}

type OpenStep = Omit<SizeStep, "pHolm" | "detectable" | "verdict"> & { error: number | null };

function differenceOf(
  metric: SizeStep["metric"],
  smaller: SeedGroup,
  larger: SeedGroup,
  scattered: readonly SeedGroup[],
  heads: number,
): OpenStep[] {
  const [from, to] = [smaller.mean[metric], larger.mean[metric]];
  if (from === null || to === null) return [];
  const difference = to - from;
  const compared = { metric, smaller: smaller.name, larger: larger.name, difference };
  const known = scattered.flatMap(({ models, deviation }) => {
    const own = deviation[metric];
    return own === null ? [] : [{ squares: (models.length - 1) * own ** 2, degrees: models.length - 1 }];
  });
  const degrees = known.reduce((sum, one) => sum + one.degrees, 0);
  if (degrees === 0) return [{ ...compared, scatter: null, p: null, error: null }];
  const pooled = Math.sqrt(known.reduce((sum, { squares }) => sum + squares, 0) / degrees);
  const scatter = Math.max(pooled, 1 / heads);
  const error = scatter * Math.sqrt(1 / smaller.models.length + 1 / larger.models.length);
  return [{ ...compared, scatter, p: studentP(difference / error, degrees), error }];
}

function verdictOf(
  { metric, difference }: Pick<SizeStep, "metric" | "difference">,
  pHolm: number | null,
): SizeStep["verdict"] {
  if (pHolm === null) return "no seeds to compare with";
  if (pHolm >= LEVEL) return "not told apart";
  const lower = METRICS.find(({ key }) => key === metric)?.better === "lower";
  return difference > 0 !== lower ? "more interpretable" : "less interpretable";
}
