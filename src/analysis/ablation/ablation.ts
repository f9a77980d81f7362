/**
 * Classification without the direct effects of some components: what each wrote into the embedding is replaced by its
 * mean over images, or by nothing ("Interpreting CLIP's Image Representation via Text-Based Decomposition", §3.2:
 * mean-ablation). Scores are linear in contributions, so this is exact:
 *
 *     s(i, c) − Σ_h w_h·( s_h(i, c) − s̄_h(c) )
 *
 * Later components are left as they were; what reads a head inside the network still reads it (`forward-ablation.ts`
 * takes it away there too).
 */
import { type ComponentSet, mlpCount, type WeightedDirection } from "../../model/components.ts";
import type { Replacement } from "../../results/accuracy.ts";
import type { ClassScores } from "../zero-shot/class-scores.ts";

/** How direct effects are ablated. */
export interface AblationOptions {
  /** Default: `mean`. */
  readonly replacement?: Replacement;
  /** Positions among the scores' rows that means are taken over. Default: all. */
  readonly meanOver?: readonly number[];
}

/** Takes direct effects out of scores. */
export interface Ablation {
  /** [rows, C]: scores of the whole embedding, computed again. */
  whole(): Promise<Float64Array>;
  /** Takes one head out of scores [rows, C], in place; a weight says how much of it. */
  takeHead(from: Float64Array, layer: number, head: number, weight?: number): Promise<void>;
  /** Takes out what one head writes along one of its directions, in place. @throws `MODEL_UNSUPPORTED` */
  takeDirection(from: Float64Array, along: WeightedDirection): Promise<void>;
  /** Takes MLP terms out, in place. @throws `HEADS_INVALID` for single terms that the index does not hold */
  takeMlps(from: Float64Array, mlps: ComponentSet["mlps"]): Promise<void>;
  /** [rows, C]: scores without a set. @throws `HEADS_INVALID` */
  without(set: ComponentSet): Promise<Float64Array>;
}

/** Makes an ablation of scores; means are taken once. */
export function createAblation(
  scores: ClassScores,
  { replacement = "mean", meanOver }: AblationOptions = {},
): Ablation {
  const { classes } = scores;
  const means = new Map<string, Float64Array>();
  const take = (from: Float64Array, key: string, part: Float64Array | Float32Array, weight: number) => {
    const mean =
      means.get(key) ??
      (replacement === "mean" ? columnMeans(part, classes, meanOver) : new Float64Array(classes));
    means.set(key, mean);
    for (let at = 0; at < from.length; at += classes) {
      for (let c = 0; c < classes; c++) from[at + c] -= weight * (part[at + c] - mean[c]);
    }
  };
  const ablation: Ablation = {
    whole: async () => Float64Array.from(await scores.whole()),
    async takeHead(from, layer, head, weight = 1) {
      take(from, `${layer}.${head}`, await scores.head(layer, head), weight);
    },
    async takeDirection(from, { layer, head, direction, weight }) {
      take(from, `${layer}.${head}@${direction}`, await scores.direction(layer, head, direction), weight);
    },
    async takeMlps(from, mlps) {
      const [first] = mlps;
      // All terms at one weight are known without being stored.
      if (first && mlps.length === mlpCount(scores) && mlps.every(({ weight }) => weight === first.weight)) {
        take(from, "mlps", await scores.mlps(), first.weight);
        return;
      }
      for (const { index, weight } of mlps) take(from, `mlp ${index}`, await scores.mlp(index), weight);
    },
    async without({ heads, mlps, directions = [] }) {
      const left = await ablation.whole();
      for (const { layer, head, weight } of heads) await ablation.takeHead(left, layer, head, weight);
      for (const along of directions) await ablation.takeDirection(left, along);
      await ablation.takeMlps(left, mlps);
      return left;
    },
  };
  return ablation;
}

/** The mean of each column of [rows, columns] over some rows. */
function columnMeans(
  values: Float64Array | Float32Array,
  columns: number,
  rows?: readonly number[],
): Float64Array {
  const means = new Float64Array(columns);
  const count = rows?.length ?? values.length / columns;
  for (let i = 0; i < count; i++) {
    const at = (rows?.[i] ?? i) * columns;
    for (let c = 0; c < columns; c++) means[c] += values[at + c];
  }
  return means.map((sum) => sum / count);
}

/** Sizes that numbers of heads and directions follow from. */
export type UnitSizes = Pick<ClassScores, "layers" | "heads" | "headDim">;

/**
 * Heads and directions as a set of weight 1.
 * @param units numbers of heads, layer·H + head; behind all of them those of directions, L·H + (layer·H + head)·d_h + k
 */
export function unitSet(units: readonly number[], { layers, heads, headDim }: UnitSizes): ComponentSet {
  const sorted = [...units].sort((a, b) => a - b);
  const headOf = (unit: number) => ({ layer: Math.floor(unit / heads), head: unit % heads });
  const directions = sorted
    .filter((unit) => unit >= layers * heads)
    .map((unit) => unit - layers * heads)
    .map((at) => ({ ...headOf(Math.floor(at / headDim)), direction: at % headDim, weight: 1 }));
  return {
    heads: sorted.filter((unit) => unit < layers * heads).map((unit) => ({ ...headOf(unit), weight: 1 })),
    mlps: [],
    ...(directions.length > 0 && { directions }),
  };
}

/** The number of a direction, as {@link unitSet} takes it. */
export const directionUnit = (
  { layers, heads, headDim }: UnitSizes,
  { layer, head, direction }: Omit<WeightedDirection, "weight">,
): number => layers * heads + (layer * heads + head) * headDim + direction;
