/**
 * What components are worth to zero-shot classification: accuracy with the direct effects of some replaced, each row
 * beside as many heads drawn at random.
 *
 * The rows are those of two papers. "Interpreting CLIP's Image Representation via Text-Based Decomposition" (§3.2):
 * every MLP replaced; the heads of layer after layer replaced; nothing kept but the heads of the last layers. "Pruning
 * the Paradox" (concept consistency): heads of high consistency against heads of low.
 */
import type { Share } from "../../math/wilson.ts";
import type { ComponentSet, NamedSet } from "../../model/components.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { checkCancelled } from "../../support/progress.ts";
import { problemAccuracy, problemHits, type ZeroShotProblem } from "../zero-shot/problem.ts";
import type { NamedShare, ZeroShotAccuracy } from "../zero-shot/zero-shot.ts";
import { shareOf, sharesOf, worstOf } from "../zero-shot/zero-shot.ts";
import { type AblationMode, createAblation, headNames } from "./ablation.ts";
import { bandOf, type ControlBand, drawControls, randomOrders, sameHeads } from "./random-heads.ts";

/** What a row is about, for a reader and for a picture. */
export const ROW_KINDS = ["set", "all", "layer", "up-to", "kept"] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** Accuracy without some components. */
export interface AblationRow {
  readonly name: string;
  readonly kind: RowKind;
  /** The layer, for `layer` and `up-to`; how many of the last layers are kept, for `kept`; else null. */
  readonly at: number | null;
  readonly heads: readonly string[];
  /** How many MLP terms are ablated, `embed` among them. */
  readonly mlps: number;
  readonly accuracy: Share;
  readonly worst: NamedShare | null;
  /** Accuracy when as many random heads are ablated beside the same MLPs; null where no other heads are left. */
  readonly random: ControlBand | null;
}

/** What {@link studyAblation} found. */
export interface AblationStudy {
  readonly mode: AblationMode;
  readonly whole: ZeroShotAccuracy;
  readonly rows: readonly AblationRow[];
}

/** How the study is made. */
export interface StudyOptions extends WorkOptions {
  readonly mode?: AblationMode;
  /** Sets of random heads beside each row. Default: 100. */
  readonly random?: number;
  readonly seed?: number;
  /** Whether the rows by layer are wanted too. Default: true. */
  readonly layers?: boolean;
}

/**
 * Ablates sets and whole layers.
 * @throws `HEADS_INVALID` for MLP terms that the index does not hold, `CANCELLED`
 */
export async function studyAblation(
  problem: ZeroShotProblem,
  sets: readonly NamedSet[],
  { mode = "mean", random = 100, seed = 0, layers: byLayer = true, report, signal }: StudyOptions = {},
): Promise<AblationStudy> {
  const { scores } = problem;
  const { layers, heads } = scores;
  const ablation = createAblation(scores, { mode });
  const units = Array.from({ length: layers * heads }, (_, unit) => unit);
  const allMlps = Array.from({ length: layers + 1 }, (_, index) => ({ index, weight: 1 }));
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
      ...{ name, kind, at, heads: headNames(set) },
      ...{ mlps: set.mlps.length, accuracy: share, worst, random: band },
    });
    report?.({ type: "advance", task, done: rows.length, total: plans.length });
  }
  report?.({ type: "end", task, done: rows.length });
  return { mode, whole: problemAccuracy(problem, await ablation.whole()), rows };

  /** As many other heads with the same weights, beside the same MLPs. */
  async function drawn(
    set: ComponentSet,
    own: readonly number[],
    share: number,
  ): Promise<ControlBand | null> {
    const controls = drawControls(units, own.length, random, { seed, except: own });
    const shares: number[] = [];
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
  readonly kind: RowKind;
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
