import type { SegmentationWinners, SegmentedText, SegmentResult } from "../../results/segment.ts";
import { largestOf } from "../kit/panel.ts";
import { decimalsFor, formatError, formatSigned } from "../kit/text.ts";

/** `L3.H1`, `all 16 heads`, or `last2 (8 heads)`. */
export function setInWords({ components: { set, heads } }: Pick<SegmentResult, "components">): string {
  if (heads.length === 1 && set.toUpperCase() === heads[0].name) return heads[0].name;
  if (set.toLowerCase() === "all") return `all ${heads.length} heads`;
  return `${set} (${heads.length} head${heads.length === 1 ? "" : "s"})`;
}

/** The value at which each text's colours are strongest, on both sides of zero. */
export function limitsOf({ texts, scale }: Pick<SegmentResult, "texts" | "scale">): number[] {
  const own = texts.map(({ values }) => largestOf(values.flat()));
  return scale === "own" ? own : own.map(() => Math.max(0, ...own));
}

/** The largest lead of a text over the next. */
export const largestMargin = ({ margin }: SegmentationWinners): number => largestOf(margin.flat());

/** What the strength of a winner's colour means. */
export function leadInWords(winners: SegmentationWinners): string {
  const largest = largestMargin(winners);
  const lead = largest.toFixed(decimalsFor(largest));
  return `Strong colour: the lead over the next text is ${lead}; pale: no lead.`;
}

/** The lowest and the highest of some patches. */
export const rangeOf = (values: readonly (readonly number[])[]): [low: number, high: number] => [
  Math.min(...values.flat()),
  Math.max(...values.flat()),
];

/** Whether maps can be compared by what they are painted in; undefined where there is only one. */
export function scaleInWords(
  { texts, scale }: Pick<SegmentResult, "texts" | "scale">,
  paint: "colour" | "shade" = "colour",
): string | undefined {
  if (texts.length < 2) return undefined;
  return scale === "common"
    ? `One scale for all maps: a ${paint} means the same number in each.`
    : `Each map on its own scale: read its numbers before you compare ${paint}s.`;
}

/** What the map's colours mean. */
export function captionOf(result: SegmentResult): string {
  const { mode, grid, texts } = result;
  const what =
    mode === "topic"
      ? "how much of the heads’ score for the text came from there: red towards the text, blue away from it"
      : "how much more of the heads’ score for the text came from there than for the mean of the other texts: red where the text leads, blue where the others do";
  return [
    `Each patch of the ${grid.rows} × ${grid.columns} that the model reads is coloured by ${what}.`,
    scaleInWords(result),
    `The patches${texts.some(({ cls }) => cls !== null) ? " and the CLS token" : ""} add up to the score. Pixels between patches are interpolated and carry no sum.`,
  ]
    .filter(Boolean)
    .join(" ");
}

/** What the text's cosine, or its contrast, is called and is. */
export const cosineInWords = ({ mode }: SegmentResult, { similarity }: SegmentedText): string =>
  `the whole image’s cosine ${mode === "contrast" ? "contrast " : ""}${formatSigned(similarity, 4)}`;

/** `patches +0.0312, CLS token +0.0051, together +0.0363`; of a model without a CLS token `all patches +0.0363`. */
export function sumInWords({ patches, cls, sum }: SegmentedText, decimals = 4): string {
  if (cls === null) return `all patches together ${formatSigned(sum, decimals)}`;
  return `patches ${formatSigned(patches, decimals)}, CLS token ${formatSigned(cls, decimals)}, together ${formatSigned(sum, decimals)}`;
}

/** `the heads’ score +0.0363, error 3e-9`. */
export function scoreInWords({ score, error }: SegmentedText, decimals = 4): string {
  return `the heads’ score ${formatSigned(score, decimals)}, error ${formatError(error)}`;
}
