/** An atlas on disk: made once for all that its numbers follow from, a file a head, the overview last. */
import { hashOf } from "../../corpus/hash-index.ts";
import type { Index } from "../../corpus/open-index.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import {
  type AtlasHeadResult,
  type AtlasResult,
  atlasHeadResultSchema,
  atlasResultSchema,
} from "../../results/atlas.ts";
import { codeVersion } from "../../support/code-version.ts";
import { fileIn } from "../../support/disk-paths.ts";
import { keepNewest, namesIn, readJson, remove, requireCache, writeWhole } from "../../support/files.ts";
import { sha256Of } from "../../support/hash.ts";
import { makeAtlas } from "./atlas.ts";
import { removeJournal } from "./maps.ts";
import type { AtlasOptions } from "./options.ts";

/** An atlas of a model, an index and a pool, made or not. */
export interface KeptAtlas {
  /** The overview; undefined before all is made. Labels are not kept: they change. */
  overview(): Promise<AtlasResult | undefined>;
  /** The page of a head, `L3.H1`. */
  page(name: string): Promise<AtlasHeadResult | undefined>;
  /** Makes what is missing, of the index with its rows; work that was stopped goes on. @throws as {@link makeAtlas}; `OUTPUT_UNWRITABLE` before the work, `DISK_FULL` */
  make(index: Index, options?: Omit<AtlasOptions, Kept>): Promise<AtlasResult>;
}

/** What an atlas is told apart by, and what this file sees to. */
type Kept = "pool" | "maps" | "rotations" | "others" | "labels" | "seed" | "journal" | "onPage";

/**
 * Finds where an atlas is kept.
 * @param folder of all atlases
 */
export async function keptAtlas(
  folder: string,
  model: ClipModel,
  index: ShardedIndex,
  asked: Pick<AtlasOptions, "pool" | "maps" | "rotations" | "others" | "seed"> = {},
): Promise<KeptAtlas> {
  const { pool, others = [], ...settings } = asked;
  const sides = [{ model, index }, ...others];
  const from = await Promise.all(
    sides.map(async (side) => [
      await side.model.weightsHash(),
      side.model.precision,
      side.model.device,
      await hashOf(side.index),
    ]),
  );
  const place = fileIn(folder, sha256Of(JSON.stringify([from, pool?.hash, settings])).slice(0, 24));
  // What another version of this program made says nothing any more, and is replaced.
  const version = (await codeVersion()).slice(0, 12);
  const home = fileIn(place, version);
  const file = (name: string) => fileIn(home, `${name}.json`);
  const read = async <T>(name: string, parse: (json: unknown) => T): Promise<T | undefined> => {
    try {
      return parse(await readJson(file(name)));
    } catch {
      return undefined;
    }
  };
  const kept: KeptAtlas = {
    overview: () => read("overview", (json) => atlasResultSchema.parse(json)),
    page: async (name) =>
      /^L\d+\.H\d+$/.test(name) ? read(name, (json) => atlasHeadResultSchema.parse(json)) : undefined,
    async make(rows, options = {}) {
      const known = await kept.overview();
      if (known) return known;
      await requireCache(home);
      await removeOthers(place, version);
      const journal = fileIn(home, "maps.jsonl");
      const overview = await makeAtlas(model, rows, {
        ...{ ...options, ...asked, journal },
        onPage: (page) => writeWhole(file(page.entry.name), JSON.stringify(page), { synced: false }),
      });
      await writeWhole(file("overview"), JSON.stringify(overview));
      await removeJournal(journal);
      await keepNewest(folder, MOST_ATLASES);
      return overview;
    },
  };
  return kept;
}

async function removeOthers(place: string, version: string): Promise<void> {
  for (const name of await namesIn(place)) if (name !== version) await remove(fileIn(place, name));
}

/** Atlases that are kept; the oldest go. */
const MOST_ATLASES = 32;
