import { fileURLToPath } from "node:url";
import { z } from "zod";
import { normalize, preprocess } from "../image/preprocess.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";

/** Pictures with texts that are true of them and texts that are not. */
export interface Suite {
  readonly name: SuiteName;
  readonly pictures: readonly SuitePicture[];
}

/** One picture of a {@link Suite}. */
export interface SuitePicture {
  readonly file: string;
  readonly path: string;
  readonly isTrue: readonly string[];
  readonly isFalse: readonly string[];
}

/** Generated scenes for the embedded models, photographs for every other CLIP. */
export const SUITES = ["scenes", "photos"] as const;
export type SuiteName = (typeof SUITES)[number];

const scenesSchema = z.array(
  z.object({
    file: z.string(),
    candidates: z.object({ isTrue: z.array(z.string()), isFalse: z.array(z.string()) }),
  }),
);
const photosSchema = z.array(z.object({ file: z.string(), text: z.string() }));

/** Reads a suite that comes with the package. */
export async function loadSuite(name: SuiteName): Promise<Suite> {
  // src/analysis/ and dist/analysis/ are equally deep, so this holds before and after the build.
  const path = (file: string) => fileURLToPath(new URL(`../../examples/${name}/${file}`, import.meta.url));
  const list = path(`${name}.json`);
  const json = await readJson(list);
  const parsed =
    name === "scenes" ? scenesSchema.safeParse(json) : photosSchema.transform(rivals).safeParse(json);
  if (!parsed.success)
    throw new ClipInterpretError("JSON_INVALID", `${list}: ${z.prettifyError(parsed.error)}`);
  const pictures = parsed.data.map(({ file, candidates }) => ({ file, path: path(file), ...candidates }));
  return { name, pictures };
}

/** Of photographs, one text each is true: what is true of one is false of all others. */
const rivals = (photos: z.infer<typeof photosSchema>) =>
  photos.map(({ file, text }) => {
    const isFalse = photos.flatMap((other) => (other.text === text ? [] : [other.text]));
    return { file, candidates: { isTrue: [text], isFalse } };
  });

/** The suite's pictures as a model is shown them, [n, 3, size, size]. */
export async function suitePixels({ config }: ClipModel, { pictures }: Suite): Promise<Float32Array> {
  const perImage = 3 * config.preprocess.size ** 2;
  const pixels = new Float32Array(pictures.length * perImage);
  for (const [i, { path }] of pictures.entries())
    normalize((await preprocess(path, config.preprocess)).rgb, config.preprocess, pixels, i * perImage);
  return pixels;
}
