import { basename, join } from "node:path";
import { buildIndex } from "../corpus/build.ts";
import { requireModelOf } from "../corpus/manifest.ts";
import { type Index, readIndex } from "../corpus/open-index.ts";
import { scanSource } from "../corpus/source.ts";
import { placeOf } from "../corpus/store-at.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { ModelLoader } from "../model/registry.ts";
import { ownCacheFolder } from "../support/environment.ts";
import { sha256Of } from "../support/hash.ts";
import type { WorkOptions } from "../support/progress.ts";
import { DEMO, planCorpus, worldFolder, writeCorpus } from "../world/corpus.ts";

/** Where a model's images come from. */
export interface ImageInput {
  /** An index that this model made. */
  readonly index?: string | undefined;
  /** A folder or list of images, which is indexed into this program's cache; by default the demo corpus. */
  readonly images?: string | undefined;
}

/** What a study and a referee run over, and where. */
export interface RunOptions extends WorkOptions {
  readonly models: readonly string[];
  /** By default models are loaded for this alone. */
  readonly loader?: ModelLoader;
  /** Where finished steps are kept. */
  readonly stepsFolder: string;
  /** A folder or list of images for the models without an index; by default the demo corpus. */
  readonly images?: string;
  /** Model → index. */
  readonly indexes?: Readonly<Record<string, string>>;
  /** A pool's name or file; by default the one that fits each model. */
  readonly texts?: string;
  readonly threads?: number;
}

/** The index of a model's images, under the name that a report gives it: the one named, or one in the cache, made or brought up to date. */
export async function indexFor(
  model: ClipModel,
  { index, images }: ImageInput,
  work: WorkOptions = {},
): Promise<Index> {
  if (index !== undefined) {
    const opened = await readIndex(index, work);
    await requireModelOf(opened, model);
    return { ...opened, name: basename(placeOf(index)) };
  }
  const input = images === "-" ? images : placeOf(images ?? (await demoCorpus(work)));
  const source = await scanSource(input, work);
  const key = sha256Of(JSON.stringify([input, source.root, await model.weightsHash(), model.precision]));
  const name = `${model.name.replaceAll(/[^\w.-]+/g, "_")}-${key.slice(0, 12)}`;
  const folder = join(ownCacheFolder(process.env), "indexes", name);
  const { unsupported } = await buildIndex(model, source, folder, { ...work, prune: true });
  const kinds = Object.entries(unsupported).map(([kind, count]) => `${count} ${kind}`);
  if (kinds.length > 0) {
    const message = `${input} has files in formats that cannot be read: ${kinds.join(", ")}`;
    work.report?.({ type: "warning", code: "IMAGE_UNSUPPORTED", message });
  }
  return { ...(await readIndex(folder, work)), name: images === undefined ? "demo corpus" : basename(input) };
}

/** The folder of the demo corpus, drawn if it is not there: the one that `clip-interpret demo` makes. */
async function demoCorpus(work: WorkOptions): Promise<string> {
  const { split, size, images } = DEMO;
  const plan = await planCorpus({ split, size, indices: Array.from({ length: images }, (_, i) => i) });
  const folder = worldFolder(plan, process.env);
  await writeCorpus(folder, plan, work);
  return folder;
}
