/**
 * The eight benchmarks of training-free open-vocabulary segmentation, as folders that their owners have: what lies where, what the
 * numbers in masks mean, and how large images are made. Layouts and sizes are those that the methods' authors share (SCLIP, §4.1;
 * NACLIP, §4.1; folders as MMSegmentation prepares them).
 */
import { scanSource } from "../../corpus/source.ts";
import { fileIn } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { readInput } from "../../support/files.ts";
import { ADE, CITY, CONTEXT, STUFF, VOC } from "./benchmark-classes.ts";
import { UNLABELLED } from "./masked-images.ts";

/** The benchmarks by name. */
export const BENCHMARKS = [
  "voc21",
  "voc20",
  "context60",
  "context59",
  "object",
  "stuff",
  "city",
  "ade",
] as const;
/** One of them. */
export type BenchmarkName = (typeof BENCHMARKS)[number];

/** What is known of a benchmark without its images. */
export interface Benchmark {
  readonly title: string;
  /** In the order of their numbers; the first is `background` where that is a class. */
  readonly classes: readonly string[];
  /** The class of a mask's number; `UNLABELLED` for pixels that do not count, undefined for a number without a meaning. */
  readonly classOf: (value: number) => number | undefined;
  /** What the shorter side of an image is made, for a model that reads squares of 224 pixels. */
  readonly shortSide: number;
  readonly layout: Layout;
}

/** Where files lie: an image `<images>/<name><imageEnd>` has the mask `<masks>/<name><maskEnd>`. */
interface Layout {
  readonly images: string;
  readonly imageEnd: string;
  readonly masks: string;
  readonly maskEnd: string;
  /** A file that names the images, one a line; without it all that are there count. */
  readonly list?: string;
}

const VOID = 255;
/** Numbers are classes. */
const asTheyAre = (count: number) => (value: number) =>
  value === VOID ? UNLABELLED : value < count ? value : undefined;
/** Numbers count from 1; 0 is not labelled. */
const fromOne = (count: number) => (value: number) =>
  value === 0 || value === VOID ? UNLABELLED : value <= count ? value - 1 : undefined;

const withBackground = (things: readonly string[]) => {
  const classes = ["background", ...things];
  return { classes, classOf: asTheyAre(classes.length) };
};
const without = (classes: readonly string[]) => ({ classes, classOf: fromOne(classes.length) });

const pascal = (masks: string, list: string): Layout => ({
  ...{ images: "JPEGImages", imageEnd: ".jpg", masks, maskEnd: ".png", list: `ImageSets/${list}/val.txt` },
});
const VOC_FILES = pascal("SegmentationClass", "Segmentation");
const CONTEXT_FILES = pascal("SegmentationClassContext", "SegmentationContext");
const coco = (maskEnd: string): Layout => ({
  ...{ images: "images/val2017", imageEnd: ".jpg", masks: "annotations/val2017", maskEnd },
});

const KNOWN: Readonly<Record<BenchmarkName, Benchmark>> = {
  voc21: {
    title: "PASCAL VOC 2012 with background",
    ...withBackground(VOC),
    shortSide: 336,
    layout: VOC_FILES,
  },
  voc20: { title: "PASCAL VOC 2012", ...without(VOC), shortSide: 336, layout: VOC_FILES },
  context60: {
    ...{ title: "PASCAL Context with background", ...withBackground(CONTEXT) },
    ...{ shortSide: 336, layout: CONTEXT_FILES },
  },
  context59: { title: "PASCAL Context", ...without(CONTEXT), shortSide: 336, layout: CONTEXT_FILES },
  object: {
    ...{ title: "COCO-Object", ...withBackground(STUFF.slice(0, 80)) },
    ...{ shortSide: 336, layout: coco("_instanceTrainIds.png") },
  },
  stuff: {
    ...{ title: "COCO-Stuff 164k", classes: STUFF, classOf: asTheyAre(STUFF.length) },
    ...{ shortSide: 448, layout: coco("_labelTrainIds.png") },
  },
  city: {
    ...{ title: "Cityscapes", classes: CITY, classOf: asTheyAre(CITY.length), shortSide: 560 },
    layout: {
      ...{ images: "leftImg8bit/val", imageEnd: "_leftImg8bit.png" },
      ...{ masks: "gtFine/val", maskEnd: "_gtFine_labelTrainIds.png" },
    },
  },
  ade: {
    ...{ title: "ADE20K", ...without(ADE), shortSide: 336 },
    layout: {
      ...{ images: "images/validation", imageEnd: ".jpg" },
      ...{ masks: "annotations/validation", maskEnd: ".png" },
    },
  },
};

/** What is known of a benchmark. */
export const benchmarkNamed = (name: BenchmarkName): Benchmark => KNOWN[name];

/** An image of a benchmark with its mask. */
export interface BenchmarkImage {
  readonly name: string;
  readonly image: string;
  readonly mask: string;
}

/**
 * The images of a benchmark's validation part, in the order of its list, or by name.
 * @param folder the data set's own folder, as it is unpacked
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`; `MASKS_INVALID` when there is none
 */
export async function benchmarkImages(name: BenchmarkName, folder: string): Promise<BenchmarkImage[]> {
  const { images, imageEnd, masks, maskEnd, list } = KNOWN[name].layout;
  const names =
    list === undefined ? await namesIn(fileIn(folder, images), imageEnd) : await listed(fileIn(folder, list));
  if (names.length === 0)
    throw new ClipInterpretError(
      "MASKS_INVALID",
      `${fileIn(folder, list ?? images)} names no image of ${name}`,
    );
  return names.map((one) => ({
    ...{
      name: one,
      image: fileIn(folder, images, one + imageEnd),
      mask: fileIn(folder, masks, one + maskEnd),
    },
  }));
}

/** Names of the files below a folder that end so. */
async function namesIn(folder: string, end: string): Promise<string[]> {
  const { images } = await scanSource(folder);
  return images.flatMap(({ path }) => (path.endsWith(end) ? [path.slice(0, -end.length)] : [])).sort();
}

/** The first word of each line; a name with a path in it would lead out of the folder. */
async function listed(path: string): Promise<string[]> {
  const lines = (await readInput(path)).toString("utf8").split(/\r?\n/);
  const names = lines.flatMap((line) => line.trim().split(/\s+/)[0] || []);
  const odd = names.find((name) => !/^[\w-]+$/.test(name));
  if (odd !== undefined) throw new ClipInterpretError("MASKS_INVALID", `${path}: ${odd} names no image`);
  return names;
}
