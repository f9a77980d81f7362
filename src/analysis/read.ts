/**
 * A decomposition × a probe × a component set, read along one axis: components, tokens or the images of an index
 * ("Interpreting CLIP's Image Representation via Text-Based Decomposition", §3 and §4). What `model/kernel.ts` computes,
 * with names to the numbers.
 */
import type { Search } from "../corpus/search.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { type ComponentSet, mlpName } from "../model/components.ts";
import type { TokenDecomposition } from "../model/decompose.ts";
import type { Decomposition } from "../model/decomposition.ts";
import { prepareProbe } from "../model/head-space.ts";
import { scoreComponents } from "../model/kernel.ts";
import { type Head, headOf } from "../results/shapes.ts";
import { type TokenMap, tokenMap } from "./segmentation/segmentation.ts";

/** What every component wrote towards a probe. */
export interface ComponentScores {
  /** Layer by layer. */
  readonly heads: (Head & { readonly value: number })[];
  /** `embed`, then every layer's MLP. */
  readonly mlps: { readonly component: string; readonly value: number }[];
  /** Of all values: the embedding's own score. */
  readonly sum: number;
}

/**
 * Along components: what each head and MLP adds to the image's score. They add up to it exactly.
 *
 * @param probe [D], as `textProbe`, `contrastProbe` or `imageProbe` make it
 * @param image which image of a batch
 * @example
 * ```ts
 * import { decomposeImage, openModel, readComponents, textProbe } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png");
 * const { heads, sum } = readComponents(model, scene, await textProbe(model, "a monkey with a purple backdrop"));
 * const [most] = heads.sort((a, b) => b.value - a.value);
 * console.log(`${most.name} adds ${most.value.toFixed(4)} to ${sum.toFixed(4)}`); // → L1.H0 adds 0.0677 to 0.1971
 * ```
 */
export function readComponents(
  { geometry }: Pick<ClipModel, "geometry">,
  decomposition: Decomposition,
  probe: Float64Array,
  image = 0,
): ComponentScores {
  const scores = scoreComponents(geometry, prepareProbe(geometry, probe), decomposition, image);
  return {
    heads: Array.from(scores.heads, (value, i) => ({
      ...headOf(Math.floor(i / geometry.heads), i % geometry.heads),
      value,
    })),
    mlps: Array.from(scores.mlps, (value, i) => ({ component: mlpName(i, geometry), value })),
    sum: [...scores.heads, ...scores.mlps].reduce((total, value) => total + value, 0),
  };
}

/**
 * Along tokens: what some heads wrote at each patch, and at the CLS token. They add up to the heads' score.
 *
 * @param decomposition by `decomposeImage` with `tokensOf` these heads
 * @param image which image of a batch
 * @throws `HEADS_INVALID` for MLP terms, which have no tokens; `SUM_MISMATCH` when tokens miss the score
 * @example
 * ```ts
 * import { decomposeImage, openModel, parseHeads, readTokens, textProbe } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const heads = parseHeads(model, "L2-L3");
 * const scene = await decomposeImage(model, "examples/scenes/images/0067-monkey.png", { tokensOf: heads });
 * const { values, cls, sum } = readTokens(model, scene, await textProbe(model, "a monkey"), heads);
 * const most = values.indexOf(Math.max(...values));
 * console.log(`row ${Math.floor(most / 8)}, column ${most % 8} of 8 × 8`); // → row 1, column 4 of 8 × 8
 * console.log(`${(sum - cls).toFixed(4)} by patches, ${cls.toFixed(4)} by the CLS token`); // → 0.2082 by patches, -0.0016 by the CLS token
 * ```
 */
export const readTokens = (
  { geometry }: Pick<ClipModel, "geometry">,
  decomposition: TokenDecomposition,
  probe: Float64Array,
  set: ComponentSet,
  image = 0,
): TokenMap => tokenMap(geometry, decomposition, probe, set, image);

/** An image of an index with what some components wrote into it towards a probe. */
export interface ImageScore {
  readonly path: string;
  readonly label: string | null;
  readonly score: number;
}

/**
 * Along images: what some components wrote into each image of an index towards a probe, highest score first.
 *
 * @param probe [D]
 * @throws `HEADS_INVALID` for single MLP terms that the index does not hold
 * @example
 * ```ts
 * import { openIndex, openModel, parseHeads, readImages, textProbe } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const images = await readImages(index, await textProbe(model, "a purple backdrop"), parseHeads(model, "L1.H0"));
 * for (const { path, score } of images.slice(0, 2)) console.log(path, score.toFixed(4));
 * // → images/0033-scissors-pair.png 0.0905
 * // → images/0001-tower.png 0.0883
 * ```
 */
export async function readImages(
  index: Search,
  probe: Float64Array,
  set: ComponentSet,
): Promise<ImageScore[]> {
  const { images } = index;
  const rows = Array.from(images.keys());
  const scores = await index.exactScores(probe, set, rows);
  return rows
    .map((row) => ({ path: images[row].path, label: images[row].label, score: scores[row] }))
    .sort((a, b) => b.score - a.score);
}
