import { type PlannedCorpus, worldFolder } from "../world/corpus.ts";

/** Where a corpus of the generated world lies when no other folder is named. */
export const corpusFolder = (plan: PlannedCorpus): string => worldFolder(plan, process.env);
