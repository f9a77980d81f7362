import { z } from "zod";
import { TOWER_ACTIVATIONS } from "../checkpoint/model-config.ts";
import { INTERPOLATIONS } from "../image/resample.ts";
import { RESIZE_MODES } from "../image/types.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { PRECISIONS } from "../onnx/linear.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";

const count = z.int().min(0);
const size = z.int().min(1);

/** How z is stored. */
export const DTYPES = ["float16", "float32"] as const;
export type Dtype = (typeof DTYPES)[number];

const layoutSchema = z.strictObject({
  layers: size,
  heads: size,
  headDim: size,
  embedDim: size,
  dtype: z.enum(DTYPES),
  mlps: z.boolean().describe("whether MLP terms are stored"),
  pooled: z
    .boolean()
    .optional()
    .describe(
      "of a model that pools by attention: z are contributions, D numbers each, and of their moments sums.npy alone is kept",
    ),
  poolMlp: z
    .boolean()
    .optional()
    .describe("whether such a model has an MLP behind its pool: one more MLP term"),
});

/** The shape of an index's arrays. */
export type Layout = z.infer<typeof layoutSchema>;

/** What every shard has beside `moments.npy`, or `sums.npy` in their place. */
const SHARD_FILES = ["heads.npy", "scalars.npy", "embedding.npy", "images.jsonl", "rejected.jsonl"];

const shardSchema = z.strictObject({
  // In a store the name says what is in it too.
  name: z.string().regex(/^\d{6}(-[0-9a-f]{16})?$/),
  images: count,
  rejected: count,
  files: z
    .record(z.string(), z.strictObject({ bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .refine((files) => SHARD_FILES.every((name) => Object.hasOwn(files, name)), "a file is not listed"),
});

/** A finished part of an index. */
export type ShardEntry = z.infer<typeof shardSchema>;

const originSchema = z.strictObject({
  model: z.strictObject({
    name: z.string(),
    weights: z.string().describe("SHA-256 of the weights"),
    precision: z.enum(PRECISIONS),
    device: z.string(),
    // Absent in indexes that were made before it was kept.
    activation: z.enum(TOWER_ACTIVATIONS).optional(),
    folder: z
      .strictObject({
        absolute: z.string(),
        relative: z.string().nullable().describe("from the index; null where there is no such path"),
      })
      .optional()
      .describe("where the model was, if not to be found by its name"),
  }),
  preprocessing: z.strictObject({
    size,
    resizeMode: z.enum(RESIZE_MODES),
    // Absent where they are as {@link usual} has them.
    resizeTo: size.optional(),
    interpolation: z.enum(INTERPOLATIONS).optional(),
    fill: z.number().optional(),
    order: z.enum(["open_clip", "transformers"]).optional(),
    mean: z.tuple([z.number(), z.number(), z.number()]),
    std: z.tuple([z.number(), z.number(), z.number()]),
    exif: z.boolean(),
  }),
});

/** What made the numbers: they may only be used together with numbers of the same origin. */
export type Origin = z.infer<typeof originSchema>;

const manifestSchema = z
  .strictObject({
    format: z.literal("clip-interpret-index"),
    version: z.literal(1),
    ...originSchema.shape,
    ...layoutSchema.shape,
    root: z.string().describe("the folder that image paths start at: absolute, or from the index's own"),
    shards: z.array(shardSchema),
  })
  .refine(isPossible, "no model has this shape")
  .refine(
    ({ pooled, shards }) =>
      shards.every(({ files }) => Object.hasOwn(files, pooled ? "sums.npy" : "moments.npy")),
    "a file is not listed",
  );

/** Whether memory is asked for in earnest: the largest CLIP has 9 million moments and 1280 dimensions. */
function isPossible({ layers, heads, headDim, embedDim, pooled }: Layout): boolean {
  const numbers = pooled ? layers * heads * headDim : layers * heads * (headDim + 4) ** 2;
  return numbers <= 2 ** 26 && embedDim <= 2 ** 16;
}

/** `manifest.json`: what an index holds; in memory its `root` is absolute. */
export type Manifest = z.infer<typeof manifestSchema>;

/** Reads a manifest's text; its `root` is as it is stored. @param where what messages call the index @throws `INDEX_INVALID` */
export function parseManifest(text: string, where: string): Manifest {
  const invalid = (why: string) =>
    new ClipInterpretError("INDEX_INVALID", `the manifest of the index ${where} is damaged: ${why}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(messageOf(cause));
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw invalid(reasonOf(parsed.error));
  const names = parsed.data.shards.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw invalid("a shard is listed twice");
  return parsed.data;
}

/** Where an index has its manifest. */
export const MANIFEST_FILE = "manifest.json";

/** A manifest as it is written. */
export const formatManifest = (manifest: Manifest): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);

/** The manifest of an index that nothing is in yet. @param root where its images' paths start */
export function emptyManifest(
  { geometry }: Pick<ClipModel, "geometry">,
  origin: Origin,
  root: string,
  {
    dtype = "float16",
    mlps = false,
  }: { readonly dtype?: Dtype | undefined; readonly mlps?: boolean | undefined } = {},
): Manifest {
  return {
    format: "clip-interpret-index",
    version: 1,
    ...origin,
    ...shapeOf(geometry),
    ...{ dtype, mlps, root, shards: [] },
  };
}

/** The shape of a model's arrays in an index. */
export function shapeOf({ layers, heads, headDim, embedDim, pool, poolMlp }: ClipModel["geometry"]) {
  const pooling = pool && { pooled: true, poolMlp: poolMlp ?? false };
  return { layers, heads, headDim, embedDim, ...pooling };
}

/** What a model's numbers come from. */
export async function originOf(model: ClipModel, exif: boolean): Promise<Origin> {
  const { name, precision, device, config } = model;
  const { mean, std, ...how } = config.preprocess;
  return {
    model: {
      ...{ name, weights: await model.weightsHash(), precision, device },
      activation: config.vision.activation,
    },
    preprocessing: { ...how, mean: [...mean], std: [...std], exif },
  };
}

/** Sees that a model may be asked about an index: it made it. @throws `INDEX_MISMATCH` */
export async function requireModelOf(
  { manifest, folder }: { readonly manifest: Manifest; readonly folder: string },
  model: ClipModel,
): Promise<void> {
  requireSameOrigin(manifest, await originOf(model, manifest.preprocessing.exif), folder);
}

/** Checks that numbers of `origin` may be part of an index, or be compared with it. @throws `INDEX_MISMATCH` */
export function requireSameOrigin(manifest: Manifest, origin: Origin, where: string): void {
  const { name: _, activation, ...rest } = origin.model;
  const model = manifest.model.activation === undefined ? rest : { ...rest, activation };
  const differing = [
    ...differences(manifest.model, model),
    ...differences(usual(manifest.preprocessing), usual(origin.preprocessing)),
  ];
  if (differing.length === 0) return;
  const { name, weights, precision, device } = manifest.model;
  const why = differing.join(", ");
  if (weights !== origin.model.weights) {
    const message = `the index ${where} was made by ${name}, not ${origin.model.name}: ${why}`;
    throw new ClipInterpretError("INDEX_MISMATCH", message, {
      hint: "Leave --model out: an index brings its model. Or make another index with another --out.",
    });
  }
  throw new ClipInterpretError("INDEX_MISMATCH", `the index ${where} was made by ${name} otherwise: ${why}`, {
    hint: `Use it as it was made, with --precision ${precision} --device ${device}, or make another index with another --out.`,
  });
}

/** Preprocessing with what is left unsaid. */
const usual = (how: Origin["preprocessing"]): Required<Origin["preprocessing"]> => ({
  ...{ resizeTo: how.size, interpolation: "bicubic", fill: 0, order: "open_clip" },
  ...how,
});

/** Fields of `wanted` that differ, as "field: is instead of wanted". */
export function differences(
  is: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): string[] {
  const show = (value: unknown) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.length > 12 && /^[0-9a-f]+$/.test(text) ? `${text.slice(0, 8)}…` : text;
  };
  return Object.keys(wanted)
    .filter((key) => JSON.stringify(is[key]) !== JSON.stringify(wanted[key]))
    .map((key) => `${key} is ${show(is[key])} there, ${show(wanted[key])} here`);
}
