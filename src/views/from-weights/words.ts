import type {
  DescribedDirection,
  DirectionEnd,
  FromWeightsResult,
  WrittenHead,
} from "../../results/from-weights.ts";
import { counted, shorten } from "../kit/text.ts";

export function titleOf(
  { origin }: FromWeightsResult,
  room: number,
  widthOf: (part: string) => number,
): string {
  const left = room - widthOf("What the heads of  can write, from their weights");
  return `What the heads of ${shorten(origin.model.name, left, widthOf)} can write, from their weights`;
}

/** How to read it. */
export function captionOf({ origin, index, coherence, textsPerEnd, chance }: FromWeightsResult): string {
  const { pool } = origin;
  const order = index
    ? `by the share of the variance of what the head writes into ${counted(index.images, "image")} (${index.name})`
    : "by singular value; no image was needed";
  const level =
    chance === null
      ? ""
      : ` Directions drawn at random reach ${chance.mean.toFixed(2)} on average, one in forty more than ${chance.high.toFixed(2)}.`;
  return `A head turns what it reads into directions of the joint space: the singular vectors of its weights, ${order}. Each is a sum of at most ${counted(textsPerEnd, "text")} of ${pool.texts.toLocaleString("en")} (${pool.name}), less what all texts share, none of them negative; texts that are like those before are preferred (coherence ${coherence}). A direction has two ends, and whether a head writes towards one or the other depends on the image. Cosine: how near the sum comes to the direction.${level}`;
}

/** `0.65 a spoon + 0.37 a bed`. */
export const sumOf = ({ texts }: DirectionEnd): string =>
  texts.length === 0
    ? "no text points there"
    : texts.map(({ text, coefficient }) => `${coefficient.toFixed(2)} ${text}`).join(" + ");

/** By what the directions are ordered. */
export const shareOf = ({ share, varianceShare }: DescribedDirection): number => varianceShare ?? share;

/** `L3.H1@2`: how a set names the direction. */
export const nameOf = ({ name }: WrittenHead, { direction }: DescribedDirection): string =>
  `${name}@${direction}`;

/** `the first 8 of 32 directions hold 84 %`. */
export function verdictOf({ directions, rank }: WrittenHead, { index }: FromWeightsResult): string {
  if (directions.length === 0) return "its weights write nothing";
  const held = directions.reduce((sum, direction) => sum + shareOf(direction), 0);
  const what = index ? "of the variance" : "of what it can write";
  return `the first ${directions.length} of ${counted(rank, "direction")} hold ${Math.round(100 * held)} % ${what}`;
}

/** Whether texts come nearer to the direction than to nearly all that are drawn at random. */
export const aboveChance = ({ ends }: DescribedDirection, { chance }: FromWeightsResult): boolean =>
  chance === null || ends[0].cosine > chance.high;
