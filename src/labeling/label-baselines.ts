/**
 * What the metrics are for labels that were given without a look at the head, as the same judge sees them:
 *
 * - **constant**: every head has the label that is given most often;
 * - **random**: each head has one of the labels that were given, each as likely;
 * - **permuted**: the labels are dealt out again at random among the heads.
 *
 * A label is judged once for a head, so a language model is asked at most (labels given) × (heads) times.
 */
import { Random } from "../math/random.ts";
import {
  LABEL_BASELINES,
  type LabelBaseline,
  type LabelBaselines,
  type MetricValues,
  valuesOf,
} from "../results/metrics.ts";
import { atOnce } from "../support/at-once.ts";
import { checkCancelled } from "../support/progress.ts";
import { type BaselineOptions, intervalsOf, shuffled } from "./baselines.ts";
import type { Described, Judge } from "./labeller.ts";
import { isOfOneAnswer } from "./llm-errors.ts";
import { countLabels, DESCRIPTIONS, type JudgedHead, measureLabels } from "./metrics.ts";

/** How they are drawn and judged. */
export interface LabelBaselineOptions extends BaselineOptions {
  /** Heads at a time. Default: 1. */
  readonly concurrency?: number;
}

/**
 * The metrics under the three baselines. A head about which a judge gives no usable answer counts as not judged.
 * @param heads with their labels; `described` has their descriptions
 */
export async function measureLabelBaselines(
  heads: readonly JudgedHead[],
  described: readonly Described[],
  judge: Judge,
  { draws = 1000, seed = 0, concurrency = 1, signal, report }: LabelBaselineOptions = {},
): Promise<LabelBaselines> {
  const options = { ...(signal && { signal }), ...(report && { report }) };
  const judged = new Map<string, Promise<readonly boolean[]>>();
  const byName = new Map(described.map((head) => [head.name, head]));
  const ask = async (label: string, name: string): Promise<readonly boolean[]> => {
    const head = byName.get(name)!;
    const first = { ...head, descriptions: head.descriptions.slice(0, DESCRIPTIONS) };
    try {
      return (await judge(label, first, options)).consistent;
    } catch (error) {
      if (isOfOneAnswer(error)) return [];
      throw error;
    }
  };
  const verdicts = (label: string, name: string) => {
    const key = JSON.stringify([label, name]);
    const known = judged.get(key) ?? ask(label, name);
    judged.set(key, known);
    return known;
  };
  const labels = heads.map(({ label }) => label);
  const counts = countLabels(labels);
  const distinct = [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1));
  const draw: Record<LabelBaseline, (random: Random) => readonly string[]> = {
    constant: () => labels.map(() => distinct[0]),
    random: (random) => labels.map(() => random.pick(distinct)),
    permuted: (random) => shuffled(labels, random),
  };
  const measured: Partial<LabelBaselines> = {};
  for (const [family, name] of LABEL_BASELINES.entries()) {
    const times = heads.length === 0 ? 0 : name === "constant" ? 1 : draws;
    const values: MetricValues[] = [];
    for (let i = 0; i < times; i++) {
      checkCancelled(signal);
      const given = draw[name](new Random(seed + family, i));
      const anew = await atOnce(concurrency, heads, async ({ layer, head, name: own }, h) => ({
        ...{ layer, head, name: own, label: given[h], consistent: await verdicts(given[h], own) },
      }));
      values.push(valuesOf(measureLabels(anew)));
    }
    measured[name] = intervalsOf(values);
  }
  return measured as LabelBaselines;
}
