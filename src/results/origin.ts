import { z } from "zod";
import { type HashedIndex, hashOf } from "../corpus/hash-index.ts";
import type { ShardedIndex } from "../corpus/sharded-index.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { modelNotice } from "../model/notices.ts";
import { PRECISIONS } from "../onnx/linear.ts";
import { nameIn } from "../support/paths.ts";
import { VERSION } from "../support/version.ts";
import type { TextPool } from "../text/pool.ts";

/*
 * Where a result comes from: what program and version computed it, with which model, from which image, index, pool or
 * labels, each with its hash. A number in a notebook can then be traced, and made again.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "SHA-256 in hex");

/** What a result may be made from. */
const PARTS = {
  model: z.strictObject({
    name: z.string(),
    weights: sha256.describe("of the files that the weights lie in"),
    precision: z.enum(PRECISIONS).describe("fp32, or int8: an approximation in eight-bit integers"),
    device: z.string(),
    notice: z.string().nullable().describe("what must be known before the result is read"),
  }),
  image: z.strictObject({
    name: z.string().describe("as it was given"),
    label: z.string().nullable().describe("what the image is known to show"),
    sha256: sha256.describe("of the file"),
  }),
  index: z.strictObject({
    name: z.string(),
    sha256: sha256.describe("of the model, the preprocessing and every image with what is known of it"),
    images: z.int().min(0),
  }),
  pool: z.strictObject({ name: z.string(), sha256, texts: z.int().min(0) }),
  labels: z.strictObject({ name: z.string(), sha256 }),
};

/** A part of an origin by its name. */
export type OriginPart = keyof typeof PARTS;
/** An image as an origin names it. */
export type ImageOrigin = z.infer<typeof PARTS.image>;

/** The schema of an origin that has these parts, and no others. */
export function originSchema<K extends OriginPart = never>(...parts: readonly K[]) {
  const chosen = Object.fromEntries(parts.map((part) => [part, PARTS[part]])) as Pick<typeof PARTS, K>;
  return z
    .strictObject({ program: z.literal("clip-interpret"), version: z.string(), ...chosen })
    .describe("what the result was made with and from");
}

/** Where a result comes from, with these parts. */
export type Origin<K extends OriginPart = never> = {
  readonly program: "clip-interpret";
  readonly version: string;
} & { readonly [Part in K]: z.infer<(typeof PARTS)[Part]> };

/** What an origin is written from: the things themselves. */
interface Sources {
  readonly model: ClipModel;
  readonly image: ImageOrigin;
  readonly index: Pick<ShardedIndex, "folder" | "name"> & HashedIndex;
  readonly pool: TextPool;
  readonly labels: z.infer<typeof PARTS.labels>;
}

/** Writes down where a result comes from. Hashing the weights reads all of them, once a model. */
export async function originOf<S extends Partial<Sources>>(
  sources: S,
): Promise<Origin<Extract<keyof S, OriginPart>>> {
  const { model, image, index, pool, labels } = sources as Partial<Sources>;
  const origin = {
    program: "clip-interpret" as const,
    version: VERSION,
    ...(model && { model: await modelOrigin(model) }),
    ...(image && { image }),
    ...(index && {
      index: {
        name: index.name ?? nameIn(index.folder),
        sha256: await hashOf(index),
        images: index.images.length,
      },
    }),
    ...(pool && { pool: { name: pool.name, sha256: pool.hash, texts: pool.texts.length } }),
    ...(labels && { labels }),
  };
  return origin as Origin<Extract<keyof S, OriginPart>>;
}

async function modelOrigin(model: ClipModel): Promise<z.infer<typeof PARTS.model>> {
  const { name, precision, device } = model;
  return { name, weights: await model.weightsHash(), precision, device, notice: modelNotice(model) ?? null };
}
