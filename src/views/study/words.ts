/** What a study says in words, computed from what was measured: the same for HTML, Markdown and the terminal. */

import { holm } from "../../math/holm.ts";
import type { Interval } from "../../math/intervals.ts";
import { METRICS } from "../../results/metrics.ts";
import type { Calibrated, Calibration, SizeStep, StudyModel, StudyResult } from "../../results/study.ts";
import { counted } from "../kit/text.ts";

/** `0.44`, `–` for what is not known. */
export const number = (value: number | null, decimals = 2): string => {
  if (value === null) return "–";
  const digits = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(digits) !== 0 ? `−${digits}` : digits;
};

/** `0.44 [0.38, 0.50]`. */
export const withRange = (
  value: number | null,
  range: { readonly low: number; readonly high: number } | null,
): string =>
  value === null || range === null
    ? number(value)
    : `${number(value)} [${number(range.low)}, ${number(range.high)}]`;

/** `[0.38, 0.50]`, or nothing. */
export const rangeOf = (range: { readonly low: number; readonly high: number } | null): string =>
  range === null ? "–" : `[${number(range.low)}, ${number(range.high)}]`;

/** A transformer's weights: `3.2 M`. */
export const sizeOf = (weights: number): string => `${(weights / 1e6).toFixed(weights < 1e7 ? 1 : 0)} M`;

/** `4 layers × 4 heads, width 128`. */
export const shapeOf = ({ shape }: StudyModel): string =>
  `${shape.layers} layers × ${shape.headsPerLayer} heads, width ${shape.width}`;

/** A p-value as it is printed. */
const pValue = (p: number): string => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);

/** What was found, for a terminal. */
export const studyTerminal = (report: StudyResult): string => `${findings(report).join("\n\n")}\n`;

/** The findings, a sentence or two each, most important first. */
export function findings(report: StudyResult): string[] {
  return [...calibrationFindings(report), ...report.models.map(beyondChance), ...sizeFindings(report)];
}

function calibrationFindings({ calibration, models }: StudyResult): string[] {
  if (calibration === null) {
    return [
      "Nothing is known of the images, so whether the labels are true is not measured here. Run the study over the demo corpus to see how far labels of this kind can be believed.",
    ];
  }
  const { constant, measures } = calibration;
  const { right, ccsWithLabelShare: ccs, excessWithLabelShare: excess } = measures;
  const heads = calibration.heads.length;
  const count = calibration.heads.filter((head) => head.right).length;
  const found: string[] = [];
  if (right.value !== null && right.chance !== null && right.p !== null && constant !== null) {
    const beyond = constant.p < 0.05 && right.p < 0.05;
    const verdict = beyond
      ? "Labels say more than one label for all would"
      : right.p < 0.05
        ? "Labels fit their heads, but one label for all is right about as often"
        : "Labels say no more than chance";
    const trainings =
      right.trainings === null
        ? ""
        : ` Over the ${counted(models.length, "training")} the share is ${number(right.trainings.mean)} on average, 95 % ${rangeOf(clampedShare(right.trainings))}.`;
    found.push(
      `${verdict}: of ${counted(heads, "head")}, ${count} (${percent(count / heads)}) are labelled with the factor that truly explains most of what they write. Always saying “${constant.label}” is right for ${constant.right} (${percent(constant.right / heads)}; ${pValue(constant.p)}), labels dealt out at random among the heads of a model for ${percent(right.chance.mean)} (${pValue(right.p)})${layerFinding(right)}.${trainings}${modelFinding(models)}`,
    );
  }
  if (ccs.value !== null && ccs.p !== null && ccs.chance !== null) {
    const verdict =
      ccs.p < 0.05 ? "A higher CCS goes with a truer label" : "A higher CCS does not mean a truer label here";
    found.push(
      `${verdict}: the rank correlation of CCS with the selectivity for the label's factor is ${number(ccs.value)}; labels dealt out at random give ${withRange(ccs.chance.mean, ccs.chance)}.${excessFinding(excess)}${laterFinding(measures)}`,
    );
  }
  return found;
}

const clampedShare = ({ low, high }: Interval) => ({ low: Math.max(0, low), high: Math.min(1, high) });

function layerFinding({ layerChance, layerP }: Calibrated): string {
  if (layerChance === null || layerP === null) return "";
  return `, and among those of a layer for ${percent(layerChance.mean)} (${pValue(layerP)})`;
}

/** Of how many models the labels are distinguished from chance, each by itself. */
function modelFinding(models: readonly StudyModel[]): string {
  const values = models.flatMap(({ calibration }) => calibration?.measures.right.p ?? []);
  if (values.length < 2) return "";
  const clear = holm(values).filter((p) => p < 0.05).length;
  return ` Each model by itself, corrected for ${values.length} (Holm): ${clear} of ${values.length} are distinguished from labels dealt out at random.`;
}

/** What is left of CCS where the first layers do not decide. */
function laterFinding({ laterGap, laterHighGap }: Calibration["measures"]): string {
  const said = [["≥ 3", laterGap] as const, ["5", laterHighGap] as const].flatMap(
    ([ccs, { value, layerP }]) => {
      if (value === null || layerP === null) return [];
      const verdict = layerP < 0.05 ? "are right more often" : "are not clearly right more often";
      return [
        `labels with CCS ${ccs} ${verdict} than the rest (by ${number(value)}; within layers ${pValue(layerP)})`,
      ];
    },
  );
  return said.length === 0 ? "" : ` Beyond the first third of the layers, ${said.join(", and ")}.`;
}

function excessFinding({ value, p }: Calibrated): string {
  if (value === null || p === null) return "";
  const does = p < 0.05 ? "does go with it" : "does not go with it either";
  return ` CCS beyond the label's share of the pool ${does} (${number(value)}, ${pValue(p)}).`;
}

/** Whether a model's labels are more consistent than the pool's texts at random. */
function beyondChance(studied: StudyModel): string {
  const { origin, metrics, baselines, heads, tags } = studied;
  const { association, meanCcs } = metrics;
  const { model, pool } = origin;
  if (baselines === null) return beyondLabels(studied);
  const chance = baselines.randomTexts.meanCcs;
  const byChance = baselines.randomTexts.association;
  if (meanCcs === null || association === null || chance === null || byChance === null)
    return `${model.name}: no head could be judged.`;
  const [most] = tags;
  const lopsided =
    most !== undefined && most.texts > pool.texts / 2
      ? ` ${percent(most.texts / pool.texts)} of the pool's texts have one tag (${most.tag}), so random texts agree by themselves.`
      : "";
  const verdict =
    meanCcs > chance.high
      ? "more consistent than"
      : meanCcs < chance.low
        ? "less consistent than"
        : "no more consistent than";
  return `${model.name} (${counted(heads.length, "head")}): mean CCS ${number(meanCcs)}, association ${number(association)}. Five random texts of the pool give ${withRange(chance.mean, chance)} and ${withRange(byChance.mean, byChance)}: the descriptions are ${verdict} random ones.${lopsided}${shuffledFinding(metrics.meanCcs, baselines.shuffledDescriptions.meanCcs)}`;
}

/** Whether labels that are not of tags fit their own heads better than other heads' labels do. */
function beyondLabels({ origin, metrics, labelBaselines, heads, unlabelled, agreement }: StudyModel): string {
  const { association, meanCcs } = metrics;
  const [permuted, constant] = [labelBaselines?.permuted.meanCcs, labelBaselines?.constant.meanCcs];
  if (meanCcs === null || association === null || !permuted || !constant)
    return `${origin.model.name}: no head could be judged.`;
  const verdict =
    meanCcs > permuted.high ? "fit their own heads better than" : "fit their own heads no better than";
  const missing =
    unlabelled.length === 0 ? "" : ` ${counted(unlabelled.length, "head")} got no label or no verdicts.`;
  const kappa = agreement ? ` The judges agree with Fleiss' κ ${number(agreement.fleiss)}.` : "";
  return `${origin.model.name} (${counted(heads.length, "head")}): mean CCS ${number(meanCcs)}, association ${number(association)}. Dealt out again at random, the same labels have a mean CCS of ${withRange(permuted.mean, permuted)}, and the commonest one for all heads ${number(constant.mean)}: the labels ${verdict} other heads'.${missing}${kappa}`;
}

/** How much of the consistency is the heads' own. */
function shuffledFinding(meanCcs: number | null, shuffled: Interval | null): string {
  if (meanCcs === null || shuffled === null) return "";
  const own =
    meanCcs > shuffled.high
      ? "so some of the consistency is the heads' own"
      : "so the consistency is that of the texts which TEXTSPAN likes, not of single heads";
  return ` Dealt out anew among the heads they have ${withRange(shuffled.mean, shuffled)}, ${own}.`;
}

function sizeFindings({ sizes }: StudyResult): string[] {
  const { steps, seeds } = sizes;
  if (steps.length === 0) return ["All models have one size, so nothing is said about larger ones."];
  const clear = steps.filter(({ verdict }) => verdict.endsWith("interpretable"));
  if (seeds === null) {
    return [
      "Are larger models more interpretable? This study cannot say: no model was trained from several seeds, so how far a metric scatters between trainings is not known.",
    ];
  }
  const more = clear.filter(({ verdict }) => verdict === "more interpretable").length;
  const outcome =
    clear.length === 0
      ? "no larger model is told apart from a smaller one by any metric"
      : `of ${counted(steps.length, "comparison")}, the larger model is more interpretable in ${more}, less in ${clear.length - more}, and not told apart in ${steps.length - clear.length} (${clear.map(stepInWords).join("; ")})`;
  const largest = steps
    .filter(({ metric }) => metric === "association")
    .flatMap(({ detectable }) => detectable ?? []);
  const power =
    largest.length === 0
      ? ""
      : ` With the seeds of ${seeds.groups.join(", ")} (${counted(seeds.degrees, "degree")} of freedom), a difference in association must be at least ${number(Math.min(...largest))} to be seen four times in five${Math.min(...largest) > 1 ? ": no difference is that large, so this metric cannot answer" : ""}.`;
  return [`Are larger models more interpretable? Here ${outcome}.${power}`];
}

const stepInWords = ({ metric, smaller, larger, difference }: SizeStep): string =>
  `${METRICS.find(({ key }) => key === metric)!.name} of ${larger} ${difference > 0 ? "+" : ""}${number(difference)} against ${smaller}`;

/** `69 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** What every reader of a study must know about its labels. */
const METHOD =
  "Each head is described by the texts of a pool that explain most of what it writes into images (TEXTSPAN). Its label is the commonest tag of the first five; CCS (0–5) counts how many of the five have that tag, so it is a plurality count and cannot be 0. Association is the share of heads with CCS ≥ 3 (higher is called more interpretable); entanglement the share of heads whose label another head has too (lower is). Brackets are 95 % ranges over resampled images; heads are not resampled, for they are all there are.";

/** The same, for whoever labelled. */
export function methodOf({ models }: StudyResult): string {
  const others = models.filter(({ baselines }) => baselines === null);
  if (others.length === 0) return METHOD;
  const makers = [
    ...new Set(others.map(({ labeller, judge }) => `labelled by ${labeller}; judged by ${judge}`)),
  ];
  return `Each head is described by the texts of a pool that explain most of what it writes into images (TEXTSPAN); its first five are ${makers.join(", or ")}. CCS (0–5) counts how many of the five fit. Association is the share of heads with CCS ≥ 3 (higher is called more interpretable); entanglement the share of heads whose label another head has too (lower is). Brackets are 95 % ranges over resampled images; heads are not resampled, for they are all there are.`;
}

/** What the calibration compares. */
export const TRUTH =
  "In a generated world every image's factors are known, so a head's selectivity (ε²: the share of its variance that a factor explains, beyond chance) says what it responds to. A label is right where its factor has the head's highest ε² among the factors that the pool speaks of. It stands beside the best labeller that says one thing of every head, and beside labels dealt out anew among the heads of a model and of a layer; p is the share of such permutations that do as well. The range over trainings is Student's t about the models' own values; resampled images move labels alone. Small models of a generated world are not CLIP.";

/** What halves of the images say of the truth itself. */
export function halvesInWords({ halves, heads }: Calibration): string {
  if (halves === null) return "";
  return `The strongest factor was chosen among several, so ε² was estimated again on two halves of the images: ${halves.sameBest} of ${counted(heads.length, "head")} have the same one in both, and ${halves.right} of these are labelled with it. By one half at a time ${percent(halves.share)} of the labels are right; they name ${number(halves.captured)} of the selectivity that the other half's strongest factors have.`;
}

/** How sizes are compared. */
export const SIZES =
  "Another training seed gives other heads, and so another value of every metric. Models are compared on equal terms: heads of the same relative depth, and entanglement for as many heads of each as the model with the fewest has there, since among more heads it is likelier that two share a label. Two are told apart only where they differ by more than models of one size do between seeds (Student's t, the scatter pooled over the models below that differ in their seed alone, as no less than one head), corrected for all comparisons together (Holm, 5 %). Detectable is what would be seen in four trainings of five at the strictest of these levels (noncentral t). The scatter is taken to hold for models that were trained once.";

/** What the report says of the printed values. */
export const PUBLISHED =
  "The papers' printed entanglement comes out of their published labels under none of these rules. It falls with size as printed; from the labels it rises only while more heads of the larger models are counted. For equal numbers of heads, and for heads of equal relative depth (last two columns, in upper and lower case alike), nothing about size follows from six models of one training each. Nothing here claims to equal a printed value.";

/** The title of a study. */
export const titleOf = ({ models }: StudyResult): string =>
  models.length === 1
    ? `What the heads of ${models[0].origin.model.name} mean, and how much to believe it`
    : `What the heads of ${counted(models.length, "model")} mean, and how much to believe it`;
