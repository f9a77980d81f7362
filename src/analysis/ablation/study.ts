/**
 * What components are worth to zero-shot classification: accuracy with the direct effects of some replaced, each row
 * beside as many heads drawn at random.
 *
 * The rows are those of two papers. "Interpreting CLIP's Image Representation via Text-Based Decomposition" (§3.2):
 * every MLP replaced; the heads of layer after layer replaced; nothing kept but the heads of the last layers. "Pruning
 * the Paradox" (concept consistency): heads of high consistency against heads of low.
 */
import type { ClipModel } from "../../model/clip-model.ts";
import { type ComponentSet, mlpCount, type NamedSet } from "../../model/components.ts";
import type { ControlBand, Replacement } from "../../results/accuracy.ts";
import { originOf } from "../../results/origin.ts";
import { componentsOf } from "../../results/shapes.ts";
import { type AblationRow, type ZeroShotResult, zeroShotResult } from "../../results/zero-shot.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { problemAccuracy, problemHits, type ZeroShotProblem } from "../zero-shot/problem.ts";
import { shareOf, sharesOf, worstOf } from "../zero-shot/zero-shot.ts";
import { createAblation } from "./ablation.ts";
import { studyForward } from "./forward-study.ts";
import { bandOf, drawControls, drawDirections, randomOrders, sameHeads } from "./random-heads.ts";

/** How the study is made. */
export interface StudyOptions extends WorkOptions {
  readonly replacement?: Replacement;
  /** Sets of random heads beside each row. Default: 100. */
  readonly random?: number;
  readonly seed?: number;
  /** Whether the rows by layer are wanted too. Default: true. */
  readonly layers?: boolean;
}

/**
 * "What is a component worth to classification?": accuracy with and without sets of components and whole layers, beside
 * random heads.
 * @param forwardImages take the sets away inside the network too, over at most as many images
 * @throws `HEADS_INVALID` for MLP terms that the index does not hold, what `studyForward` throws, `CANCELLED`
 * @example
 * ```ts
 * import { evaluateZeroShot, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { defaultClasses, prepareZeroShot } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const problem = await prepareZeroShot(model, index, defaultClasses(index, "background"));
 * const { whole, rows } = await evaluateZeroShot(model, problem, [parseHeads(model, "L0.H1,L1.H0")], { random: 20 });
 * console.log(whole.all.share.toFixed(2), rows[0].accuracy.share.toFixed(2), rows[0].random?.mean.toFixed(2));
 * // → 1.00 0.42 0.98
 * ```
 */
export async function evaluateZeroShot(
  model: ClipModel,
  problem: ZeroShotProblem,
  sets: readonly NamedSet[],
  { forwardImages, ...options }: StudyOptions & { readonly forwardImages?: number } = {},
): Promise<ZeroShotResult> {
  const { index, classSet, rows, truth, contests } = problem;
  const { replacement = "mean" } = options;
  const study = await studyAblation(problem, sets, options);
  const inner = replacement === "mean" ? "position" : "nothing";
  const forward =
    forwardImages === undefined
      ? null
      : await studyForward(model, problem, sets, { ...options, replacement: inner, images: forwardImages });
  const rivals = (at: number) => contests.filter((contest) => contest === contests[truth[at]]).length;
  return zeroShotResult(await originOf({ model, index }), {
    factor: classSet.factor,
    classes: classSet.classes.length,
    chance: rows.reduce((sum, _, at) => sum + 1 / rivals(at), 0) / rows.length,
    images: rows.length,
    leftOut: index.images.length - rows.length,
    replacement,
    ...study,
    forward,
  });
}

/**
 * Ablates sets and whole layers.
 * @throws `HEADS_INVALID` for MLP terms that the index does not hold, `CANCELLED`
 */
export async function studyAblation(
  problem: ZeroShotProblem,
  sets: readonly NamedSet[],
  { replacement = "mean", random = 100, seed = 0, layers: byLayer = true, report, signal }: StudyOptions = {},
): Promise<Pick<ZeroShotResult, "whole" | "rows">> {
  const { scores } = problem;
  const { layers, heads } = scores;
  const terms = mlpCount(scores);
  const ablation = createAblation(scores, { replacement });
  const units = Array.from({ length: layers * heads }, (_, unit) => unit);
  const allMlps = Array.from({ length: terms }, (_, index) => ({ index, weight: 1 }));
  const plans: Plan[] = [...sets.map(({ name, set }) => ({ name, kind: "set" as const, at: null, set }))];
  if (byLayer) plans.push(...layerPlans(layers, heads, allMlps));

  const accuracy = async (set: ComponentSet) => {
    const hits = problemHits(problem, await ablation.without(set));
    const groups = problem.groups ? sharesOf(hits, problem.groups) : [];
    return { accuracy: shareOf(hits), worst: worstOf(groups) };
  };

  const task = "ablating";
  report?.({ type: "start", task, unit: "row", total: plans.length });
  const rows: AblationRow[] = [];
  let byOrder: OrderedShares | undefined;
  for (const { name, kind, at, set } of plans) {
    checkCancelled(signal);
    const own = set.heads.map(({ layer, head }) => layer * heads + head);
    const { accuracy: share, worst } = await accuracy(set);
    const curve = kind === "up-to" || kind === "kept";
    if (curve) byOrder ??= await orderedAccuracies();
    const ordered = curve ? byOrder?.get(`${set.mlps.length} ${own.length}`) : undefined;
    const band = ordered
      ? bandOf(
          ordered.filter((draw) => !sameHeads(draw.own, own)).map((draw) => draw.share),
          share.share,
          false,
        )
      : await drawn(set, own, share.share);
    rows.push({
      ...{ kind, at, components: componentsOf(name, set, scores) },
      ...{ accuracy: share, worst, random: band },
    });
    report?.({ type: "advance", task, done: rows.length, total: plans.length });
  }
  report?.({ type: "end", task, done: rows.length });
  return { whole: problemAccuracy(problem, await ablation.whole()), rows };

  /** As many other heads with the same weights, beside the same MLPs. */
  async function drawn(
    set: ComponentSet,
    own: readonly number[],
    share: number,
  ): Promise<ControlBand | null> {
    const shares: number[] = [];
    if (set.directions) {
      const controls = drawDirections(set, "heads", random, scores, seed);
      for (const control of controls.sets) {
        checkCancelled(signal);
        shares.push(shareOf(problemHits(problem, await ablation.without(control))).share);
      }
      return bandOf(shares, share, controls.exhaustive);
    }
    const controls = drawControls(units, own.length, random, { seed, except: own });
    for (const control of controls.sets) {
      checkCancelled(signal);
      const left = await ablation.whole();
      for (const [i, unit] of control.entries()) {
        await ablation.takeHead(left, Math.floor(unit / heads), unit % heads, set.heads[i].weight);
      }
      await ablation.takeMlps(left, set.mlps);
      shares.push(shareOf(problemHits(problem, left)).share);
    }
    return bandOf(shares, share, controls.exhaustive);
  }

  /** Accuracy along random orders of all heads, with and without MLPs, at every whole number of layers. */
  async function orderedAccuracies(): Promise<OrderedShares> {
    const found: OrderedShares = new Map();
    const orders = randomOrders(units, random, seed);
    const label = "random heads";
    report?.({ type: "start", task: label, unit: "order", total: orders.length });
    for (const [done, order] of orders.entries()) {
      for (const mlps of [[], allMlps]) {
        const left = await ablation.whole();
        await ablation.takeMlps(left, mlps);
        for (const [i, unit] of order.slice(0, -heads).entries()) {
          checkCancelled(signal);
          await ablation.takeHead(left, Math.floor(unit / heads), unit % heads);
          if ((i + 1) % heads !== 0) continue;
          const key = `${mlps.length} ${i + 1}`;
          const shares = found.get(key) ?? [];
          shares.push({ own: order.slice(0, i + 1), share: shareOf(problemHits(problem, left)).share });
          found.set(key, shares);
        }
      }
      report?.({ type: "advance", task: label, done: done + 1, total: orders.length });
    }
    report?.({ type: "end", task: label, done: orders.length });
    return found;
  }
}

/** By the number of MLPs and of heads: the heads that an order begins with, and the accuracy without them. */
type OrderedShares = Map<string, { readonly own: readonly number[]; readonly share: number }[]>;

interface Plan extends NamedSet {
  readonly kind: AblationRow["kind"];
  readonly at: number | null;
}

/** The base paper's rows. */
function layerPlans(layers: number, heads: number, mlps: ComponentSet["mlps"]): Plan[] {
  const of = (from: number, to: number) =>
    Array.from({ length: Math.max(0, to - from) * heads }, (_, i) => ({
      layer: from + Math.floor(i / heads),
      head: i % heads,
      weight: 1,
    }));
  const each = Array.from({ length: layers }, (_, layer) => layer);
  return [
    { name: "every MLP", kind: "all", at: null, set: { heads: [], mlps } },
    { name: "every head", kind: "all", at: null, set: { heads: of(0, layers), mlps: [] } },
    ...each.map(
      (layer): Plan => ({
        ...{ name: `heads of L${layer}`, kind: "layer", at: layer },
        set: { heads: of(layer, layer + 1), mlps: [] },
      }),
    ),
    ...each.slice(1, -1).map(
      (layer): Plan => ({
        ...{ name: `heads of L0–L${layer}`, kind: "up-to", at: layer },
        set: { heads: of(0, layer + 1), mlps: [] },
      }),
    ),
    ...each.slice(0, -1).map(
      (layer): Plan => ({
        ...{
          name: `all but heads of ${layer === 0 ? "the last layer" : `the last ${layer + 1}`}`,
          kind: "kept",
          at: layer + 1,
        },
        set: { heads: of(0, layers - layer - 1), mlps },
      }),
    ),
  ];
}
