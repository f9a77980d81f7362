/** Images with masks, and what the numbers in the masks mean. */
import { scanSource } from "../../corpus/source.ts";
import { endingOf, fileIn, nameOnDisk, stemOf } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { readInput, readJson } from "../../support/files.ts";
import type { Report } from "../../support/progress.ts";
import { article } from "../../world/captions.ts";
import { CONCEPTS } from "../../world/concepts.ts";
import { readCorpus } from "../../world/corpus.ts";
import { factorPrompts } from "../../world/prompts.ts";

/** A mask's numbers that are no class. */
export const [UNLABELLED, NO_CLASS] = [-2, -1] as const;

/** An image with its mask. */
export interface MaskedImage {
  /** Below the folder of images. */
  readonly name: string;
  readonly image: string;
  readonly mask: string;
  /**
   * The class of a mask's number; `NO_CLASS` for background, `UNLABELLED` for pixels that do not count,
   * undefined for a number without a known meaning.
   */
  readonly classOf: (value: number) => number | undefined;
}

/** Images to segment, of which the truth is known. */
export interface MaskedImages {
  /** Where they come from, in words. */
  readonly source: string;
  /** Whether they are of the generated world, which the embedded models were trained on. */
  readonly ofWorld: boolean;
  readonly classes: readonly EvaluatedClass[];
  readonly images: readonly MaskedImage[];
  /** Images without a mask and masks without an image. */
  readonly unmatched: readonly string[];
}

/** A class with the texts that name it. */
export interface EvaluatedClass {
  readonly name: string;
  readonly texts: readonly string[];
}

/** A list of classes, and which number in a mask is which; null for masks that are foreground or background. */
export interface ClassList {
  readonly names: readonly string[];
  readonly values: ReadonlyMap<number, number> | null;
}

/** The class, if any, of a mask's number that no list names: nothing labelled (VOC's border), and nothing there. */
const VOID = 255;
const UNLABELLED_NAME = /^(unlabell?ed|void|ignored?)$/i;

/**
 * Reads a list of classes.
 *
 * - `.txt`: a name a line; masks are then binary, and an image's folder says which class it shows
 * - `.json`: `{"1": "dog", …}`, or `["dog", …]` as `.txt`
 * - `.yaml`, `.yml`: lines of `1: dog`; all other lines are passed over
 *
 * A class named unlabeled, void or ignore means pixels that do not count. Of names as COCO's panoptic ones only
 * what can be read is kept: `sky-other-merged` is a sky.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { loadClasses } from "clip-interpret/evaluation";
 *
 * await writeFile("classes.json", JSON.stringify({ 1: "dog", 2: "sky-other-merged", 9: "void" }));
 * const { names, values } = await loadClasses("classes.json");
 * console.log(names, values?.get(2)); // → [ 'dog', 'sky' ] 1
 * ```
 */
export async function loadClasses(path: string): Promise<ClassList> {
  const entries = await readEntries(path);
  const names: string[] = [];
  const values = new Map<number, number>();
  for (const [value, name] of entries) {
    if (UNLABELLED_NAME.test(name)) values.set(value, UNLABELLED);
    else values.set(value, names.push(readable(name)) - 1);
  }
  if (names.length === 0) throw new ClipInterpretError("JSON_INVALID", `${path} names no class`);
  const numbered = !Number.isNaN(entries[0][0]);
  return { names, values: numbered ? values : null };
}

/** Names with their numbers; not a number where the file gives none. */
async function readEntries(path: string): Promise<[value: number, name: string][]> {
  const listed = (names: readonly string[]) =>
    names.map((name): [number, string] => [Number.NaN, name.trim()]).filter(([, name]) => name !== "");
  const extension = endingOf(path);
  if (extension === ".json") {
    const json = await readJson(path);
    if (Array.isArray(json) && json.every((name) => typeof name === "string")) return listed(json);
    const entries = Object.entries(json ?? {}).map(([value, name]): [number, unknown] => [
      Number(value),
      name,
    ]);
    const isEntry = (entry: [number, unknown]): entry is [number, string] =>
      Number.isInteger(entry[0]) && typeof entry[1] === "string";
    if (entries.every(isEntry)) return entries;
    throw new ClipInterpretError("JSON_INVALID", `${path} is neither {"1": "dog", …} nor ["dog", …]`);
  }
  const lines = (await readInput(path))
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .split(/\r?\n/);
  if (extension !== ".yaml" && extension !== ".yml") return listed(lines);
  return lines.flatMap((line) => {
    const [, value, name] = /^\s*(\d+)\s*:\s*["']?(.+?)["']?\s*(?:#.*)?$/.exec(line) ?? [];
    return name === undefined ? [] : [[Number(value), name] satisfies [number, string]];
  });
}

const readable = (name: string): string =>
  name
    .replace(/-(?:other|merged|stuff)\b/g, "")
    .replace(/[-_]/g, " ")
    .trim();

/** `a {}` with a name in it; "a" becomes "an" where the name asks for it. */
export const fillTemplate = (template: string, name: string): string =>
  template.replace(/\ba \{\}/g, () => `${article(name)} ${name}`).replaceAll("{}", () => name);

/**
 * Pairs the images below one folder with the masks of the same name (without extension) below another.
 * @throws `MASKS_INVALID` when no image has a mask or a binary mask's class is not known; what `scanSource` throws
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { loadClasses, pairMasks } from "clip-interpret/evaluation";
 *
 * await writeFile("things.json", JSON.stringify({ 1: "the first object", 2: "the second" }));
 * const classes = await loadClasses("things.json");
 * const { images } = await pairMasks("examples/scenes/images", "examples/scenes/masks", classes, ["a photo of a {}."]);
 * console.log(images.length); // → 24
 * ```
 */
export async function pairMasks(
  imageFolder: string,
  maskFolder: string,
  { names, values }: ClassList,
  templates: readonly string[],
  options: { readonly report?: Report } = {},
): Promise<MaskedImages> {
  const [images, masks] = [await scanSource(imageFolder, options), await scanSource(maskFolder, options)];
  const maskOf = new Map(masks.images.map(({ path }) => [stemOf(path), path]));
  const classes = names.map((name) => ({
    name,
    texts: templates.map((template) => fillTemplate(template, name)),
  }));
  const only = names.length === 1 ? 0 : undefined;
  const paired = images.images.flatMap(({ path, label, refused }): MaskedImage[] => {
    if (refused) return [];
    const mask = maskOf.get(stemOf(path));
    if (mask === undefined) return [];
    const shown = values ? undefined : (classNamed(names, label) ?? only);
    if (!values && shown === undefined) return [];
    return [
      {
        ...{ name: path, image: fileIn(images.root, path), mask: fileIn(masks.root, mask) },
        classOf: values ? numbered(values) : (value) => (value === 0 ? NO_CLASS : shown),
      },
    ];
  });
  if (paired.length === 0) {
    const why = values
      ? `no image of ${imageFolder} has a mask of its name in ${maskFolder}`
      : `no image of ${imageFolder} has a mask of its name in ${maskFolder} and lies in a folder named as a class`;
    throw new ClipInterpretError("MASKS_INVALID", why);
  }
  const used = new Set(paired.flatMap(({ image, mask }) => [image, mask]));
  const unmatched = [images, masks].flatMap(({ root, images: files }) =>
    files.map(({ path }) => fileIn(root, path)).filter((path) => !used.has(path)),
  );
  const source = nameOnDisk(imageFolder);
  return { source, ofWorld: false, classes, images: paired, unmatched };
}

const classNamed = (names: readonly string[], label: string | null): number | undefined => {
  const found = names.findIndex((name) => name.toLowerCase() === readable(label ?? "").toLowerCase());
  return found < 0 ? undefined : found;
};

const numbered =
  (values: ReadonlyMap<number, number>) =>
  (value: number): number | undefined =>
    values.get(value) ?? (value === 0 ? NO_CLASS : value === VOID ? UNLABELLED : undefined);

/**
 * The scenes of a corpus that `demo` wrote: a class is a concept, named as in the models' own zero-shot tests.
 *
 * @example
 * ```ts
 * import { corpusMasks } from "clip-interpret/evaluation";
 *
 * const { images, classes } = await corpusMasks("examples/scenes");
 * console.log(images.length, classes.length); // → 24 250
 * ```
 */
export async function corpusMasks(folder: string): Promise<MaskedImages> {
  const classes = factorPrompts().concept.map(({ value, texts }) => ({ name: String(value), texts }));
  const indexOf = new Map(CONCEPTS.map(({ name }, i) => [name, i]));
  const rows = await readCorpus(folder);
  return {
    source: nameOnDisk(folder),
    ofWorld: true,
    classes,
    unmatched: [],
    images: rows.map(({ path, mask, factors: { concept, other } }) => {
      // A scene of two concepts has one object of each, the mask's 1 and 2.
      const [first, second] = [concept, other ?? concept].map((name) => indexOf.get(String(name)));
      const classOf = (value: number) => (value === 0 ? NO_CLASS : value === 1 ? first : second);
      return { name: path, image: fileIn(folder, path), mask: fileIn(folder, mask), classOf };
    }),
  };
}
