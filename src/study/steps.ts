import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";

/** Results of steps, kept in a folder: a study that was stopped goes on after the last one that was done. */
export interface Steps {
  /**
   * The result of a step: the one that is kept where everything it follows from is the same, else computed and kept.
   * @param key all that the result follows from, hashes for what is large
   */
  run<T>(model: string, step: string, key: unknown, compute: () => Promise<T>): Promise<T>;
}

const keptSchema = z.object({ key: z.unknown(), sha256: z.string(), result: z.unknown() });

/**
 * Keeps JSON results under a folder, one file a step: `MODEL/STEP.json` with the key, the result and its checksum. A file
 * that is damaged or of another key is computed again and replaced.
 * @throws `OUTPUT_UNWRITABLE`, `DISK_FULL` when a result cannot be kept
 */
export function createSteps(folder: string): Steps {
  return {
    async run<T>(model: string, step: string, key: unknown, compute: () => Promise<T>): Promise<T> {
      const path = join(folder, model.replaceAll(/[^\w.-]+/g, "_"), `${step}.json`);
      const wanted = JSON.stringify(key);
      const kept = await readKept(path, wanted);
      // What was written is what `compute` gave: the key and the checksum say so.
      if (kept !== undefined) return JSON.parse(kept) as T;
      const result = JSON.stringify(await compute());
      await writeWhole(path, `{"key":${wanted},"sha256":"${sha256Of(result)}","result":${result}}\n`);
      return JSON.parse(result) as T;
    },
  };
}

async function readKept(path: string, wanted: string): Promise<string | undefined> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
  const parsed = keptSchema.safeParse(json);
  if (!parsed.success || JSON.stringify(parsed.data.key) !== wanted) return undefined;
  const result = JSON.stringify(parsed.data.result);
  return sha256Of(result) === parsed.data.sha256 ? result : undefined;
}
