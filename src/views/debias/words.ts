/** What is said of a cue that was removed, in sentences and cells: the same in a picture, on a page and in a terminal. */
import type { ForwardStudy, NamedShare } from "../../results/accuracy.ts";
import type { BaselineName, DebiasResult, GroupChange, SelectionName } from "../../results/debias.ts";
import type { Head } from "../../results/shapes.ts";
import { bandOf, drawsOf, insideWords, intervalOf } from "../ablation/words.ts";
import { percent, percentOf } from "../kit/chart.ts";
import { counted, formatSigned } from "../kit/text.ts";

/** What each way of choosing heads goes by. */
export const SELECTION_WORDS: Readonly<Record<SelectionName, string>> = {
  given: "as given",
  selectivity: "variance that the cue explains, less what the classes explain",
  texts: "variance along the contrast of the cue’s texts",
  gap: "share in the classes’ advantage where the cue is on their side",
  greedy: "one by one, by worst-group accuracy on the validation images",
};

/** A heading. */
export const debiasTitle = ({ cue, origin }: DebiasResult): string =>
  `Removing the cue “${cue}” from ${origin.model.name}`;

/** Heads by their names, with `between` between them. */
export const namesOf = (heads: readonly Head[], between = " "): string =>
  heads.map(({ name }) => name).join(between);

/** In one sentence what was done and what came of it. */
export function debiasHeadline({ selections, used, before, replacement }: DebiasResult): string {
  const { chosen, outcome } = selections[used];
  if (chosen.length === 0)
    return "No heads raise worst-group accuracy on the validation images; none were ablated.";
  const means = chosen.length === 1 ? "its mean" : "their means";
  const how = replacement === "mean" ? `replaced by ${means}` : "set to zero";
  const from = (key: "average" | "worst") =>
    `from ${percentOf(before.test[key].share)} to ${percentOf(outcome.test[key].share)}`;
  const effect = chosen.length === 1 ? "direct effect" : "direct effects";
  return `With the ${effect} of ${namesOf(chosen, ", ")} ${how}, worst-group accuracy goes ${from("worst")} and average accuracy ${from("average")}.`;
}

/** How the numbers came about. */
export function debiasCaption({ images, cue, selections, used, replacement }: DebiasResult): string {
  const rule = selections[used].selection;
  const validation = counted(images.validation, "validation image");
  const means = replacement === "mean" ? `; means are those of ${validation}` : "";
  const choice =
    rule === "given"
      ? `Heads were named beforehand${means}`
      : `Heads chosen by ${rule} (${SELECTION_WORDS[rule]}) and counted out on ${validation}`;
  return `${choice}; everything shown is of ${counted(images.test, "held-out image")}. A group is a class with a value of “${cue}”.`;
}

/** What the rings of the curves mark. */
export function ringWords({ selections }: DebiasResult): string {
  const chosen = "the number of heads that is best on the validation images";
  const kinds = selections.map(({ selection }) => selection === "given");
  if (!kinds.includes(true)) return `Rings: ${chosen}.`;
  return `Rings: ${kinds.includes(false) ? `${chosen}; of the heads that were named, all` : "all the heads that were named"}.`;
}

/** One row for no ablation and one a selection; numbers are per cent. */
export function selectionTable({ selections, used, before }: DebiasResult) {
  return {
    columns: ["by", "heads", "#average", "#worst group", "its name", "#best random worst", "#random as good"],
    rows: [
      ["nothing ablated", "", intervalOf(before.test.average), ...worstOf(before.test.worst), "", ""],
      ...selections.map(({ selection, chosen, outcome, controls }, i) => [
        `${selection}${i === used ? " *" : ""}`,
        namesOf(chosen) || "none helps",
        intervalOf(outcome.test.average),
        ...worstOf(outcome.test.worst),
        controls.map(({ worst }) => percent(worst.most)).join(" / ") || "–",
        controls.map(({ worst }) => drawsOf(worst.atLeast, worst)).join(" / ") || "–",
      ]),
    ],
  };
}

/** What each other way asks for. */
const BASELINE_NEEDS: Readonly<Record<BaselineName, string>> = {
  "text projection": "texts of the cue",
  "mean difference": "the cue of validation images",
  LEACE: "the cue of validation images",
  "linear probe": "the class of validation images",
};

/** The heads that were used beside ways that know of no heads; numbers are per cent. */
export function baselineTable({ baselines, selections, used }: DebiasResult) {
  const { test } = selections[used].outcome;
  return {
    columns: ["way", "asks for", "#average", "#worst group", "its name", "#heads’ average less its"],
    rows: [
      ["the heads", "", intervalOf(test.average), ...worstOf(test.worst), ""],
      ...baselines.map(({ baseline, outcome, lead }) => [
        ...[baseline, BASELINE_NEEDS[baseline], intervalOf(outcome.test.average)],
        ...worstOf(outcome.test.worst),
        `${signed(lead.mean)} [${signed(lead.low)}, ${signed(lead.high)}]`,
      ]),
    ],
  };
}

const signed = (share: number) => formatSigned(100 * share, 1);

/** What the other ways are. */
export const BASELINE_WORDS =
  "Other ways on the same images and halves: the embedding projected away from the cue’s texts, or from the differences of the cue’s means; LEACE, after which no linear classifier finds the cue in the validation images; and a linear classifier of the classes trained on the validation images, which replaces zero-shot instead of mending it.";

const worstOf = (worst: NamedShare | null) => (worst ? [intervalOf(worst), worst.name] : ["–", ""]);

/** Groups, the worst before on top. */
export const groupsInOrder = ({ groups }: DebiasResult): GroupChange[] =>
  [...groups].sort((a, b) => a.before.share - b.before.share);

/** A row a group; numbers are per cent, by default with their intervals. */
export const groupTable = (
  groups: readonly GroupChange[],
  written: (of: NamedShare) => string = intervalOf,
) => ({
  columns: ["group", "#images", "#before", "#after", "#random heads"],
  rows: groups.map(({ name, before, after, random }) => [
    ...[name, String(after.n), written(before), written(after), bandOf(random)],
  ]),
});

/** What a table of full-forward ablation is about. */
export const forwardTitle = (study: ForwardStudy): string =>
  `The same heads taken away ${insideWords(study)}; ${counted(study.images, "held-out image")}`;

/** Before, direct effects alone, and inside the network; numbers are per cent. */
export function forwardTable({ whole, rows }: ForwardStudy) {
  return {
    columns: ["heads", "#average", "#worst group", "its name", "#best random worst", "#random as good"],
    rows: [
      ["nothing ablated", intervalOf(whole.accuracy), ...worstOf(whole.worst), "", ""],
      ...rows.flatMap(({ accuracy, worst, direct, randomWorst }) => [
        ["direct effects alone", intervalOf(direct.accuracy), ...worstOf(direct.worst), "", ""],
        [
          ...["inside the network", intervalOf(accuracy), ...worstOf(worst)],
          ...(randomWorst
            ? [percent(randomWorst.most), drawsOf(randomWorst.atLeast, randomWorst)]
            : ["–", "–"]),
        ],
      ]),
    ],
  };
}
