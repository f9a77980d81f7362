/**
 * What each head is worth to telling the values of a factor apart, by zero-shot classification: the share of the true
 * class's lead that it brings, and the accuracy without it (`analysis/ablation`, one head at a time).
 */
import type { Index } from "../../corpus/open-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { AtlasEffect } from "../../results/atlas.ts";
import { checkCancelled, pause, type WorkOptions } from "../../support/progress.ts";
import { factorPrompts } from "../../world/prompts.ts";
import { createAblation } from "../ablation/ablation.ts";
import type { Grouping } from "../selectivity/groupings.ts";
import { type ClassSet, defaultClasses, type EmbedTexts } from "../zero-shot/classes.ts";
import { prepareZeroShot, problemHits, type ZeroShotProblem } from "../zero-shot/problem.ts";
import { shareOf } from "../zero-shot/zero-shot.ts";

/** Images a factor, and classes: accuracy of more is no more exact to a reader. */
const MOST_IMAGES = 2000;
const MOST_CLASSES = 1000;

/** How effects are measured. */
export interface EffectOptions extends WorkOptions {
  /** Default: the model's `encodeTexts`. */
  readonly embed?: EmbedTexts;
}

/** The factors whose values have texts: those of the generated world, and the label. */
export function factorsWithTexts(index: Index, groupings: readonly Grouping[]): ClassSet[] {
  const world = factorPrompts();
  return groupings.flatMap(({ name, values }) => {
    if (values.length > MOST_CLASSES || (name !== "label" && !(name in world))) return [];
    const classes = defaultClasses(index, name);
    // "a photo of a 3." says nothing: without texts of the world only a label's values are names.
    const known = new Set((world[name] ?? []).map(({ value }) => String(value)));
    return name === "label" || values.every((value) => known.has(String(value))) ? [classes] : [];
  });
}

/**
 * The effects of every head, [heads][factors]; of factors that zero-shot classification cannot tell apart none.
 * @throws `CANCELLED`, and what embedding texts throws
 */
export async function measureEffects(
  model: ClipModel,
  index: Index,
  classSets: readonly ClassSet[],
  { embed, report, signal }: EffectOptions = {},
): Promise<AtlasEffect[][]> {
  const { layers, heads } = model.geometry;
  const effects: AtlasEffect[][] = Array.from({ length: layers * heads }, () => []);
  const task = "taking heads away";
  const total = classSets.length * layers * heads;
  let done = 0;
  report?.({ type: "start", task, unit: "head", total });
  for (const classSet of classSets) {
    const problem = await prepareZeroShot(model, index, classSet, {
      images: MOST_IMAGES,
      ...(embed && { embed }),
    });
    const ablation = createAblation(problem.scores);
    const scores = await ablation.whole();
    const whole = shareOf(problemHits(problem, scores)).share;
    const lead = meanLead(problem, scores);
    const found: { direct: number; without: number }[] = [];
    for (let unit = 0; unit < effects.length; unit++) {
      await pause();
      checkCancelled(signal);
      const [layer, head] = [Math.floor(unit / heads), unit % heads];
      const left = scores.slice();
      await ablation.takeHead(left, layer, head);
      const direct = meanLead(problem, await problem.scores.head(layer, head));
      found.push({
        direct: lead === 0 ? 0 : direct / lead,
        without: shareOf(problemHits(problem, left)).share,
      });
      report?.({ type: "advance", task, done: ++done, total });
    }
    for (const [unit, { direct, without }] of found.entries()) {
      const less = found.filter((other) => other.without > without).length;
      effects[unit].push({
        ...{ factor: classSet.factor, classes: classSet.classes.length, images: problem.rows.length },
        ...{ direct, whole, without, percentile: less / Math.max(1, found.length - 1) },
      });
    }
  }
  report?.({ type: "end", task, done });
  return effects;
}

/** How far the true class's score lies above the mean of the others of its contest, on average. */
function meanLead(
  { truth, contests }: Pick<ZeroShotProblem, "truth" | "contests">,
  scores: Float64Array | Float32Array,
): number {
  const classes = contests.length;
  let sum = 0;
  for (let i = 0, at = 0; i < truth.length; i++, at += classes) {
    let [others, count] = [0, 0];
    for (let c = 0; c < classes; c++) {
      if (c === truth[i] || contests[c] !== contests[truth[i]]) continue;
      others += scores[at + c];
      count++;
    }
    if (count > 0) sum += scores[at + truth[i]] - others / count;
  }
  return truth.length === 0 ? 0 : sum / truth.length;
}
