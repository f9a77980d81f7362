import type { Picture } from "../kit/svg.ts";
import { cleanText, counted, decimalsFor, formatCosine, formatSigned, shorten } from "../kit/text.ts";

/** One image of the answer. */
export interface NeighborItem {
  /** Null where the file is gone since the index was made. */
  readonly image: Picture | null;
  readonly path: string;
  readonly label: string | null;
  readonly score: number;
  /** 0–100: the score is higher than that of so many per cent of the images. */
  readonly percentile: number;
}

/** What one search shows: the query, the images found, and how all scores are spread. Numbers are finite. */
export interface NeighborGridInput {
  readonly model: string;
  readonly index: string;
  /** Images searched. */
  readonly images: number;
  readonly query:
    | { readonly kind: "image"; readonly image: Picture; readonly path: string }
    | { readonly kind: "text"; readonly text: string };
  /** The heads as written, such as `L3.H1` or a property's name. */
  readonly heads: string;
  readonly headCount: number;
  readonly scoring: "dot" | "cosine" | "z";
  /** Of the scores of all images searched, in the units of the score. */
  readonly distribution: {
    readonly mean: number;
    readonly deviation: number;
    readonly least: number;
    readonly median: number;
    readonly most: number;
  };
  /** In the order in which they are shown, each with its items in order. */
  readonly rows: readonly { readonly title: string; readonly items: readonly NeighborItem[] }[];
  readonly notice?: string;
}

/** What was asked, in words whose longer parts are shortened until they fit `room`. */
export function titleOf(input: NeighborGridInput, room: number, widthOf: (part: string) => number): string {
  const heads = headsOf(input, room * 0.35, widthOf);
  const left = room - widthOf(`Nearest to “” through ${heads}`);
  const { query } = input;
  const asked =
    query.kind === "text"
      ? `“${shorten(query.text, left, widthOf)}”`
      : shorten(fileName(query.path), left, widthOf);
  return `Nearest to ${asked} through ${heads}`;
}

/** The heads as written, and how many they are where the name does not say so. */
function headsOf(
  { heads, headCount }: NeighborGridInput,
  room: number,
  widthOf: (part: string) => number,
): string {
  const written = shorten(heads, room, widthOf);
  if (headCount < 1 || /^L\d+\.H\d+$/.test(written)) return written;
  return `${written} (${counted(headCount, "head")})`;
}

/** The heads in the middle of a sentence: one by its name, several by their number. */
function headsInProse({ heads, headCount }: NeighborGridInput): string {
  if (headCount > 1) return `these ${counted(headCount, "head")}`;
  return shorten(heads, 40, () => 1);
}

export function contextOf({ model, index, images }: NeighborGridInput): string {
  const brief = (name: string) => shorten(name, 60, () => 1);
  return `${brief(model)} · index ${brief(index)} · ${counted(images, "image")} searched`;
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== "") ?? path;
}

/** The end of a path, which tells most, as far as it fits: first whole folders go, then the name is cut. */
export function shortenPath(path: string, limit: number, widthOf: (part: string) => number): string {
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
}: NeighborGridInput): (value: number) => string {
  if (scoring === "cosine") return formatCosine;
  const decimals = scoring === "z" ? 2 : decimalsFor(Math.max(Math.abs(least), Math.abs(most)));
  return (value) => formatSigned(value, decimals);
}

/** The sentence that says what a score is, how many images were searched, and how their scores are spread. */
export function readingOf(input: NeighborGridInput): string {
  const { images, query, scoring, distribution } = input;
  const wrote = `what ${headsInProse(input)} wrote`;
  const pair =
    query.kind === "text"
      ? `the text and ${wrote} for each image`
      : `${wrote} for the query and for each image`;
  const meaning = {
    dot: `dot product of ${pair}`,
    cosine: `cosine of ${pair} (1 the same direction, 0 unrelated)`,
    z: `match of ${pair}, in standard deviations above the mean of all images`,
  }[scoring];
  const searched = images === 0 ? "No image was searched" : `${counted(images, "image")} searched`;
  if (images === 0) return `Score: ${meaning}. ${searched}.`;
  if (!(distribution.deviation > 0)) {
    return `Score: ${meaning}. ${searched}: all have the same score, ${scoreFormat(input)(distribution.mean)}, so none is nearer than another.`;
  }
  const above = (distribution.most - distribution.mean) / distribution.deviation;
  const best = scoring === "z" ? "" : `; the highest is ${above.toFixed(1)} deviations above the mean`;
  return `Score: ${meaning}. ${searched}: ${spreadOf(input)}${best}. Beside each score: the share of images that score lower.`;
}

/** Mean ± deviation, and the ends. */
function spreadOf(input: NeighborGridInput): string {
  const { least, most } = input.distribution;
  const format = scoreFormat(input);
  return `mean ${meanOf(input)}, from ${format(least)} to ${format(most)}`;
}

export function meanOf(input: NeighborGridInput): string {
  const { mean, deviation } = input.distribution;
  const format = scoreFormat(input);
  return `${format(mean)} ± ${format(deviation).replace("+", "")}`;
}
