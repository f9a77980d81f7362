import type { Picture } from "../kit/svg.ts";
import { formatError, formatSigned } from "../kit/text.ts";

/** Everything that the picture of a segmentation shows. */
export interface SegmentationInput {
  readonly model: string;
  readonly imageName: string;
  /** Size of the original. */
  readonly width: number;
  readonly height: number;
  /** The head set as it was written, and how many heads are in it. */
  readonly heads: string;
  readonly headCount: number;
  readonly mode: "topic" | "contrast";
  /** Patches down and across. */
  readonly grid: number;
  /** How large every picture of the image is drawn, and where in it the model looked. */
  readonly shown: ShownSize;
  /** The original, faded where the model did not look. */
  readonly original: Picture;
  readonly texts: readonly SegmentedText[];
  readonly winners?: WinnerPanel;
  readonly baselines?: readonly BaselinePanel[];
  /** Something the reader must know first. */
  readonly notice?: string;
}

/** A size on the page, and the part of it that a map covers. */
export interface ShownSize {
  readonly width: number;
  readonly height: number;
  readonly covered: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
}

/** One text's map. */
export interface SegmentedText {
  readonly text: string;
  readonly overlay: Picture;
  /** The value that the colour scale ends at, on both sides of zero. */
  readonly limit: number;
  readonly similarity: number;
  readonly patches: number;
  readonly cls: number;
  readonly sum: number;
  readonly score: number;
  readonly error: number;
  /** A chosen patch: where it is, its value, and what each head wrote there, strongest first. */
  readonly patch?: {
    readonly row: number;
    readonly column: number;
    readonly value: number;
    readonly heads: readonly { readonly name: string; readonly value: number }[];
  };
}

/** Which text wins where. */
export interface WinnerPanel {
  readonly overlay: Picture;
  readonly texts: readonly { readonly text: string; readonly colour: string; readonly patches: number }[];
  readonly largestMargin: number;
}

/** What another method makes of the image. */
export interface BaselinePanel {
  readonly title: string;
  readonly paper: string;
  /** Null where the method does not read the text. */
  readonly text: string | null;
  readonly overlay: Picture;
  readonly low: number;
  readonly high: number;
}

/** `L3.H1`, or `last2 (8 heads)`. */
export const setInWords = ({ heads, headCount }: Pick<SegmentationInput, "heads" | "headCount">): string =>
  /^L\d+\.H\d+$/i.test(heads) ? heads : `${heads} (${headCount} head${headCount === 1 ? "" : "s"})`;

/** What the map's colours mean. */
export function captionOf({ mode, grid }: SegmentationInput): string {
  const what =
    mode === "topic"
      ? "how much of the heads’ score for the text came from there: red towards the text, blue away from it"
      : "how much more of the heads’ score for the text came from there than for the mean of the other texts: red where the text leads, blue where the others do";
  return `Each patch of the ${grid} × ${grid} that the model reads is coloured by ${what}. The patches and the CLS token add up to the score. Pixels between patches are interpolated and carry no sum.`;
}

/** `patches +0.0312 + CLS token +0.0051 = +0.0363`. */
export function sumInWords({ patches, cls, sum }: SegmentedText, decimals = 4): string {
  return `patches ${formatSigned(patches, decimals)}, CLS token ${formatSigned(cls, decimals)}, together ${formatSigned(sum, decimals)}`;
}

/** `the heads’ score +0.0363, error 3e-9`. */
export function scoreInWords({ score, error }: SegmentedText, decimals = 4): string {
  return `the heads’ score ${formatSigned(score, decimals)}, error ${formatError(error)}`;
}
