/**
 * Whether the model loses what a head is said to do when the head is taken out: what it writes into an image is replaced by
 * its mean over images ("Interpreting CLIP's Image Representation via Text-Based Decomposition", §3.2), and every factor is
 * read off the embedding again, zero-shot by the texts that say its values. D(h, f) is the accuracy on factor f that is lost
 * without head h. Of labels l(h),
 *
 *     own = mean D(h, l(h)),   others = mean over h and f ≠ l(h) of D(h, f),   peers = mean over h' ≠ h of h's layer of D(h', l(h))
 *
 * Dealt out again within a layer, labels keep what each head and each factor loses by itself, so that permutation tests what
 * belongs to the pairs: that a head's own factor suffers from it more than from the layer's other heads.
 */
import { createAblation } from "../analysis/ablation/ablation.ts";
import { findGroupings } from "../analysis/selectivity/groupings.ts";
import { speakFactors } from "../analysis/selectivity/sign.ts";
import { createClassScores } from "../analysis/zero-shot/class-scores.ts";
import { createHeadCache } from "../corpus/head-cache.ts";
import type { Index } from "../corpus/open-index.ts";
import { speaksOf } from "../labeling/truth.ts";
import { percentileInterval } from "../math/intervals.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { RefereeCausal } from "../results/referee.ts";
import type { Head } from "../results/shapes.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { type ChanceOptions, dealLabels, layerOf, shareAsHigh } from "./score.ts";

/** What is lost without heads. */
export interface Drops {
  /** [factors]: of the whole embedding. */
  readonly accuracies: number[];
  /** [heads][factors]. */
  readonly drops: number[][];
}

/**
 * Takes out every head by itself.
 * @param factors properties; each is read as the first factor of the images that it speaks of
 */
export async function measureDrops(
  model: ClipModel,
  index: Index,
  heads: readonly Head[],
  factors: readonly string[],
  work: WorkOptions = {},
): Promise<Drops> {
  const cache = createHeadCache(index);
  const groupings = findGroupings(index);
  const read = factors.map((property) => groupings.find(({ name }) => speaksOf(property, name))!);
  const spoken = await speakFactors(model, read, {}, work);
  const accuracies: number[] = [];
  const drops: number[][] = heads.map(() => []);
  const task = "taking heads out";
  const total = factors.length * heads.length;
  work.report?.({ type: "start", task, unit: "head", total });
  for (const [f, { groups, values }] of read.entries()) {
    const rows = [...groups.keys()].filter((row) => groups[row] >= 0);
    const truth = rows.map((row) => groups[row]);
    const scores = createClassScores(model, index, Float64Array.from(spoken[f].probes), rows, cache);
    const ablation = createAblation(scores);
    const whole = await ablation.whole();
    const accuracy = accuracyOf(whole, truth, values.length);
    accuracies.push(accuracy);
    for (const [h, { layer, head }] of heads.entries()) {
      checkCancelled(work.signal);
      const left = Float64Array.from(whole);
      await ablation.takeHead(left, layer, head);
      drops[h].push(accuracy - accuracyOf(left, truth, values.length));
      work.report?.({ type: "advance", task, done: f * heads.length + h + 1, total });
    }
  }
  work.report?.({ type: "end", task, done: total });
  return { accuracies, drops };
}

/** Share of images whose own value has the highest score. @param scores [n, values] */
function accuracyOf(scores: Float64Array, truth: readonly number[], values: number): number {
  let hits = 0;
  for (const [i, own] of truth.entries()) {
    let best = 0;
    for (let v = 1; v < values; v++) if (scores[i * values + v] > scores[i * values + best]) best = v;
    if (best === own) hits++;
  }
  return truth.length === 0 ? 0 : hits / truth.length;
}

/** A labelled head with what is lost without it. */
export interface TakenOut {
  readonly model: string;
  readonly layer: number;
  readonly name: string;
  readonly label: string | null;
  /** What is lost on a factor. */
  readonly drop: (factor: string) => number | undefined;
  /** Its model's factors. */
  readonly factors: readonly string[];
}

/** Compares labels with what is lost; heads whose label is no factor are left out. Null where none has one. */
export function scoreDrops(
  all: readonly TakenOut[],
  options: ChanceOptions,
): Omit<RefereeCausal, "pHolm"> | null {
  const heads = all.filter(({ label, factors }) => label !== null && factors.includes(label));
  if (heads.length === 0) return null;
  // Dealt within a layer of one model, every label is one of its factors.
  const ownOf = (labels: readonly (string | null)[]) => mean(heads.map(({ drop }, i) => drop(labels[i]!)!));
  const own = ownOf(heads.map(({ label }) => label));
  const byChance = dealLabels(heads, layerOf, options, ownOf);
  const others = heads.map(({ label, drop, factors }) =>
    mean(factors.filter((factor) => factor !== label).map((factor) => drop(factor)!)),
  );
  const peers = heads.flatMap((head) => {
    const beside = all.filter((other) => layerOf(other) === layerOf(head) && other.name !== head.name);
    return beside.length === 0 ? [] : [mean(beside.map(({ drop }) => drop(head.label!)!))];
  });
  const differences = heads.map(({ label, drop }, i) => drop(label!)! - others[i]);
  const more = differences.filter((value) => value > 1e-12).length;
  const less = differences.filter((value) => value < -1e-12).length;
  return {
    ...{ heads: heads.length, own, others: mean(others), peers: peers.length === 0 ? 0 : mean(peers) },
    ...{ byChance: percentileInterval(byChance), p: shareAsHigh(byChance, own) },
    ...{ more, less },
  };
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
