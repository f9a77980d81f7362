import type {
  AtlasDirection,
  AtlasEntry,
  AtlasFactor,
  AtlasHeadResult,
  AtlasLabel,
  AtlasMetricWords,
  AtlasResult,
} from "../../results/atlas.ts";
import { counted, formatSigned, shorten } from "../kit/text.ts";

/** A metric's value as it is written, and `–` where a head has none. */
export function metricValue(value: number | null, unit: AtlasMetricWords["unit"]): string {
  if (value === null) return "–";
  switch (unit) {
    case "share":
      return percent(value);
    case "signed-share":
      return signedPercent(value);
    case "signed":
      return formatSigned(value, 2);
    case "p":
      return probability(value);
    case "length":
      return value.toFixed(3);
    case "count":
      return `${value} of 5`;
  }
}

/** Whole per cent. */
export const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** Per cent with a decimal and its sign. */
export const signedPercent = (share: number): string => `${formatSigned(100 * share, 1)} %`;

/** A p as far as its draws say. */
export const probability = (p: number): string => (p < 0.1 ? p.toPrecision(1) : p.toFixed(2));

/** Whose label it is: `by hand, Ada`. */
export function labelledBy({ kind, by }: AtlasLabel): string {
  const how = {
    tags: "by the tags of its texts",
    llm: "by a language model",
    published: "as published",
    manual: "by hand",
  }[kind];
  return by === "" ? how : `${how}, ${by}`;
}

/** `background 76 %, towards what it sees`. */
export function factorInWords({ factor, share, sign }: AtlasFactor): string {
  const way = sign === null ? "" : sign > 0 ? ", towards what it sees" : ", away from what it sees";
  return `${factor} ${percent(share)}${way}`;
}

/** What an atlas is of. */
export const titleOf = ({ origin, heads }: Pick<AtlasResult, "origin" | "heads">): string =>
  `The ${counted(heads.length, "head")} of ${shorten(origin.model.name, 60, () => 1)}`;

/** How to read it. */
export const captionOf = ({ origin, images }: Pick<AtlasResult, "origin" | "images">): string =>
  `Every attention head of the image tower, by what it wrote into the embeddings of ${counted(images, "image")} (${shorten(origin.index.name, 60, () => 1)}).`;

/** What a direction is, for a heading. */
export const directionName = ({ kind, name }: Pick<AtlasDirection, "kind" | "name">): string =>
  kind === "text" ? `“${name}”` : name;

/** What a text adds, by chance: the same choice after random rotations; undefined without that control. */
export function addedByChance(
  { control }: Pick<AtlasHeadResult, "control">,
  step: number,
): number | undefined {
  const together = control?.mean[step];
  return together === undefined ? undefined : together - (step > 0 ? control!.mean[step - 1] : 0);
}

/** `adds 17 %, 6 % by chance`: what a direction explains beyond those before it. @param step which of the head's it is */
export function addsInWords(
  page: Pick<AtlasHeadResult, "control">,
  { kind, explained }: Pick<AtlasDirection, "kind" | "explained">,
  step: number,
): string {
  const chance = kind === "text" ? addedByChance(page, step) : undefined;
  return `adds ${percent(explained)}${chance === undefined ? "" : `, ${percent(chance)} by chance`}`;
}

/** What the map of where a head looks is of. */
export function lookInWords({ images, words, cls, values }: NonNullable<AtlasHeadResult["look"]>): string {
  const own = cls === null ? "" : `; the token itself gets ${percent(cls)}`;
  const even = Number((100 / Math.max(1, values.length)).toPrecision(2));
  return `Mean over ${counted(images, "image")} of the ${words}${own}. The same everywhere would be ${even} % a patch.`;
}

/** How to read what is said of sets of images. */
export const COMMON_WORDS =
  "Of what is known of the images, a caption names what a set has more often than all, if chance alone would seldom give it (exact test, p ≤ 0.05 for all sets of the page together).";

/** Whether anything is said of any set of a page. */
export const saysCommon = ({ groups, directions }: AtlasHeadResult): boolean =>
  [
    ...groups.map(({ common }) => common),
    ...directions.flatMap(({ common }) => [common.least, common.most]),
  ].some((common) => common.length > 0);

/** What stands above one end of a direction. */
export const END_WORDS = {
  least: { title: "least along it", of: "the lowest tenth" },
  most: { title: "most along it", of: "the highest tenth" },
} as const;

/** A direction's images in the one order that they are shown in: the lowest score first. */
export const inOrder = ({ least, most, deciles }: AtlasDirection) => ({
  least,
  most: [...most].reverse(),
  tenths: [...deciles].reverse().map(({ images }, i) => ({
    called: `${10 * i}–${10 * (i + 1)} %`,
    images: [...images].reverse(),
  })),
});

/** What TEXTSPAN's texts explain beside the control, in a sentence; undefined without texts. */
export function explainedInWords({ texts, control }: AtlasHeadResult, steps: number): string | undefined {
  const first = texts.slice(0, steps);
  if (first.length === 0) return undefined;
  const own = first.reduce((sum, { explained }) => sum + explained, 0);
  const found = `The first ${counted(first.length, "text")} explain ${percent(own)} of what varies in the head.`;
  if (!control) return found;
  const at = first.length - 1;
  return (
    `${found} After ${counted(control.rotations, "random rotation")} of the joint space, which leave texts no meaning, the same ` +
    `choice explains ${percent(control.mean[at])} on average (p = ${probability(control.p[at])}), among random directions ` +
    `${percent(control.gaussian[at])}, and no directions could explain more than ${percent(control.ceiling[at])}.`
  );
}

/** The accessible name of a head's link. */
export const entryName = ({ name, label }: Pick<AtlasEntry, "name" | "label">): string =>
  label ? `${name}, ${label.label}` : name;
