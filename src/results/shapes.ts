import { z } from "zod";
import {
  type ComponentSet,
  directionName,
  headName,
  mlpName,
  type Sizes,
  writtenSet,
} from "../model/components.ts";

/* Shapes that several results share. One thing has one name and one shape everywhere. */

export const count = z.int().min(0);
export const share = z.number().min(0).max(1);

/** A head: where it is, and its name. */
export const headShape = {
  layer: count,
  head: count,
  name: z
    .string()
    .describe("L10.H3: layer and head, counted from zero; L10.H3@2 where it is one of the head's directions"),
};
export const headSchema = z.strictObject(headShape);
/** A head as results name it. */
export type Head = z.infer<typeof headSchema>;

/** A head as results name it. */
export const headOf = (layer: number, head: number): Head => ({ layer, head, name: headName(layer, head) });

/** The head that a name is of. @param name `L3.H1` */
export function headNamed(name: string): Head {
  const [layer, head] = (name.match(/\d+/g) ?? []).map(Number);
  return headOf(layer, head);
}

/** An MLP term, or `embed`. */
export const mlpShape = { component: z.string().describe("embed, or L3.MLP") };

/** A head with its weight in a set. */
export const weightedHeadSchema = z.strictObject({ ...headShape, weight: z.number() });
/** A head of a set as results name it. */
export type WeightedHead = z.infer<typeof weightedHeadSchema>;

/** A component set as it was written, and what it reads. */
export const componentSetSchema = z.strictObject({
  set: z.string().describe("as it was written: L3.H1, last4, a property"),
  heads: z.array(weightedHeadSchema),
  mlps: z.array(z.strictObject({ ...mlpShape, weight: z.number() })),
  directions: z
    .array(z.strictObject({ ...headShape, direction: count, weight: z.number() }))
    .optional()
    .describe("singular directions of heads, named L10.H3@2; only where the set has any"),
});
/** A component set as results name it. */
export type ReadComponents = z.infer<typeof componentSetSchema>;

/** A component set as results name it. @param written as the user wrote it; its heads are named in one way */
export const componentsOf = (
  written: string,
  { heads, mlps, directions }: ComponentSet,
  sizes: Pick<Sizes, "layers">,
): ReadComponents => ({
  set: writtenSet(written),
  heads: heads.map(({ layer, head, weight }) => ({ ...headOf(layer, head), weight })),
  mlps: mlps.map(({ index, weight }) => ({ component: mlpName(index, sizes), weight })),
  ...(directions && {
    directions: directions.map(({ layer, head, direction, weight }) => ({
      ...{ layer, head, name: directionName(layer, head, direction), direction, weight },
    })),
  }),
});

const truncatedSchema = z.strictObject({
  text: z.string(),
  tokens: z.int().min(1).describe("how many of its tokens are read, the start and end token among them"),
});
/** A text of which a model reads only the beginning. */
export type TruncatedText = z.infer<typeof truncatedSchema>;
/** Texts that are cut off; only in results where one is. */
export const truncatedShape = {
  truncated: z
    .array(truncatedSchema)
    .min(1)
    .exactOptional()
    .describe("texts with more tokens than the model reads: the rest of them has no part in the result"),
};

export const commonSchema = z.strictObject({
  factor: z.string(),
  value: z.string(),
  share: share.describe("of the set's images"),
  overall: share.describe("of all images"),
  p: share.describe(
    "how often so many would have it by chance: exact (hypergeometric), corrected (Holm) for all values and sets of the page or search",
  ),
});
/** A value of a known factor that a set of images has more often than all images. */
export type CommonValue = z.infer<typeof commonSchema>;

/** An image of an index. */
export const indexedImageShape = {
  row: count.describe("its place in the index"),
  path: z.string(),
  id: z.string(),
  label: z.string().nullable(),
};
/** The image in a row of an index, as results name it. */
export const indexedImage = (
  row: number,
  { path, id, label }: { readonly path: string; readonly id: string; readonly label: string | null },
) => ({ row, path, id, label });

/** Where the middle 95 % of some draws lie, and their mean. */
export const intervalSchema = z.strictObject({ mean: z.number(), low: z.number(), high: z.number() });

/** A size in pixels. */
export const sizeSchema = z.strictObject({ width: z.int().min(1), height: z.int().min(1) });

/** Patches down and across. */
export const gridSchema = z.strictObject({ rows: count, columns: count });

/** A part of an image, in its pixels; fractions allowed. */
export const rectangleSchema = z.strictObject({
  x: z.number(),
  y: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
});
