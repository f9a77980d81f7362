import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SessionOptions } from "../onnx/session.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { type ClipModel, loadClipModel, shared } from "./clip-model.ts";

/** Models that come with the package: small CLIPs trained on a generated world of emoji scenes. */
export const EMBEDDED_MODELS = ["emoji-4x128-p8"] as const;

/** What is used when no model is named. */
export const DEFAULT_MODEL: (typeof EMBEDDED_MODELS)[number] = "emoji-4x128-p8";

/** A model that was named, found on disk. */
export interface LocatedModel {
  readonly name: string;
  readonly folder: string;
  readonly embedded: boolean;
}

/** True for the name of a model that comes with the package. */
export const isEmbedded = (name: string): boolean => (EMBEDDED_MODELS as readonly string[]).includes(name);

/**
 * Finds a model by name: an embedded one, or a folder.
 * @throws `MODEL_NOT_FOUND`
 */
export async function locateModel(nameOrFolder: string): Promise<LocatedModel> {
  if (isEmbedded(nameOrFolder)) {
    // src/model/ and dist/model/ are equally deep, so this holds before and after the build.
    const models = fileURLToPath(new URL("../../models/", import.meta.url));
    return { name: nameOrFolder, folder: join(models, nameOrFolder), embedded: true };
  }
  const folder = resolve(nameOrFolder);
  const isFolder = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    const known = EMBEDDED_MODELS.join(", ");
    throw new ClipInterpretError(
      "MODEL_NOT_FOUND",
      `no model "${nameOrFolder}": not embedded (${known}), and no such folder`,
    );
  }
  return { name: basename(folder), folder, embedded: false };
}

/** Loads models by name; callers that ask for one model share one load, and a failed load is tried anew. */
export interface ModelLoader {
  load(nameOrFolder: string): Promise<ClipModel>;
  release(): Promise<void>;
}

/** Makes a loader whose models all run with the same options. */
export function createModelLoader(options: SessionOptions = {}): ModelLoader {
  const loads = new Map<string, Promise<ClipModel>>();
  return {
    async load(nameOrFolder) {
      const { name, folder } = await locateModel(nameOrFolder);
      return shared(loads, folder, () => loadClipModel(folder, name, options));
    },
    async release() {
      const models = await Promise.allSettled(loads.values());
      loads.clear();
      for (const result of models) if (result.status === "fulfilled") await result.value.release();
    },
  };
}
