/** What is said of an ablation, in sentences and cells: the same in a picture, on a page and in a terminal. */
import type { ControlBand, ForwardStudy, InnerReplacement, Share } from "../../results/accuracy.ts";
import type { ZeroShotResult } from "../../results/zero-shot.ts";
import { percent, percentOf } from "../kit/chart.ts";
import { counted } from "../kit/text.ts";

/** A share with its interval. */
export const intervalOf = ({ share, low, high }: Share): string =>
  `${percent(share)} [${percent(low)}, ${percent(high)}]`;
/** The mean of random draws, and what most of them lie between. */
export const bandOf = (band: ControlBand | null): string =>
  band === null ? "–" : `${percent(band.mean)} [${percent(band.low)}, ${percent(band.high)}]`;
/** `3 of 20`, with a word where these are all there are. */
export const drawsOf = (share: number, { draws, exhaustive }: ControlBand): string =>
  `${Math.round(share * draws)} of ${draws}${exhaustive ? " (all)" : ""}`;

/** A heading: what it is about. */
export const ablationTitle = (model: string): string =>
  `What the components of ${model} are worth to zero-shot classification`;

/** What a reader must know of every number. */
export function ablationCaption({ images, classes, replacement }: ZeroShotResult): string {
  const what = replacement === "mean" ? "replaced by its mean over the images" : "set to zero";
  return `Zero-shot accuracy over ${counted(images, "image")} and ${counted(classes, "class").replace("classs", "classes")}, when the direct effect of some components on the embedding is ${what}.`;
}

/** What the marks of the picture mean; nothing is said of what is not drawn. */
export function ablationKey({ rows, forward }: ZeroShotResult): string {
  const isDrawn = [...rows, ...(forward?.rows ?? [])].some(({ random }) => random !== null);
  const random = isDrawn ? "Gray: as many heads drawn at random, mean and 95\u00a0% of draws. " : "";
  return `${random}Whiskers: 95\u00a0% interval over images.`;
}

/** In words what takes a head's place inside the network. */
const REPLACED: Readonly<Record<InnerReplacement, string>> = {
  position: "by its mean at each token position",
  tokens: "by one mean over all tokens",
  nothing: "by nothing",
};

/** How heads are taken away inside the network. */
export const insideWords = ({ replacement, calibration }: ForwardStudy): string =>
  `inside the network, at every token, each replaced ${REPLACED[replacement]}${calibration > 0 ? ` (taken over ${counted(calibration, "image")})` : ""}`;

/** What a row's picture says at its right. */
export function noteOf({ share }: Share, random: ControlBand | null): string {
  if (!random) return percentOf(share);
  return `${percentOf(share)}; ${Math.round(random.atMost * random.draws)} of ${random.draws} random sets no higher`;
}

/** Columns and rows of the table of direct effects; a column for the worst group where there are groups. */
export function ablationTable({ whole, rows }: ZeroShotResult): {
  readonly columns: string[];
  readonly rows: string[][];
} {
  return tableOf(whole.worst !== null, [
    { name: "nothing", accuracy: whole.all, worst: whole.worst, random: null },
    ...rows.map(({ components, ...row }) => ({ name: components.set, ...row })),
  ]);
}

/** The same of heads taken away inside the network. */
export const forwardTable = ({ whole, rows }: ForwardStudy) =>
  tableOf(whole.worst !== null, [
    { name: "nothing", ...whole, direct: null, random: null },
    ...rows.map(({ components, ...row }) => ({ name: components.set, ...row })),
  ]);

interface TableRow {
  readonly name: string;
  readonly accuracy: Share;
  readonly worst: (Share & { readonly name: string }) | null;
  readonly direct?: { readonly accuracy: Share } | null;
  readonly random: ControlBand | null;
}

function tableOf(grouped: boolean, rows: readonly TableRow[]) {
  const direct = rows.some((row) => row.direct !== undefined);
  return {
    columns: [
      ...["without", "#accuracy", ...(grouped ? ["worst group"] : []), ...(direct ? ["#direct"] : [])],
      ...["#random heads", "#no higher"],
    ],
    rows: rows.map(({ name, accuracy, worst, random, direct: alone }) => [
      ...[name, intervalOf(accuracy)],
      ...(grouped ? [worst ? `${percent(worst.share)} ${worst.name}` : "–"] : []),
      ...(direct ? [alone ? percent(alone.accuracy.share) : "–"] : []),
      ...[bandOf(random), random ? drawsOf(random.atMost, random) : "–"],
    ]),
  };
}
