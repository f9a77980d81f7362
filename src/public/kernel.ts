/** `clip-interpret/kernel`: the arrays below the analyses. Head geometry, the scores of the kernel, dense contributions. */
export type { ModelConfig, TextConfig, TowerConfig, VisionConfig } from "../checkpoint/model-config.ts";
export { allComponents, allHeads, headName, mlpName } from "../model/components.ts";
export type { DecomposeOptions, Gate, TokenDecomposition } from "../model/decompose.ts";
export { type DecomposedBatch, decomposeImages } from "../model/decompose-images.ts";
export { type Decomposition, imageOf } from "../model/decomposition.ts";
export { denseHeads, denseTokens } from "../model/dense.ts";
export type { HeadGeometry } from "../model/geometry.ts";
export {
  headContribution,
  headCoordinates,
  headMatrix,
  type PreparedProbe,
  prepareProbe,
} from "../model/head-space.ts";
export { scoreComponents, scoreImages, scoreTokens } from "../model/kernel.ts";
export { unitProbe } from "../model/probe.ts";
export { type DirectionsOf, type HeadDirections, singularDirections } from "../model/singular-directions.ts";
export type { LayerTokens, TokenTerms } from "../model/token-terms.ts";
