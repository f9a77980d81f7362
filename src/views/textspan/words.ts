import { counted, shorten } from "../kit/text.ts";

/** One text that describes a head. */
export interface SpanText {
  readonly text: string;
  readonly property: string | null;
  /** Share of the head's variance that it adds. */
  readonly share: number;
  /** Share of the resamples that choose it too; null where none were drawn. */
  readonly chosenShare: number | null;
}

/** One head with its texts and what they are to be compared with. Shares are of its variance over the images. */
export interface SpanPanel {
  readonly name: string;
  readonly rank: number;
  readonly texts: readonly SpanText[];
  /** What the first 1, 2, … random texts explain together. */
  readonly random: {
    readonly mean: readonly number[];
    readonly low: readonly number[];
    readonly high: readonly number[];
  };
  /** What the best directions explain together. */
  readonly ceiling: readonly number[];
  /** Range of what the texts explain together, over resampled images. */
  readonly explained: { readonly low: number; readonly high: number } | null;
  /** Average overlap with the order of a resample. */
  readonly overlap: number | null;
}

/** What a picture of TEXTSPAN's result shows. Numbers are finite. */
export interface TextspanInput {
  /** What the heads belong to: a model, or a file. */
  readonly subject: string;
  readonly images: number;
  /** The texts that were chosen from, in words: `915 texts of the pool emoji`. */
  readonly pool: string;
  readonly resamples: number;
  readonly panels: readonly SpanPanel[];
  readonly notice?: string;
}

export const titleOf = (
  { subject }: TextspanInput,
  room: number,
  widthOf: (part: string) => number,
): string =>
  `What the heads of ${shorten(subject, room - widthOf("What the heads of  write, in texts"), widthOf)} write, in texts`;

/** How to read it. */
export function captionOf({ images, pool, resamples }: TextspanInput): string {
  const drawn = `From ${pool}, TEXTSPAN picks for each head the text along which what the head writes varies most over ${counted(images, "image")}, takes that direction away, and picks again. Adds: the share of the head’s variance along what is new in a text; it need not fall, since texts that lie more within the head’s space are picked first.`;
  return resamples === 0
    ? drawn
    : `${drawn} Kept: the share of ${counted(resamples, "resample")} of the images that choose the text too; where it is low, it was chance which of several like texts came. [In brackets]: 95 % range over the resamples.`;
}

/** What all texts of a head explain. */
export const explainedBy = ({ texts }: SpanPanel): number => texts.reduce((sum, { share }) => sum + share, 0);

/** `53 %`, and `<1 %` of what is there. */
export function percent(share: number): string {
  const whole = Math.round(100 * share);
  return share > 0 && whole === 0 ? "<1 %" : `${whole} %`;
}

/** `20 texts explain 71.3 % [70.9, 71.8]; 20 random texts 34 %, any 20 directions at most 80 %`. */
export function verdictOf(panel: SpanPanel): string {
  const { texts, random, ceiling, explained } = panel;
  if (texts.length === 0) return "nothing varies over these images";
  const number = (share: number) => (100 * share).toFixed(1);
  const range = explained === null ? "" : ` [${number(explained.low)}, ${number(explained.high)}]`;
  const [by, most] = [random, { mean: ceiling }].map(({ mean }) => percent(mean.at(-1) ?? 0));
  return `${counted(texts.length, "text")} explain ${number(explainedBy(panel))} %${range}; as many random texts ${by}, any directions at most ${most}`;
}
