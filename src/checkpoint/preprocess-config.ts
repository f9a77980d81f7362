/** What configs say of preprocessing, in OpenCLIP's words and in transformers': honoured, or refused by name. */

import { z } from "zod";
import { INTERPOLATIONS, type Interpolation } from "../image/resample.ts";
import type { PreprocessConfig } from "../image/types.ts";
import { type Bytes, jsonFrom } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { pathIn } from "../support/paths.ts";
import { reasonOf } from "../support/reason.ts";
import { OPENAI_MEAN, OPENAI_STD } from "./model-config.ts";

const count = z.int().min(1).max(1_000_000);
type Triple = readonly [number, number, number];
const numbers = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);
const triple = numbers.transform(
  (value): Triple => (typeof value === "number" ? [value, value, value] : value),
);
// No channel may be divided by nothing.
const deviation = triple.refine((values) => values.every((value) => value > 0), "deviations are above 0");

const openClipSchema = z.object({
  mode: z.literal("RGB").nullish(),
  // OpenCLIP asks `mean or default`, for which a plain 0 is none.
  mean: z
    .literal(0)
    .transform(() => null)
    .or(triple)
    .nullish(),
  std: z
    .literal(0)
    .transform(() => null)
    .or(deviation)
    .nullish(),
  interpolation: z.enum([...INTERPOLATIONS, "random"]).nullish(),
  resize_mode: z.enum(["shortest", "longest", "squash"]).nullish(),
  fill_color: z.int().min(0).max(255).nullish(),
});

/**
 * Reads the `preprocess_cfg` of an `open_clip_config.json`. Its `size` says nothing: OpenCLIP takes the model's. Keys that
 * OpenCLIP does not know, it passes over too.
 * @throws `CONFIG_INVALID`, which names the field
 */
export function openClipPreprocess(json: unknown, imageSize: number, name: string): PreprocessConfig {
  const how = parse(openClipSchema, json ?? {}, `preprocess_cfg of ${name}`);
  return {
    size: imageSize,
    resizeMode: how.resize_mode ?? "shortest",
    // At random in training; bicubic where pictures are only looked at.
    ...(how.interpolation === "bilinear" && { interpolation: "bilinear" }),
    ...(how.resize_mode === "longest" && how.fill_color && { fill: how.fill_color }),
    mean: how.mean ?? OPENAI_MEAN,
    std: how.std ?? OPENAI_STD,
  };
}

/** transformers' files that say how pictures are preprocessed, the one that counts first. */
export const HF_PREPROCESSORS = ["processor_config.json", "preprocessor_config.json"] as const;

const nestedSchema = z.object({ image_processor: z.record(z.string(), z.unknown()) });

/**
 * What a transformers folder says of preprocessing, for {@link hfPreprocess}: the `image_processor` section of
 * `processor_config.json`, else `preprocessor_config.json`, else undefined.
 * @param files the names of the files in the folder
 * @throws `JSON_INVALID`, `INPUT_UNREADABLE`
 */
export async function readHfPreprocessor(
  bytes: Bytes,
  folder: string,
  files: ReadonlySet<string>,
): Promise<unknown> {
  const [nested, plain] = HF_PREPROCESSORS;
  if (files.has(nested)) {
    const section = nestedSchema.safeParse(await jsonFrom(bytes, pathIn(folder, nested)));
    if (section.success) return section.data.image_processor;
  }
  return files.has(plain) ? await jsonFrom(bytes, pathIn(folder, plain)) : undefined;
}

/** What a class of transformers does where the file does not say. */
interface Defaults {
  readonly squash: boolean;
  readonly crop: boolean;
  readonly resample: number;
  readonly mean: Triple;
  readonly std: Triple;
}

const HALVES: Triple = [0.5, 0.5, 0.5];
const ZEROS: Triple = [0, 0, 0];
const ONES: Triple = [1, 1, 1];
/** The side that transformers resizes to where a file does not say. */
const DEFAULT_SIZE = 224;
const CLIP_DEFAULTS: Defaults = {
  squash: false,
  crop: true,
  resample: 3,
  mean: OPENAI_MEAN,
  std: OPENAI_STD,
};
const PROCESSORS: Readonly<Record<string, Defaults>> = {
  CLIPImageProcessor: CLIP_DEFAULTS,
  CLIPFeatureExtractor: CLIP_DEFAULTS,
  BitImageProcessor: CLIP_DEFAULTS,
  ViTImageProcessor: { squash: true, crop: false, resample: 2, mean: HALVES, std: HALVES },
  SiglipImageProcessor: { squash: true, crop: false, resample: 3, mean: HALVES, std: HALVES },
};

/** Pillow's numbers of its filters. */
const RESAMPLING: Readonly<Record<number, Interpolation>> = { 2: "bilinear", 3: "bicubic" };

const sides = z.union([
  count.transform((side) => ({ side })),
  z.object({ shortest_edge: count }).transform((size) => ({ shortest: size.shortest_edge })),
  z.object({ height: count, width: count }),
]);
const flag = z.boolean().nullish();
const processorSchema = z.looseObject({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: flag,
  size: sides.nullish(),
  resample: z.int().nullish(),
  do_center_crop: flag,
  crop_size: sides.nullish(),
  do_rescale: flag,
  rescale_factor: z.number().positive().nullish(),
  do_normalize: flag,
  image_mean: triple.nullish(),
  image_std: deviation.nullish(),
  // Pictures are always made RGB; where a file says not to, transformers has no result for those that are not.
  do_convert_rgb: flag,
  processor_class: z.unknown().optional(),
  // How arrays are passed around, which changes no number.
  _valid_processor_keys: z.unknown().optional(),
  data_format: z.unknown().optional(),
  input_data_format: z.unknown().optional(),
  return_tensors: z.unknown().optional(),
  device: z.unknown().optional(),
  disable_grouping: z.unknown().optional(),
});
type Processor = z.infer<typeof processorSchema>;

/** Refuses a file by the field that is not done here. */
type Refuse = (why: string) => ClipInterpretError;

/**
 * Reads transformers' `preprocessor_config.json`, or the `image_processor` section of the `processor_config.json` that
 * transformers 5 writes in its place: RGB first, then resize, crop, scale and normalise.
 * @param json the parsed file; undefined where there is none, which means the defaults at the model's size
 * @throws `CONFIG_INVALID`, `MODEL_UNSUPPORTED`, with the field's name
 */
export function hfPreprocess(json: unknown, imageSize: number, name: string): PreprocessConfig {
  const how = parse(processorSchema, json ?? {}, `preprocessor_config.json of ${name}`);
  const refuse: Refuse = (why) =>
    new ClipInterpretError("MODEL_UNSUPPORTED", `preprocessor_config.json of ${name} asks for ${why}`, {
      hint: "If the field is not meant, take it out of the file; nothing is passed over in silence.",
    });
  const type = how.image_processor_type ?? how.feature_extractor_type ?? "CLIPImageProcessor";
  const defaults = PROCESSORS[type.replace(/(Fast|Pil)$/, "")];
  if (!defaults) throw refuse(`${type}, which is not known here`);
  for (const [key, value] of Object.entries(how)) {
    if (!(key in processorSchema.shape) && value !== null && value !== false)
      throw refuse(`${key} = ${JSON.stringify(value)}, which is not known here`);
  }
  const resample = how.resample ?? defaults.resample;
  const interpolation = RESAMPLING[resample];
  if (!interpolation) throw refuse(`resample ${resample}; 2 (bilinear) and 3 (bicubic) are known here`);
  return {
    size: imageSize,
    ...resizeOf(how, defaults, imageSize, refuse),
    ...(interpolation !== "bicubic" && { interpolation }),
    order: "transformers",
    ...normalisationOf(how, defaults),
  };
}

/** What becomes of the sides, which must leave a square that the model reads. */
function resizeOf(
  how: Processor,
  defaults: Defaults,
  imageSize: number,
  refuse: Refuse,
): Pick<PreprocessConfig, "resizeMode" | "resizeTo"> {
  const crops = how.do_center_crop ?? defaults.crop;
  const crop = how.crop_size && sideOf(how.crop_size, "crop_size", refuse);
  if (crops && crop != null && crop !== imageSize)
    throw refuse(`crop_size ${crop}, and the model reads ${imageSize} × ${imageSize}`);
  const uncropped = () =>
    refuse(`do_center_crop false, and pictures then do not get the model's ${imageSize} × ${imageSize}`);
  if (how.do_resize === false) {
    if (!crops) throw uncropped();
    return { resizeMode: "none" };
  }
  // Without a word on either, the sizes can only be the model's.
  const size = how.size ?? { side: crop == null ? imageSize : DEFAULT_SIZE };
  const squash = "height" in size || ("side" in size && defaults.squash);
  const side = sideOf(size, "size", refuse);
  if (!crops && !(squash && side === imageSize)) throw uncropped();
  return {
    resizeMode: squash ? "squash" : "shortest",
    ...(side !== imageSize && { resizeTo: side }),
  };
}

function sideOf(size: NonNullable<Processor["size"]>, field: string, refuse: Refuse): number {
  if ("side" in size) return size.side;
  if ("shortest" in size) return size.shortest;
  if (size.height !== size.width) throw refuse(`${field} ${size.width} × ${size.height}, which is no square`);
  return size.height;
}

/** Scaling and normalising, (x·factor − mean) / std, as one mean and one deviation of x / 255. */
function normalisationOf(how: Processor, defaults: Defaults): Pick<PreprocessConfig, "mean" | "std"> {
  const factor = how.do_rescale === false ? 1 : (how.rescale_factor ?? 1 / 255);
  const off = how.do_normalize === false;
  const mean = off ? ZEROS : (how.image_mean ?? defaults.mean);
  const std = off ? ONES : (how.image_std ?? defaults.std);
  const unit = factor * 255;
  // 1/255 written out in decimals is the same.
  if (Math.abs(unit - 1) < 1e-9) return { mean, std };
  const scaled = ([r, g, b]: Triple): Triple => [r / unit, g / unit, b / unit];
  return { mean: scaled(mean), std: scaled(std) };
}

function parse<Schema extends z.ZodType>(type: Schema, json: unknown, what: string): z.infer<Schema> {
  const parsed = type.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ClipInterpretError("CONFIG_INVALID", `${what}: ${reasonOf(parsed.error)}`);
}
