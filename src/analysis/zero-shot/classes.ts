/**
 * The classes of a zero-shot classifier: what each is called, the texts that speak of it, and which images show it.
 *
 * A class's probe is the mean of its texts' unit embeddings, of unit length again: the prompt ensemble of "Learning
 * Transferable Visual Models From Natural Language Supervision" (CLIP, §3.1.4).
 */
import type { Index } from "../../corpus/open-index.ts";
import type { ImageRow } from "../../corpus/rows.ts";
import { unitProbe } from "../../model/probe.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { factorPrompts } from "../../world/prompts.ts";

/** One class. */
export interface ZeroShotClass {
  readonly name: string;
  /** At least one. */
  readonly texts: readonly string[];
  /** The values of the factor that an image of this class has; usually its name alone. */
  readonly values: readonly string[];
  /** Classes of one contest compete with each other and with no others; null is a contest too. */
  readonly contest: string | null;
}

/** Classes that images of an index are classified into. */
export interface ClassSet {
  /** The factor of the index that says what an image shows; `label` is its label. */
  readonly factor: string;
  /** Images that have a value of this factor are left out: a scene of two things has two right answers. */
  readonly unless: string | null;
  readonly classes: readonly ZeroShotClass[];
}

/** What a name is put into where no template is given (CLIP, §3.1.4). */
export const DEFAULT_TEMPLATES: readonly string[] = ["a photo of a {}."];

/** A template with a name in it. */
export const fillTemplate = (template: string, name: string): string => template.replaceAll("{}", name);

/** The value of a factor of an image, as text; null where it has none. */
export function factorOf({ label, factors }: ImageRow, factor: string): string | null {
  const value = Object.hasOwn(factors, factor) ? factors[factor] : factor === "label" ? label : null;
  return value === null ? null : String(value);
}

/** The values of a factor, in the order of their first image. */
export const valuesOf = ({ images }: Pick<Index, "images">, factor = "label"): string[] => [
  ...new Set(images.flatMap((row) => factorOf(row, factor) ?? [])),
];

/**
 * Classes when none are given: the values of a factor of the index. Where they are the generated world's, all values
 * of the world with the texts that its models are measured with; else each value in the templates.
 * @throws `FACTORS_MISSING` when no image has the factor
 * @example
 * ```ts
 * import { openIndex, openModel } from "clip-interpret";
 * import { defaultClasses } from "clip-interpret/evaluation";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const classes = defaultClasses(index, "background");
 * console.log(classes.classes[0].name, classes.classes[0].texts.length); // → red 2
 * ```
 */
export function defaultClasses(
  { images, folder }: Pick<Index, "images" | "folder">,
  factor = "label",
  templates?: readonly string[],
): ClassSet {
  const values = valuesOf({ images }, factor);
  if (values.length === 0) {
    throw new ClipInterpretError("FACTORS_MISSING", `no image of ${folder} has a value of "${factor}"`);
  }
  const world = factorPrompts()[factor === "label" ? "concept" : factor] ?? [];
  const known = new Set(world.map(({ value }) => String(value)));
  if (templates === undefined && values.every((value) => known.has(value))) {
    const classes = world.map(({ value, texts }) => ({
      name: String(value),
      texts,
      values: [String(value)],
      contest: null,
    }));
    return { factor, unless: ["label", "concept"].includes(factor) ? "other" : null, classes };
  }
  const classes = values.map((name) => ({
    name,
    texts: (templates ?? DEFAULT_TEMPLATES).map((template) => fillTemplate(template, name)),
    values: [name],
    contest: null,
  }));
  return { factor, unless: null, classes };
}

/** [n]: the class that each image shows, −1 where it shows none of them. @throws `CLASSES_INVALID` when all are −1 */
export function truthOf(
  { images, folder }: Pick<Index, "images" | "folder">,
  { factor, unless, classes }: ClassSet,
): Int32Array {
  const classOf = new Map(classes.flatMap(({ values }, c) => values.map((value) => [value, c] as const)));
  const truth = Int32Array.from(images, (row) => {
    if (unless !== null && factorOf(row, unless) !== null) return -1;
    return classOf.get(factorOf(row, factor) ?? "") ?? -1;
  });
  if (!truth.some((c) => c >= 0)) {
    const message = `no image of ${folder} shows one of the ${classes.length} classes by its "${factor}"`;
    throw new ClipInterpretError("CLASSES_INVALID", message);
  }
  return truth;
}

/** Embeds texts: raw embeddings, [t, D]; `encodeTexts` of a model, or `embedTexts`, which keeps them on disk. */
export type EmbedTexts = (texts: readonly string[]) => Promise<Float32Array>;

/** [C, D]: the probe of each class, of unit length. */
export async function classProbes(
  { classes }: Pick<ClassSet, "classes">,
  embedDim: number,
  embed: EmbedTexts,
): Promise<Float64Array> {
  const embedded = await embed(classes.flatMap(({ texts }) => texts));
  const probes = new Float64Array(classes.length * embedDim);
  let text = 0;
  for (const [c, { texts }] of classes.entries()) {
    const sum = new Float64Array(embedDim);
    for (let i = 0; i < texts.length; i++, text++) {
      const unit = unitProbe(embedded.subarray(text * embedDim, (text + 1) * embedDim));
      for (let d = 0; d < embedDim; d++) sum[d] += unit[d];
    }
    probes.set(unitProbe(sum), c * embedDim);
  }
  return probes;
}
