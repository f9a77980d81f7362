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
