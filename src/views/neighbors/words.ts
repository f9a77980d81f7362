import type { Neighbor, NeighborsResult } from "../../results/neighbors.ts";
import { percentOf } from "../kit/chart.ts";
import type { Picture } from "../kit/svg.ts";
import {
  cleanText,
  counted,
  decimalsFor,
  formatCosine,
  formatSigned,
  imageTitle,
  shorten,
} from "../kit/text.ts";

/** The pictures of a search. */
export interface NeighborsPictures {
  /** The image that was asked about; null for a text, or where the file is gone. */
  readonly query: Picture | null;
  /** The images that were found, by their ids; null where the file is gone since the index was made. */
  readonly pictureOf: ReadonlyMap<string, Picture | null>;
}

/** Longest side of these pictures, in pixels. */
export const THUMBNAIL = 160;

type WidthOf = (part: string) => number;

/** Rows from the top, each with its images in order. */
export const rowsOf = ({ neighbors, least, random }: NeighborsResult) =>
  [
    ["most similar", neighbors],
    ["least similar", least],
    ["random", random],
  ] as const satisfies readonly (readonly [title: string, items: readonly Neighbor[]])[];

/** What was asked, in words whose longer parts are shortened until they fit `room`. */
export function titleOf(result: NeighborsResult, room: number, widthOf: WidthOf): string {
  const heads = headsOf(result, room * 0.35, widthOf);
  const left = room - widthOf(`Nearest to “” through ${heads}`);
  const { query } = result;
  const asked =
    "text" in query ? `“${shorten(query.text, left, widthOf)}”` : shorten(queryName(result), left, widthOf);
  return `Nearest to ${asked} through ${heads}`;
}

/** What the image that was asked about is called. */
export const queryName = ({ origin, query }: NeighborsResult): string =>
  origin.image
    ? imageTitle({ ...origin, image: origin.image })
    : "image" in query
      ? fileName(query.image)
      : "";

/** The heads as written, and how many they are where the name does not say so. */
function headsOf({ components }: NeighborsResult, room: number, widthOf: WidthOf): string {
  const written = shorten(components.set, room, widthOf);
  if (/^L\d+\.H\d+$/.test(written)) return written;
  return `${written} (${countOf(components)})`;
}

const countOf = ({ heads, mlps }: NeighborsResult["components"]) =>
  counted(heads.length + mlps.length, mlps.length > 0 ? "component" : "head");

/** The heads in the middle of a sentence: one by its name, several by their number. */
function headsInProse({ components }: NeighborsResult): string {
  const { heads, mlps, set } = components;
  if (heads.length + mlps.length > 1) return `these ${countOf(components)}`;
  return shorten(set, 40, () => 1);
}

/** Model, index and how many images were searched; the two names share the room that the rest leaves. */
export function contextOf({ origin, searched }: NeighborsResult, room: number, widthOf: WidthOf): string {
  const { name: model } = origin.model;
  const { name: index } = origin.index;
  const end = `${counted(searched, "image")} searched`;
  const left = room - widthOf(` · index  · ${end}`);
  const share = (own: string, other: string) =>
    shorten(own, Math.max(left / 2, left - widthOf(cleanText(other))), widthOf);
  return `${share(model, index)} · index ${share(index, model)} · ${end}`;
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== "") ?? path;
}

/** The end of a path, which tells most, as far as it fits: first whole folders go, then the name is cut. */
export function shortenPath(path: string, limit: number, widthOf: WidthOf): string {
  const clean = cleanText(path);
  if (clean.length < 300 && widthOf(clean) <= limit) return clean;
  const folders = clean.split("/");
  for (let first = 1; first < folders.length; first++) {
    const end = `…/${folders.slice(first).join("/")}`;
    if (end.length < 300 && widthOf(end) <= limit) return end;
  }
  return shorten(fileName(clean), limit, widthOf);
}

/** A percentile rounded down, so that only what is above every image is called 100 %. */
export function formatPercentile(percentile: number): string {
  return `${(Math.floor(percentile * 10 + 1e-9) / 10).toFixed(1)} %`;
}

/** How scores of this kind and size are written. */
export function scoreFormat({
  scoring,
  distribution: { least, most },
}: Pick<NeighborsResult, "scoring" | "distribution">): (value: number) => string {
  if (scoring === "cosine" || scoring === "centred") return formatCosine;
  const decimals = scoring === "z" ? 2 : decimalsFor(Math.max(Math.abs(least), Math.abs(most)));
  return (value) => formatSigned(value, decimals);
}

/** The sentence that says what a score is, how many images were searched, and how their scores are spread. */
export function readingOf(result: NeighborsResult): string {
  const { searched, query, scoring, distribution } = result;
  const wrote = `what ${headsInProse(result)} wrote`;
  const pair =
    "text" in query ? `the text and ${wrote} for each image` : `${wrote} for the query and for each image`;
  const centred =
    "text" in query
      ? `cosine of ${pair}, seen from the mean of all images`
      : `cosine of ${pair}, seen from the mean of all images${result.components.heads.length > 1 && result.components.mlps.length === 0 ? ", head by head, and averaged" : ""}`;
  const meaning = {
    centred: `${centred} (1 the same direction, 0 unrelated)`,
    dot: `dot product of ${pair}`,
    cosine: `cosine of ${pair} (1 the same direction, 0 unrelated)`,
    z: `match of ${pair}, in standard deviations above the mean of all images`,
  }[scoring];
  if (searched === 0) {
    const copies = result.excluded > 0 ? ": the index holds no other than the query's" : "";
    return `Score: ${meaning}. No image was searched${copies}.`;
  }
  const start = `Score: ${meaning}. ${counted(searched, "image")} searched`;
  if (!(distribution.deviation > 0)) {
    return `${start}: all have the same score, ${scoreFormat(result)(distribution.mean)}, so none is nearer than another.`;
  }
  const above = (distribution.most - distribution.mean) / distribution.deviation;
  const best = scoring === "z" ? "" : `; the highest is ${above.toFixed(1)} deviations above the mean`;
  return `${start}: ${spreadOf(result)}${best}. Beside each score: the share of images that score lower.${commonIn(result)}`;
}

/** What the images found have in common, as sentences; nothing where nothing is known of them. */
function commonIn({ common }: NeighborsResult): string {
  if (common === null) return "";
  const missing = common.leftOut.map((factor) => shorten(factor, 40, () => 1)).join(", ");
  const leftOut = missing && ` Of ${missing} nothing is said: there are more than 100,000 values.`;
  const said = (["neighbors", "least"] as const).flatMap((set) => {
    const values = common[set].map(
      ({ factor, value, share, overall }) =>
        `${cleanText(factor)} ${shorten(value, 40, () => 1)} ${percentOf(share)} (of all ${percentOf(overall)})`,
    );
    if (values.length === 0) return [];
    return `the ${set === "neighbors" ? "most" : "least"} similar have ${values.join(", ")}`;
  });
  if (said.length === 0)
    return ` What is known of the images is not more frequent among these than chance allows.${leftOut}`;
  return ` More often than chance allows, ${said.join("; ")}.${leftOut}`;
}

/** Mean ± deviation, and the ends. */
function spreadOf(result: NeighborsResult): string {
  const { least, most } = result.distribution;
  const format = scoreFormat(result);
  return `mean ${meanOf(result)}, from ${format(least)} to ${format(most)}`;
}

export function meanOf(result: NeighborsResult): string {
  const { mean, deviation } = result.distribution;
  const format = scoreFormat(result);
  return `${format(mean)} ± ${format(deviation).replace("+", "")}`;
}
