/**
 * Removing a spurious cue: the heads that carry it are found on validation images and their direct effects replaced by
 * their means; what that does to worst-group accuracy is told on held-out images, beside random heads. After
 * "Interpreting CLIP's Image Representation via Text-Based Decomposition" (§4.3, Waterbirds), where heads were chosen
 * by hand from their descriptions; here they are chosen by measures, and how many by validation.
 */
import type { ClipModel } from "../../model/clip-model.ts";
import { headName } from "../../model/components.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { type AblationMode, createAblation, headSet } from "../ablation/ablation.ts";
import { bandOf, type ControlBand, combinations, drawControls } from "../ablation/random-heads.ts";
import { problemHits, type Robustness, robustnessOf } from "../zero-shot/problem.ts";
import { type NamedShare, sharesOf } from "../zero-shot/zero-shot.ts";
import { byGap, byGreed, bySelectivity, byTexts, type CueGap, cueGap, type HeadOrder } from "./cue-heads.ts";
import type { SplitProblem } from "./cue-problem.ts";

/** How heads are put in order. */
export const SELECTIONS = ["selectivity", "texts", "gap", "greedy"] as const;
export type SelectionName = (typeof SELECTIONS)[number] | "given";

/** Robustness on both halves. */
export interface Halves {
  readonly validation: Robustness;
  readonly test: Robustness;
}

/** Without the first k heads of an order. */
export interface DebiasStep extends Halves {
  readonly heads: readonly string[];
}

/** Random sets of as many heads: from the layers of the chosen ones, or from all. */
export interface DebiasControls {
  readonly from: "same layers" | "all layers";
  readonly average: ControlBand;
  readonly worst: ControlBand;
}

/** One way of choosing heads. */
export interface DebiasSelection {
  readonly selection: SelectionName;
  /** Heads in order, with what put them there. */
  readonly order: readonly { readonly head: string; readonly value: number }[];
  /** Step k is without the first k + 1 heads. */
  readonly steps: readonly DebiasStep[];
  /** Heads of the step of highest worst-group accuracy on validation; none where no step helps there. */
  readonly chosen: readonly string[];
  readonly outcome: Halves;
  readonly controls: readonly DebiasControls[];
}

/** A group of held-out images before and after. */
export interface GroupChange {
  readonly name: string;
  readonly before: NamedShare;
  readonly after: NamedShare;
  /** Its accuracy without random heads of the same layers, or of all layers where those are few. */
  readonly random: ControlBand | null;
}

/** Held-out images without k heads drawn at random from all. */
export interface RandomStep {
  readonly average: ControlBand;
  readonly worst: ControlBand;
}

/** What {@link debias} found. */
export interface DebiasResult {
  readonly mode: AblationMode;
  readonly images: { readonly validation: number; readonly test: number; readonly leftOut: number };
  readonly before: Halves;
  /** On validation images. */
  readonly gap: CueGap;
  readonly selections: readonly DebiasSelection[];
  /** The position among the selections of the one that was to be used. */
  readonly used: number;
  /** By that selection, on held-out images. */
  readonly groups: readonly GroupChange[];
  /** Step k is without k + 1 random heads; null where there are none. */
  readonly randomSteps: readonly (RandomStep | null)[];
}

/** How a cue is removed. */
export interface DebiasOptions extends WorkOptions {
  readonly mode?: AblationMode;
  /**
   * The selection to be used. Default: `given` where heads are given, else `selectivity`, which knows nothing of
   * accuracy until its heads are counted out. It is named beforehand, for the best of several on validation is best
   * there by luck too.
   */
  readonly use?: SelectionName;
  /** Heads to be ablated, whatever the measures say; one more selection. */
  readonly given?: readonly number[];
  /** One unit vector [D] a value of the cue, for the selection by texts. */
  readonly cueProbes?: readonly Float64Array[];
  /** Most heads. Default: half of all, at most 16. */
  readonly maxHeads?: number;
  /** Sets of random heads. Default: 100. */
  readonly random?: number;
  readonly seed?: number;
}

/** Finds the heads that carry a cue, ablates their direct effects and tells what that does. @throws `CANCELLED` */
export async function debias(
  model: Pick<ClipModel, "geometry" | "matmul">,
  problem: SplitProblem,
  options: DebiasOptions = {},
): Promise<DebiasResult> {
  const { mode = "mean", random = 100, seed = 0, given, report, signal } = options;
  const { scores, validation, validationAt, test, testAt } = problem;
  const { layers, heads } = scores;
  const all = Array.from({ length: layers * heads }, (_, unit) => unit);
  const most = Math.min(options.maxHeads ?? Math.min(16, Math.ceil(all.length / 2)), all.length);
  // Nothing of the held-out half goes into what replaces a head.
  const ablation = createAblation(scores, { mode, meanOver: validationAt });
  const halves = (hits: Uint8Array): Halves => ({
    validation: robustnessOf(hits, validation),
    test: robustnessOf(hits, test),
  });
  const without = async (units: readonly number[]) =>
    problemHits(problem, await ablation.without(headSet(units, heads)));
  const hitsBefore = await without([]);
  const before = halves(hitsBefore);
  const gap = await cueGap(problem);

  const orders: (readonly [SelectionName, HeadOrder])[] = [];
  if (given) orders.push(["given", { heads: given.map((unit) => ({ unit, value: 1 })) }]);
  for (const name of SELECTIONS) {
    checkCancelled(signal);
    const order = await orderBy(name);
    if (order) orders.push([name, order]);
  }
  const use = options.use ?? (given ? "given" : "selectivity");
  const used = orders.findIndex(([name]) => name === use);
  if (used < 0) throw new RangeError(`no selection ${use}`);

  const nameOf = (unit: number) => headName(Math.floor(unit / heads), unit % heads);
  const selections: DebiasSelection[] = [];
  let usedUnits: readonly number[] = [];
  for (const [selection, order] of orders) {
    const units = order.heads.map(({ unit }) => unit);
    const steps: DebiasStep[] = [];
    for (let k = 1; k <= (selection === "given" ? units.length : Math.min(most, units.length)); k++) {
      checkCancelled(signal);
      steps.push({ heads: units.slice(0, k).map(nameOf), ...halves(await without(units.slice(0, k))) });
    }
    const k = selection === "given" ? units.length : bestStep(before, steps);
    const outcome = k === 0 ? before : steps[k - 1];
    if (selection === use) usedUnits = units.slice(0, k);
    selections.push({
      selection,
      order: order.heads.map(({ unit, value }) => ({ head: nameOf(unit), value })),
      steps,
      chosen: units.slice(0, k).map(nameOf),
      outcome: { validation: outcome.validation, test: outcome.test },
      controls: await controlsOf(units.slice(0, k), outcome),
    });
  }
  return {
    mode,
    images: { validation: validationAt.length, test: testAt.length, leftOut: problem.leftOut },
    before,
    gap,
    selections,
    used,
    groups: await groupChanges(),
    randomSteps: await randomSteps(),
  };

  async function orderBy(name: (typeof SELECTIONS)[number]): Promise<HeadOrder | undefined> {
    const work = { ...(report && { report }), ...(signal && { signal }) };
    switch (name) {
      case "selectivity":
        return bySelectivity(problem, model.geometry, work);
      case "texts":
        return options.cueProbes && byTexts(problem, model.geometry, model.matmul, options.cueProbes, work);
      case "gap":
        return byGap(gap);
      case "greedy":
        return byGreed(problem, ablation, most, work);
    }
  }

  /** Hits without each of some random sets as large as `chosen`. */
  async function controlHits(pool: readonly number[], k: number, except: readonly number[]) {
    const { sets, exhaustive } = drawControls(pool, k, random, { seed, except });
    const hits: Uint8Array[] = [];
    for (const set of sets) {
      checkCancelled(signal);
      hits.push(await without(set));
    }
    return { hits, exhaustive };
  }

  function poolsOf(chosen: readonly number[]) {
    const layersOf = new Set(chosen.map((unit) => Math.floor(unit / heads)));
    const same = all.filter((unit) => layersOf.has(Math.floor(unit / heads)));
    return [{ from: "same layers", pool: same } as const, { from: "all layers", pool: all } as const];
  }

  async function controlsOf(chosen: readonly number[], own: Halves): Promise<DebiasControls[]> {
    const found: DebiasControls[] = [];
    for (const { from, pool } of poolsOf(chosen)) {
      const { hits, exhaustive } = await controlHits(pool, chosen.length, chosen);
      const outcomes = hits.map((of) => robustnessOf(of, test));
      const average = outcomes.map((outcome) => outcome.average.share);
      const worst = outcomes.map((outcome) => outcome.worst.share);
      const bands = {
        average: bandOf(average, own.test.average.share, exhaustive),
        worst: bandOf(worst, own.test.worst.share, exhaustive),
      };
      if (bands.average && bands.worst) found.push({ from, average: bands.average, worst: bands.worst });
    }
    return found;
  }

  async function groupChanges(): Promise<GroupChange[]> {
    const [same, every] = poolsOf(usedUnits);
    const FEW = 20;
    const pool = combinations(same.pool.length, usedUnits.length) > FEW ? same.pool : every.pool;
    const { hits, exhaustive } = await controlHits(pool, usedUnits.length, usedUnits);
    const byControl = hits.map((of) => sharesOf(of, test));
    const groupsAfter = sharesOf(await without(usedUnits), test);
    return sharesOf(hitsBefore, test).map((group, i) => ({
      name: group.name,
      before: group,
      after: groupsAfter[i],
      random: bandOf(
        byControl.map((groups) => groups[i].share),
        groupsAfter[i].share,
        exhaustive,
      ),
    }));
  }

  /** Not held against any one selection: its own heads may be among them. */
  async function randomSteps(): Promise<(RandomStep | null)[]> {
    const task = "random heads";
    const longest = Math.max(0, ...selections.map(({ steps }) => steps.length));
    report?.({ type: "start", task, unit: "size", total: longest });
    const found: (RandomStep | null)[] = [];
    for (let k = 1; k <= longest; k++) {
      const { hits, exhaustive } = await controlHits(all, k, []);
      const outcomes = hits.map((of) => robustnessOf(of, test));
      const band = (key: "average" | "worst") =>
        bandOf(
          outcomes.map((outcome) => outcome[key].share),
          before.test[key].share,
          exhaustive,
        );
      const [average, worst] = [band("average"), band("worst")];
      found.push(average && worst ? { average, worst } : null);
      report?.({ type: "advance", task, done: k, total: longest });
    }
    report?.({ type: "end", task, done: longest });
    return found;
  }
}

/** By worst-group accuracy, then the average. */
const better = (a: Robustness, b: Robustness): boolean =>
  a.worst.share > b.worst.share || (a.worst.share === b.worst.share && a.average.share > b.average.share);

/** How many heads are best on validation; 0 where none helps, and of equals the fewest. */
function bestStep(before: Halves, steps: readonly DebiasStep[]): number {
  let [best, at] = [before.validation, 0];
  for (const [i, { validation }] of steps.entries()) {
    if (better(validation, best)) [best, at] = [validation, i + 1];
  }
  return at;
}
