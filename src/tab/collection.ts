import type { Search } from "../corpus/search.ts";
import type { ShardedIndex } from "../corpus/sharded-index.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { Corpora, CorpusImages } from "../results/app.ts";
import type { PagePicture } from "./facts.ts";

/** Pictures that a page without a server did not come with: a folder that was given to it, an index at an address. */
export interface Collection {
  readonly name: string;
  /** What of it can be searched with a model. */
  entry(model: string): Promise<Corpora["corpora"][number]>;
  /** Some of its pictures. @param ids those, in the place of a part of the list */
  images(asked: {
    readonly offset: number;
    readonly limit: number;
    readonly ids?: readonly string[];
  }): Promise<CorpusImages>;
  /** A picture with its file. @throws `IMAGE_GONE` */
  picture(
    id: string,
  ): Promise<{ readonly bytes: Uint8Array; readonly picture: Omit<PagePicture, "address"> }>;
  /** Its index. @throws `CORPUS_NOT_READY`; `INDEX_MISMATCH` where another model made it */
  search(model: ClipModel, name: string): Promise<Search<ShardedIndex>>;
}
