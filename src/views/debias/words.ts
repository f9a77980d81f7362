/** What is said of a cue that was removed, in sentences and cells: the same in a picture, on a page and in a terminal. */
import {
  type PictureBand,
  type PictureForward,
  type PictureShare,
  replacementWords,
} from "../ablation/svg.ts";
import { percentOf } from "../kit/chart.ts";
import { counted } from "../kit/text.ts";

type NamedPictureShare = PictureShare & { readonly name: string };

/** Average and worst-group accuracy. */
export interface PictureRobustness {
  readonly average: PictureShare;
  readonly worst: NamedPictureShare;
}

/** One way of choosing heads. */
export interface PictureSelection {
  readonly selection: string;
  readonly chosen: readonly string[];
  readonly steps: readonly { readonly validation: PictureRobustness; readonly test: PictureRobustness }[];
  readonly outcome: { readonly validation: PictureRobustness; readonly test: PictureRobustness };
  readonly controls: readonly {
    readonly from: string;
    readonly average: PictureBand;
    readonly worst: PictureBand;
  }[];
}

/** What is drawn of a cue that was removed. */
export interface DebiasPicture {
  readonly model: string;
  readonly cue: string;
  readonly mode: string;
  readonly images: { readonly validation: number; readonly test: number };
  readonly before: { readonly test: PictureRobustness };
  readonly gap: { readonly heads: readonly number[]; readonly mlps: number; readonly whole: number };
  /** Names of the heads, in the order of the gap. */
  readonly headNames: readonly string[];
  readonly selections: readonly PictureSelection[];
  readonly used: number;
  readonly groups: readonly {
    readonly name: string;
    readonly before: NamedPictureShare;
    readonly after: NamedPictureShare;
    readonly random: PictureBand | null;
  }[];
  readonly randomSteps: readonly ({ readonly average: PictureBand; readonly worst: PictureBand } | null)[];
  readonly forward: readonly PictureForward[];
  readonly notice?: string;
}

/** What each way of choosing heads goes by. */
export const SELECTION_WORDS: Readonly<Record<string, string>> = {
  given: "as given",
  selectivity: "variance that the cue explains, less what the classes explain",
  texts: "variance along the contrast of the cue's texts",
  gap: "share in the classes' advantage where the cue is on their side",
  greedy: "one by one, by worst-group accuracy on the validation images",
};

/** In one sentence what was done and what came of it. */
export function debiasHeadline({ selections, used, before, mode }: DebiasPicture): string {
  const { chosen, outcome } = selections[used];
  if (chosen.length === 0)
    return "No heads raise worst-group accuracy on the validation images; none were ablated.";
  const means = chosen.length === 1 ? "its mean" : "their means";
  const how = mode === "mean" ? `replaced by ${means}` : "set to zero";
  const from = (key: "average" | "worst") =>
    `from ${percentOf(before.test[key].share)} to ${percentOf(outcome.test[key].share)}`;
  const effect = chosen.length === 1 ? "direct effect" : "direct effects";
  return `With the ${effect} of ${chosen.join(", ")} ${how}, worst-group accuracy goes ${from("worst")} and average accuracy ${from("average")}.`;
}

/** How the numbers came about. */
export function debiasCaption({ images, cue, selections, used }: DebiasPicture): string {
  const rule = selections[used].selection;
  const choice =
    rule === "given"
      ? `Heads were named beforehand; means are those of ${counted(images.validation, "validation image")}`
      : `Heads chosen by ${rule} (${SELECTION_WORDS[rule]}) and counted out on ${counted(images.validation, "validation image")}`;
  return `${choice}; everything shown is of ${counted(images.test, "held-out image")}. A group is a class with a value of "${cue}".`;
}

const short = (share: number) => (100 * share).toFixed(1);
/** A share with its interval, in per cent. */
export const intervalOf = ({ share, low, high }: PictureShare) =>
  `${short(share)} [${short(low)}, ${short(high)}]`;

/** Columns of {@link selectionCells}; numbers are per cent. */
export const SELECTION_HEAD = [
  "by",
  "heads",
  "average",
  "worst group",
  "best random worst",
  "random as good",
];

/** One row for no ablation and one a selection. */
export function selectionCells({ selections, used, before }: DebiasPicture): string[][] {
  return [
    ["nothing ablated", "", intervalOf(before.test.average), worstText(before.test.worst), "", ""],
    ...selections.map(({ selection, chosen, outcome, controls }, i) => [
      `${selection}${i === used ? " *" : ""}`,
      chosen.join(" ") || "none helps",
      intervalOf(outcome.test.average),
      worstText(outcome.test.worst),
      controls.map(({ worst }) => short(worst.most)).join(" / ") || "–",
      controls
        .map(
          ({ worst }) =>
            `${Math.round(worst.atLeast * worst.draws)} of ${worst.draws}${worst.exhaustive ? " (all)" : ""}`,
        )
        .join(" / ") || "–",
    ]),
  ];
}

const worstText = (worst: NamedPictureShare) => `${intervalOf(worst)} ${worst.name}`;

/** What a table of full-forward ablation is about. */
export const forwardTitle = ({ replacement, images, calibration }: PictureForward): string =>
  `The same heads taken away inside the network, at every token; in their place ${replacementWords(replacement)}${calibration > 0 ? ` (over ${counted(calibration, "image")})` : ""}; ${counted(images, "held-out image")}`;

/** Columns of {@link forwardCells}; numbers are per cent. */
export const FORWARD_HEAD = ["", "average", "worst group", "best random worst", "random as good"];

/** Before, direct effects alone, and inside the network. */
export function forwardCells({ whole, rows }: PictureForward): string[][] {
  const worst = (of: NamedPictureShare | null) => (of ? worstText(of) : "–");
  return [
    ["nothing ablated", intervalOf(whole.accuracy), worst(whole.worst), "", ""],
    ...rows.flatMap(({ accuracy, worst: group, direct, randomWorst }) => [
      ["direct effects alone", intervalOf(direct.accuracy), worst(direct.worst), "", ""],
      [
        "inside the network",
        intervalOf(accuracy),
        worst(group),
        randomWorst ? short(randomWorst.most) : "–",
        randomWorst
          ? `${Math.round(randomWorst.atLeast * randomWorst.draws)} of ${randomWorst.draws}${randomWorst.exhaustive ? " (all)" : ""}`
          : "–",
      ],
    ]),
  ];
}
