import type { Span, TextspanArraysResult, TextspanResult } from "../../results/textspan.ts";
import { counted, shorten } from "../kit/text.ts";

/** What TEXTSPAN found, over an index or over arrays. */
export type AnyTextspan = TextspanResult | TextspanArraysResult;

const ofArrays = (result: AnyTextspan): result is TextspanArraysResult => "contributions" in result;

/** Everything that was described, by its name. */
export function spansOf(result: AnyTextspan): [name: string, span: Span][] {
  if (ofArrays(result)) return [[result.contributions.name, result]];
  const { heads, mlps, joint } = result;
  return [
    ...heads.map((head): [string, Span] => [head.name, head]),
    ...mlps.map((mlp): [string, Span] => [mlp.component, mlp]),
    ...(joint ? [[jointName(joint.components), joint] as [string, Span]] : []),
  ];
}

function jointName({ heads, mlps }: NonNullable<TextspanResult["joint"]>["components"]): string {
  const names = [...heads, ...mlps.map(({ component, weight }) => ({ name: component, weight }))].map(
    ({ name, weight }) => (weight === 1 ? name : `${name}*${weight}`),
  );
  return names.length <= 3 ? names.join(" + ") : `${names.length} components as one`;
}

/** Whether the images were drawn again. */
export const isResampled = (result: AnyTextspan): boolean => !ofArrays(result) && result.resamples > 0;

/** What must be known before the result is read. */
export const noticeOf = (result: AnyTextspan): string | null =>
  ofArrays(result) ? null : result.origin.model.notice;

export function titleOf(result: AnyTextspan, room: number, widthOf: (part: string) => number): string {
  const subject = ofArrays(result) ? result.contributions.name : result.origin.model.name;
  const left = room - widthOf("What the heads of  write, in texts");
  return `What the heads of ${shorten(subject, left, widthOf)} write, in texts`;
}

/** How to read it. */
export function captionOf(result: AnyTextspan): string {
  const [images, pool] = ofArrays(result)
    ? [result.contributions.images, result.textFeatures]
    : [result.origin.index.images, result.origin.pool];
  const draws = spansOf(result)[0]?.[1].control?.rotated.draws;
  const control =
    draws === undefined
      ? ""
      : ` Without meaning: what the same choice explains after the joint space is rotated at random, ${counted(draws, "time")}; p: how often that is as much. At most: what the best directions explain.`;
  const drawn = `From ${counted(pool.texts, "text")} (${pool.name}), TEXTSPAN picks for each head the text along which what the head writes varies most over ${counted(images, "image")}, takes that direction away, and picks again. Adds: the share of the head’s variance along what is new in a text; it need not fall, since texts that lie more within the head’s space are picked first.${control}`;
  return ofArrays(result) || result.resamples === 0
    ? drawn
    : `${drawn} Kept: the share of ${counted(result.resamples, "resample")} of the images that choose the text too; where it is low, it was chance which of several like texts came. [In brackets]: 95 % range over the resamples.`;
}

/** What all texts of a head explain. */
export const explainedBy = ({ explainedVariance }: Span): number =>
  explainedVariance.reduce((sum, share) => sum + share, 0);

/** `53 %`, and `<1 %` of what is there. */
export function percent(share: number): string {
  const whole = Math.round(100 * share);
  return share > 0 && whole === 0 ? "<1 %" : `${whole} %`;
}

/** How many texts p is about: what a head is about shows in its first ones, and all of many explain nearly everything. */
const P_STEPS = 5;

/** p of a head's first texts against rotations of the pool, with how many texts it is of; null without a control. */
export function pOf({
  control,
}: Pick<Span, "control">): { readonly p: number; readonly steps: number } | null {
  if (control === null || control.p.length === 0) return null;
  const steps = Math.min(P_STEPS, control.p.length);
  return { p: control.p[steps - 1], steps };
}

/** `20 texts explain 71.3 % [70.9, 71.8]; without meaning 65 %, at most 80 %; p = 0.01 (first 5)`. */
export function verdictOf(span: Span): string {
  const { descriptions, control, stability } = span;
  if (descriptions.length === 0) return "nothing varies over these images";
  const number = (share: number) => (100 * share).toFixed(1);
  const range = stability ? ` [${number(stability.explained.low)}, ${number(stability.explained.high)}]` : "";
  const found = `${counted(descriptions.length, "text")} explain ${number(explainedBy(span))} %${range}`;
  const of = pOf(span);
  if (control === null || of === null) return found;
  const last = (curve: readonly number[]) => percent(curve.at(-1) ?? 0);
  const first = of.steps === descriptions.length ? "" : ` (first ${of.steps})`;
  return `${found}; without meaning ${last(control.rotated.mean)}, at most ${last(control.ceiling)}; p = ${probability(of.p)}${first}`;
}

/** A p in two digits, as far as its draws say. */
const probability = (p: number): string => (p < 0.1 ? p.toPrecision(1) : p.toFixed(2));
