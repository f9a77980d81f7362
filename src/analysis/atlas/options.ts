import type { Index } from "../../corpus/open-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { AtlasHeadResult } from "../../results/atlas.ts";
import type { SelectivityResult } from "../../results/selectivity.ts";
import type { WorkOptions } from "../../support/progress.ts";
import type { TextPool } from "../../text/pool.ts";
import type { AtlasLabels } from "./labels.ts";

/** Another model with an index of some of the same images. */
export interface OtherSide {
  readonly model: ClipModel;
  readonly index: Index;
  readonly labels?: AtlasLabels;
}

/** How an atlas is made. */
export interface AtlasOptions extends WorkOptions {
  /** Texts that heads are described by; needed where the model reads texts. */
  readonly pool?: TextPool;
  /** Random rotations for the control of the texts. Default: 100. */
  readonly rotations?: number;
  /** Images that are decomposed for maps, at most; 0: no maps. Default: 2000. */
  readonly maps?: number;
  /** What heads are called. */
  readonly labels?: AtlasLabels;
  /** Models whose nearest heads are shown too. */
  readonly others?: readonly OtherSide[];
  /** What factors explain, where it is measured already. */
  readonly selectivity?: Pick<SelectivityResult, "factors" | "heads">;
  /** A file in which the work is kept until it is done, so that it goes on when it was stopped. */
  readonly journal?: string;
  /** Where embeddings of texts are kept. */
  readonly cacheFolder?: string;
  /** Images in one run of the encoder. */
  readonly batch?: number;
  readonly threads?: number;
  readonly seed?: number;
  /** Takes each head's page as it is made, layer by layer. */
  readonly onPage?: (page: AtlasHeadResult) => Promise<void> | void;
}

/** Texts that the metrics are about, and that pages have a direction for. */
export const STEPS = 5;
