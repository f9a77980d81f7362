/** Which models a study or the referee looks at, as a user says it. */
import { modelOfIndex } from "../corpus/index-model.ts";
import { type ModelLoader, whatFinds } from "../model/registry.ts";
import { ClipInterpretError } from "../support/errors.ts";

/**
 * Models by `--models`, else those that made the `--index`es, else the usual ones; and the indexes by their model.
 * @throws `USAGE`, `INDEX_INVALID`
 */
export async function modelsAndIndexes(
  { models, index }: { readonly models?: string; readonly index: readonly string[] },
  loader: ModelLoader,
  usual: readonly string[],
): Promise<{ models: readonly string[]; indexes: Record<string, string> }> {
  const { indexes, makers } = await indexesOf(index, loader);
  return { models: models !== undefined ? namesIn(models) : makers.length > 0 ? makers : usual, indexes };
}

function namesIn(list: string): string[] {
  const names = list.split(",").map((name) => name.trim());
  if (names.some((name) => name === ""))
    throw new ClipInterpretError("USAGE", `--models ${list} has an empty name`);
  return names;
}

/** Indexes by the models that are studied with them, and the models that were not named but made one. */
async function indexesOf(given: readonly string[], loader: ModelLoader) {
  const indexes: Record<string, string> = {};
  const makers: string[] = [];
  for (const value of given) {
    const at = value.indexOf("=");
    if (at === 0 || at === value.length - 1)
      throw new ClipInterpretError("USAGE", `--index ${value} is neither an index nor MODEL=INDEX`);
    const model = at < 0 ? await makerOf(value, loader) : value.slice(0, at);
    if (model in indexes) throw new ClipInterpretError("USAGE", `--index names ${model} twice`);
    indexes[model] = value.slice(at + 1);
    if (at < 0) makers.push(model);
  }
  return { indexes, makers };
}

/** What loads the model that made an index. */
async function makerOf(folder: string, loader: ModelLoader): Promise<string> {
  const model = await modelOfIndex(folder, loader);
  if (!model) throw new ClipInterpretError("INDEX_INVALID", `no index in ${folder}`);
  return whatFinds(model);
}
