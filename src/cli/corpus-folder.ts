import { join } from "node:path";
import { ownCacheFolder } from "../support/environment.ts";
import type { PlannedCorpus } from "../world/corpus.ts";

/** Where a corpus of the generated world lies when no other folder is named: in this program's cache, by its key. */
export const corpusFolder = ({ split, images, key }: PlannedCorpus): string =>
  join(ownCacheFolder(process.env), "worlds", `${split}-${images}-${key}`);
