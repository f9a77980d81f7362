/**
 * Which heads carry a cue: orders of all heads, the strongest first, each by another kind of evidence. Only validation
 * images are looked at.
 */
import { createSearch } from "../../corpus/search.ts";
import { distribution } from "../../math/rank.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { headName } from "../../model/components.ts";
import { contrastProbe } from "../../model/probe.ts";
import type { CueGap } from "../../results/debias.ts";
import { headOf } from "../../results/shapes.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import type { Ablation } from "../ablation/ablation.ts";
import type { Grouping } from "../selectivity/groupings.ts";
import { explainByFactors } from "../selectivity/selectivity.ts";
import { lowestShares, problemHits } from "../zero-shot/problem.ts";
import type { CueProblem } from "./cue-problem.ts";

/** Heads in an order, with what put each in its place. */
export interface HeadOrder {
  readonly heads: readonly { readonly unit: number; readonly value: number }[];
}

const ordered = (values: readonly number[]): HeadOrder => ({
  heads: values.map((value, unit) => ({ unit, value })).sort((a, b) => b.value - a.value || a.unit - b.unit),
});

/**
 * By selectivity: the share of a head's variance that the cue explains, less the share that the classes explain (ε²,
 * `selectivity.ts`). Asks for the cue and class of images, not for scores.
 */
export async function bySelectivity(
  model: Pick<ClipModel, "geometry" | "matmul">,
  { index, rows, cue, truth, classSet, validationAt }: CueProblem,
  work: WorkOptions = {},
): Promise<HeadOrder> {
  const { geometry } = model;
  const n = index.images.length;
  const grouping = (name: string, values: readonly string[], of: Int32Array): Grouping => {
    const groups = new Int32Array(n).fill(-1);
    for (const at of validationAt) groups[rows[at]] = of[at];
    return { name, values, groups, images: validationAt.length };
  };
  const classes = classSet.classes.map(({ name }) => name);
  const groupings = [grouping("cue", cue.names, cue.groups), grouping("class", classes, truth)];
  const found = await explainByFactors(index, model, { permutations: 0, groupings, ...work });
  const shares = new Map(found.heads.map(({ name, factors }) => [name, factors[0].share - factors[1].share]));
  return ordered(
    Array.from(
      { length: geometry.layers * geometry.heads },
      (_, unit) => shares.get(headName(Math.floor(unit / geometry.heads), unit % geometry.heads)) ?? 0,
    ),
  );
}

/**
 * By texts: the variance of what a head adds along the contrast of the cue's texts (each against the mean of the
 * others), mean over them. Asks for no label at all.
 * @param probes one unit vector [D] a value of the cue; at least two
 */
export async function byTexts(
  { geometry, matmul }: Pick<ClipModel, "geometry" | "matmul">,
  { index, rows, validationAt }: CueProblem,
  probes: readonly Float64Array[],
  { signal }: WorkOptions = {},
): Promise<HeadOrder> {
  const search = createSearch(index, geometry, matmul);
  const contrasts = probes.map((probe, i) =>
    contrastProbe(
      probe,
      probes.filter((_, j) => j !== i),
    ),
  );
  const { layers, heads } = geometry;
  const values: number[] = [];
  for (let unit = 0; unit < layers * heads; unit++) {
    checkCancelled(signal);
    const set = { heads: [{ layer: Math.floor(unit / heads), head: unit % heads, weight: 1 }], mlps: [] };
    let variance = 0;
    for (const contrast of contrasts) {
      const scores = await search.scores(contrast, set);
      variance += distribution(Float64Array.from(validationAt, (at) => scores[rows[at]])).deviation ** 2;
    }
    values.push(variance / contrasts.length);
  }
  return ordered(values);
}

/**
 * The margin of an image is the score of its class less the mean score of the other classes of its contest. For each
 * class, the cue's value against it is the one where the whole model's mean margin is least; the gap is the mean
 * margin elsewhere less the mean margin there, averaged over classes. Margins are linear in contributions, so the
 * gaps of all components add up to the whole model's.
 */
export async function cueGap(problem: CueProblem): Promise<CueGap> {
  const { scores, truth, contests, cue, validationAt } = problem;
  const { classes, layers, heads } = scores;
  const rivals = Float64Array.from(
    contests,
    (contest) => contests.filter((other) => other === contest).length - 1,
  );
  const margins = (of: Float64Array | Float32Array) =>
    Float64Array.from(validationAt, (at) => {
      const own = truth[at];
      if (rivals[own] === 0) return 0;
      let others = 0;
      for (let c = 0; c < classes; c++) {
        if (c !== own && contests[c] === contests[own]) others += of[at * classes + c];
      }
      return of[at * classes + own] - others / rivals[own];
    });
  const values = cue.names.length;
  /** [C, values]: mean margin and count of each class at each value of the cue. */
  const means = (margin: Float64Array) => {
    const sums = new Float64Array(classes * values);
    const counts = new Float64Array(classes * values);
    for (const [i, at] of validationAt.entries()) {
      const cell = truth[at] * values + cue.groups[at];
      sums[cell] += margin[i];
      counts[cell]++;
    }
    return sums.map((sum, cell) => (counts[cell] === 0 ? Number.NaN : sum / counts[cell]));
  };
  const whole = means(margins(await scores.whole()));
  const against = Array.from({ length: classes }, (_, c) => {
    const known = Array.from({ length: values }, (_, v) => v).filter(
      (v) => !Number.isNaN(whole[c * values + v]),
    );
    const least = known.reduce(
      (low, v) => (whole[c * values + v] < whole[c * values + low] ? v : low),
      known[0] ?? -1,
    );
    return { c, least, others: known.filter((v) => v !== least) };
  }).filter(({ others }) => others.length > 0);
  const gap = (mean: Float64Array) => {
    let sum = 0;
    for (const { c, least, others } of against) {
      const elsewhere = others.reduce((total, v) => total + mean[c * values + v], 0) / others.length;
      sum += elsewhere - mean[c * values + least];
    }
    return against.length === 0 ? 0 : sum / against.length;
  };
  const perHead: CueGap["heads"] = [];
  for (let unit = 0; unit < layers * heads; unit++) {
    const head = headOf(Math.floor(unit / heads), unit % heads);
    perHead.push({ ...head, value: gap(means(margins(await scores.head(head.layer, head.head)))) });
  }
  return { heads: perHead, mlps: gap(means(margins(await scores.mlps()))), whole: gap(whole) };
}

/** By gap: the heads that add most to it. Asks for class and cue of images, and for scores. */
export const byGap = (gap: CueGap): HeadOrder => ordered(gap.heads.map(({ value }) => value));

/**
 * Greedily: one head after another, each time the one without which worst-group accuracy on the validation images is
 * highest, then the average, then the head of lower number.
 */
export async function byGreed(
  problem: CueProblem,
  ablation: Ablation,
  most: number,
  { report, signal }: WorkOptions = {},
): Promise<HeadOrder> {
  const { layers, heads } = problem.scores;
  const left = new Set(Array.from({ length: layers * heads }, (_, unit) => unit));
  const chosen: { unit: number; value: number }[] = [];
  let scores = await ablation.whole();
  const task = "choosing heads one by one";
  report?.({ type: "start", task, unit: "head", total: most });
  while (chosen.length < most && left.size > 0) {
    let best: { unit: number; value: number; average: number; scores: Float64Array } | undefined;
    for (const unit of left) {
      checkCancelled(signal);
      const without = scores.slice();
      await ablation.takeHead(without, Math.floor(unit / heads), unit % heads);
      const { worst, average } = lowestShares(problemHits(problem, without), problem.validation);
      const better =
        best === undefined || worst > best.value || (worst === best.value && average > best.average);
      if (better) best = { unit, value: worst, average, scores: without };
    }
    if (!best) break;
    chosen.push({ unit: best.unit, value: best.value });
    left.delete(best.unit);
    scores = best.scores;
    report?.({ type: "advance", task, done: chosen.length, total: most });
  }
  report?.({ type: "end", task, done: chosen.length });
  return { heads: chosen };
}
