import { openPoolShares, type PoolShares } from "../analysis/atlas/knowing-heads.ts";
import { meanOfEachHead } from "../corpus/means.ts";
import type { Search } from "../corpus/search.ts";
import type { ShardedIndex } from "../corpus/sharded-index.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { parseJson } from "../support/json.ts";
import { sharedCache } from "../support/shared.ts";
import type { TextPool } from "../text/pool.ts";
import type { PictureSources } from "./looks.ts";

/** Where a tab has its indexes from. */
export interface IndexSources extends PictureSources {
  readonly openIndex: (model: ClipModel, address: string) => Promise<Search<ShardedIndex>>;
}

const MOST_INDEXES = 3;

/** The indexes that one tab searches, and what follows from each. */
export function createSearches({ facts, readFile, openIndex, collections }: IndexSources) {
  const indexes = sharedCache<Search<ShardedIndex>>(MOST_INDEXES);
  const means = keptByIndex<Float64Array[]>();
  const pools = keptByIndex<{ readonly pool: TextPool; readonly shares: PoolShares }>();
  const search = async (model: ClipModel, name: string, corpus: string) => {
    const collection = await collections?.find(corpus);
    if (collection) return collection.search(model, name);
    const key = `${corpus} ${name}`;
    const address = facts.indexes[key];
    if (address === undefined) throw notHere();
    return indexes.get(key, () => openIndex(model, address));
  };
  const meansOf = (model: ClipModel, index: ShardedIndex) =>
    means(index, () => meanOfEachHead(index, model.geometry));
  /** A pool of texts, and what heads over an index make of it: some seconds of work, once. */
  const poolOver = (model: ClipModel, name: string, index: ShardedIndex) => {
    const address = facts.pools[name];
    if (address === undefined) throw noAtlas();
    return pools(index, async () => {
      const pool = parseJson(await readFile(address), address) as TextPool;
      const embedded = await model.encodeTexts(pool.texts.map(({ text }) => text));
      return { pool, shares: await openPoolShares(model, index, embedded) };
    });
  };
  return { search, meansOf, poolOver };
}

/** What follows from an index, for as long as that is open. */
function keptByIndex<T>() {
  const kept = new WeakMap<ShardedIndex, Promise<T>>();
  return (index: ShardedIndex, load: () => Promise<T>): Promise<T> => {
    const found = kept.get(index) ?? load();
    kept.set(index, found);
    found.catch(() => kept.delete(index));
    return found;
  };
}

export const notHere = () =>
  new ClipInterpretError("CORPUS_NOT_READY", "this page has no index of pictures", {
    hint: "Install clip-interpret and run `clip-interpret serve`: there it is searched, measured and compared.",
  });

export const noAtlas = () =>
  new ClipInterpretError("CORPUS_NOT_READY", "this page has no atlas of this model over these pictures", {
    hint: "Choose the pictures that came with the page, and its first model; `clip-interpret serve` makes an atlas of any.",
  });
