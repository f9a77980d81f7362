import { join } from "node:path";
import { z } from "zod";
import { readJson, writeWhole } from "../support/files.ts";

const memorySchema = z.strictObject({
  default: z.string().nullable(),
  corpora: z.array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/),
      title: z.string(),
      folder: z.string().describe("absolute, links resolved"),
      root: z.string().describe("the allowed root that it lies in"),
    }),
  ),
});

/** A folder of pictures that was added in a page. */
export type OwnCorpus = z.infer<typeof memorySchema>["corpora"][number];

/** What pages added and chose, kept over restarts. */
export interface CorpusMemory {
  /** Those that lie in roots of this server. */
  corpora(): readonly OwnCorpus[];
  /** What was chosen, if anything was. */
  defaultName(): string | undefined;
  setDefault(name: string): Promise<void>;
  add(corpus: OwnCorpus): Promise<void>;
  remove(name: string): Promise<void>;
}

/**
 * Opens the file. What it holds of roots that this server does not have stays in it and is not served.
 * @param roots folders, links resolved
 * @param first what is the default at this start, whatever was chosen before
 */
export async function openCorpusMemory(
  cache: string,
  roots: readonly string[],
  first: string | undefined,
): Promise<CorpusMemory> {
  const file = join(cache, "corpora.json");
  const read = await readJson(file)
    .then((json) => memorySchema.safeParse(json))
    .catch(() => undefined);
  let kept: z.infer<typeof memorySchema> = read?.success ? read.data : { default: null, corpora: [] };
  let chosen = first ?? kept.default ?? undefined;
  // One change at a time.
  let last: Promise<unknown> = Promise.resolve();
  const keep = (change: Partial<typeof kept>) => {
    kept = { ...kept, ...change };
    const text = JSON.stringify(kept, null, 1);
    const write = last.then(() => writeWhole(file, text));
    last = write.catch(() => {});
    return write;
  };
  return {
    corpora: () => kept.corpora.filter(({ root }) => roots.includes(root)),
    defaultName: () => chosen,
    setDefault(name) {
      chosen = name;
      return keep({ default: name });
    },
    add: (corpus) => keep({ corpora: [...kept.corpora, corpus] }),
    remove(name) {
      if (chosen === name) chosen = undefined;
      const rest = kept.corpora.filter((corpus) => corpus.name !== name);
      return keep({ corpora: rest, default: kept.default === name ? null : kept.default });
    },
  };
}
