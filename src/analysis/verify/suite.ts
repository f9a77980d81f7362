import { z } from "zod";
import { preprocess } from "../../image/preprocess.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { normalizeAll } from "../../model/pixels.ts";
import type { SuiteName } from "../../results/verify.ts";
import { fileIn, packaged } from "../../support/disk-paths.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { readJson } from "../../support/files.ts";
import { reasonOf } from "../../support/reason.ts";
import { readCorpus } from "../../world/corpus.ts";

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

const photosSchema = z.array(z.object({ file: z.string(), text: z.string() }));

const folderOf = (name: SuiteName) => packaged(`examples/${name}/`);

/** Reads a suite that comes with the package. */
export async function loadSuite(name: SuiteName): Promise<Suite> {
  const folder = folderOf(name);
  const pictures = name === "scenes" ? await scenes(folder) : await photos(folder);
  return { name, pictures: pictures.map((picture) => ({ ...picture, path: fileIn(folder, picture.file) })) };
}

type Listed = Omit<SuitePicture, "path">;

async function scenes(folder: string): Promise<Listed[]> {
  return (await readCorpus(folder)).map(({ path: file, candidates }) => ({ file, ...candidates }));
}

/** Of photographs, one text each is true: what is true of one is false of all others. */
async function photos(folder: string): Promise<Listed[]> {
  const list = fileIn(folder, "photos.json");
  const parsed = photosSchema.safeParse(await readJson(list));
  if (!parsed.success) throw new ClipInterpretError("JSON_INVALID", `${list}: ${reasonOf(parsed.error)}`);
  return parsed.data.map(({ file, text }, _, all) => {
    const isFalse = all.flatMap((other) => (other.text === text ? [] : [other.text]));
    return { file, isTrue: [text], isFalse };
  });
}

/** The suite's pictures as a model is shown them, [n, 3, size, size]. */
export async function suitePixels({ config }: ClipModel, { pictures }: Suite): Promise<Float32Array> {
  const shown = await Promise.all(pictures.map(({ path }) => preprocess(path, config.preprocess)));
  return normalizeAll(shown, config.preprocess);
}
