/** `clip-interpret/world`: the generated scenes, of which every factor is known. */
export { type WorldIndexOptions, worldIndex } from "../corpus/world-index.ts";
export {
  type Corpus,
  type CorpusOptions,
  type CorpusRow,
  type PlannedCorpus,
  planCorpus,
  readCorpus,
  writeCorpus,
} from "../world/corpus.ts";
export type { Scene, SceneObject } from "../world/scene.ts";
export type { SplitName } from "../world/splits.ts";
