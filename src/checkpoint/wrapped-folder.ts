import { z } from "zod";
import { type Bytes, jsonFrom } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { pathIn } from "../support/paths.ts";
import { reasonOf } from "../support/reason.ts";

/** What sentence-transformers puts beside the folders of a model's modules: which they are. */
export const MODULES = "modules.json";

/** How sentence-transformers names the folder of a module: its place and its class. */
const MODULE_FOLDER = /^\d+_\w+$/;

const modulesSchema = z.array(z.object({ type: z.string(), path: z.string() }));

/**
 * The folder, below that of a {@link MODULES} file, in which its CLIP lies; "" where that is the file's own, or where it names no
 * CLIP: then the config beside it says what it is.
 *
 * @param path the `modules.json`
 * @throws `MODEL_UNSUPPORTED` where the CLIP's embedding goes through further modules; `CONFIG_INVALID`, `JSON_INVALID`
 */
export async function clipModule(bytes: Bytes, path: string): Promise<string> {
  const parsed = modulesSchema.safeParse(await jsonFrom(bytes, path));
  if (!parsed.success) throw new ClipInterpretError("CONFIG_INVALID", `${path}: ${reasonOf(parsed.error)}`);
  const modules = parsed.data.map((module) => ({ ...module, kind: module.type.split(".").at(-1) }));
  const clip = modules.find(({ kind }) => kind === "CLIPModel");
  if (!clip) return "";
  // Embeddings are normalised here anyway.
  const further = modules.find((module) => module !== clip && module.kind !== "Normalize");
  if (further)
    throw new ClipInterpretError(
      "MODEL_UNSUPPORTED",
      `${path}: the CLIP's embedding goes through a further module (${further.kind}), which is not taken apart`,
    );
  if (clip.path !== "" && !MODULE_FOLDER.test(clip.path))
    throw new ClipInterpretError(
      "CONFIG_INVALID",
      `${path}: no folder of a module: ${JSON.stringify(clip.path)}`,
    );
  return clip.path;
}

/**
 * The folder that holds the model itself: the one that was asked for, or the CLIP's inside one that sentence-transformers wrote.
 * @throws as {@link clipModule}
 */
export async function unwrapFolder(bytes: Bytes, folder: string): Promise<string> {
  const names = await bytes.names(folder).catch((): ReadonlySet<string> => new Set());
  if (!names.has(MODULES)) return folder;
  const inside = await clipModule(bytes, pathIn(folder, MODULES));
  return inside === "" ? folder : pathIn(folder, inside);
}

/** The folder that holds the model itself, with the names of its files. @throws `MODEL_NOT_FOUND`, and as {@link clipModule} */
export async function modelFolder(
  bytes: Bytes,
  asked: string,
): Promise<{ folder: string; files: ReadonlySet<string> }> {
  const folder = await unwrapFolder(bytes, asked);
  return { folder, files: await bytes.names(folder) };
}
