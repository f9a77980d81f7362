/**
 * Two models compared head by head: which heads respond alike to the same images (linear CKA, `cka.ts`), and what both
 * of a pair respond to. Nothing is assumed of the models: widths, layers and embedding sizes may differ.
 */
import { createHeadCache } from "../../corpus/head-cache.ts";
import { measuredHead } from "../../corpus/measured-head.ts";
import type { Index } from "../../corpus/open-index.ts";
import { largest, smallest } from "../../math/rank.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { NamedSet } from "../../model/components.ts";
import type { MatMul } from "../../onnx/matmul.ts";
import {
  type CommonFactor,
  type CompareResult,
  compareResult,
  type HeadPair,
} from "../../results/compare.ts";
import { originOf } from "../../results/origin.ts";
import { componentsOf, headOf, indexedImage } from "../../results/shapes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { findGroupings, type Grouping, shuffle } from "../selectivity/groupings.ts";
import { explainedShares } from "../selectivity/selectivity.ts";
import {
  expectedByChance,
  gatherResponses,
  interval,
  type Responses,
  randomOrder,
  responsesOf,
  similarities,
} from "./cka.ts";
import { commonAxis } from "./common-axis.ts";

/** One of the two models, with its index and the heads of it that are compared. */
export interface ComparedSide {
  readonly model: ClipModel;
  readonly index: Index;
  /** Heads; weights mean nothing here. */
  readonly components: NamedSet;
}

/** How two models are compared. */
export interface CompareOptions extends WorkOptions {
  /** Pairs to say more about. Default: 10. */
  readonly pairs?: number;
  /** At most so many images, drawn at random. Default: 2000. */
  readonly maxImages?: number;
  /** Random orders of one side's images for the chance level. Default: 20. */
  readonly permutations?: number;
  /** Images at either end of what a pair has in common. Default: 4. */
  readonly examples?: number;
  readonly seed?: number;
}

/** Fewer images than this say nothing. */
export const FEWEST = 40;
/** Images and permutations that are taken where nobody says how many. */
const USUAL = { images: 2000, permutations: 20 };
/** Products of a head's numbers with another's, for each second. */
const PRODUCTS_A_SECOND = 5e9;

/** About how many seconds a comparison takes. */
export function estimatedSeconds(a: ClipModel["geometry"], b: ClipModel["geometry"], images: number): number {
  const pairs = a.layers * a.heads * (b.layers * b.heads);
  const each = Math.min(images, USUAL.images) * a.headDim * b.headDim;
  return Math.ceil(2 + (pairs * each * (USUAL.permutations + 3)) / PRODUCTS_A_SECOND);
}

/**
 * Compares two models over the images that both indexes hold, matched by their bytes.
 *
 * @throws `IMAGES_DIFFER` when fewer than 40 images are shared; `HEADS_INVALID` when a side has no heads or MLP terms;
 *   `CANCELLED`
 * @example
 * ```ts
 * import { compareModels, openIndex, openModel, parseHeads } from "clip-interpret";
 *
 * const [a, b] = await Promise.all(
 *   [["emoji-4x128-p8", "scenes.index"], ["emoji-6x192-p8", "other.index"]].map(async ([name, folder]) => {
 *     const model = await openModel(name);
 *     return { model, index: await openIndex(model, folder), components: parseHeads(model, "last2") };
 *   }),
 * );
 * const { images, pairs } = await compareModels(a, b, { permutations: 5 });
 * console.log(images, pairs[0].a.name, pairs[0].b.name, pairs[0].similarity.toFixed(2)); // → 120 L2.H1 L4.H3 0.62
 * ```
 */
export async function compareModels(
  a: ComparedSide,
  b: ComparedSide,
  options: CompareOptions = {},
): Promise<CompareResult> {
  const {
    pairs: most = 10,
    permutations = USUAL.permutations,
    examples = 4,
    seed = 0,
    report,
    signal,
  } = options;
  for (const { components } of [a, b]) {
    if (components.set.mlps.length === 0 && components.set.heads.length > 0) continue;
    throw new ClipInterpretError("HEADS_INVALID", "heads are compared, and only heads: name one or more");
  }
  const { matmul } = a.model;
  const shared = sharedImages(a.index, b.index);
  const rows = drawn(shared.rows, options.maxImages ?? USUAL.images, seed);
  const task = "comparing heads";
  const total = permutations + 3;
  let done = 0;
  const step = () => {
    checkCancelled(signal);
    report?.({ type: "advance", task, done: ++done, total });
  };
  report?.({ type: "start", task, unit: "pass", total });
  const ofA = await responses(
    matmul,
    a,
    rows.map(([row]) => row),
  );
  step();
  const ofB = await responses(
    matmul,
    b,
    rows.map(([, row]) => row),
  );
  step();
  const similarity = await similarities(matmul, ofA, ofB);
  step();
  const byChance = new Float64Array(similarity.length);
  for (let p = 0; p < permutations; p++) {
    const shuffled = await similarities(matmul, ofA, ofB, randomOrder(rows.length, seed, p));
    for (const [i, value] of shuffled.entries()) byChance[i] = Math.max(byChance[i], value);
    step();
  }
  report?.({ type: "end", task, done });
  const expected = expectedByChance(ofA, ofB);
  const highest = byChance.reduce((max, value) => Math.max(max, value), 0);
  const [headsA, headsB] = [a, b].map(({ components }) =>
    components.set.heads.map(({ layer, head }) => headOf(layer, head)),
  );
  const best = matchHeads(similarity, headsA.length, headsB.length);
  const mutual = best.ofA
    .map((match, head) => ({ head, match }))
    .filter(({ head, match }) => best.ofB[match] === head)
    .map(({ head, match }) => ({ head, match, at: head * headsB.length + match }))
    .filter(({ at }) => similarity[at] > highest)
    .sort((x, y) => similarity[y.at] - similarity[x.at] || x.at - y.at);
  const groupings = commonGroupings(a.index, b.index, rows);
  const sharedImage = (row: number) => indexedImage(row, a.index.images[row]);
  const pairs = mutual.slice(0, most).map(({ head, match, at }): HeadPair => {
    checkCancelled(signal);
    const [x, y] = [responsesOf(ofA, head), responsesOf(ofB, match)];
    const axis = commonAxis(x, y, ofA.width, ofB.width);
    return {
      ...{ a: headsA[head], b: headsB[match], similarity: similarity[at] },
      ...interval(x, y, ofA.width, ofB.width, seed),
      ...{ chance: expected[at], highestByChance: byChance[at] },
      factors: commonFactors(x, y, ofA.width, ofB.width, groupings, permutations, seed),
      axis: {
        share: axis.share,
        correlation: axis.correlation,
        most: largest(axis.positions, examples).map((i) => sharedImage(rows[i][0])),
        least: smallest(axis.positions, examples).map((i) => sharedImage(rows[i][0])),
      },
    };
  });
  const bestMatch = (head: number, match: number, mutual: boolean) => ({
    ...{ a: headsA[head], b: headsB[match], similarity: similarity[head * headsB.length + match], mutual },
  });
  const sideOf = async ({ model, index, components: { name, set } }: ComparedSide) => ({
    origin: await originOf({ model, index }),
    components: componentsOf(name, set, model.geometry),
  });
  return compareResult(await originOf({}), {
    a: await sideOf(a),
    b: await sideOf(b),
    images: rows.length,
    shared: shared.rows.length,
    onlyA: shared.onlyA,
    onlyB: shared.onlyB,
    similarity: headsA.map((_, row) =>
      Array.from(similarity.subarray(row * headsB.length, (row + 1) * headsB.length)),
    ),
    chance: {
      mean: expected.reduce((sum, value) => sum + value, 0) / expected.length,
      highest,
      permutations,
    },
    bestOfA: best.ofA.map((match, head) => bestMatch(head, match, best.ofB[match] === head)),
    bestOfB: best.ofB.map((match, head) => bestMatch(match, head, best.ofA[match] === head)),
    mutual: mutual.length,
    pairs,
  });
}

/** Rows of the images that two indexes share, by content; copies of an image count once. */
export function sharedImages(a: Index, b: Index): { rows: [number, number][]; onlyA: number; onlyB: number } {
  const first = (images: Index["images"]) => {
    const rows = new Map<string, number>();
    for (const [row, { sha256 }] of images.entries()) if (!rows.has(sha256)) rows.set(sha256, row);
    return rows;
  };
  const [inA, inB] = [first(a.images), first(b.images)];
  const rows = [...inA].flatMap(([sha256, row]): [number, number][] => {
    const other = inB.get(sha256);
    return other === undefined ? [] : [[row, other]];
  });
  if (rows.length < FEWEST) {
    const sizes = `${a.folder} has ${inA.size} and ${b.folder} ${inB.size}`;
    throw new ClipInterpretError(
      "IMAGES_DIFFER",
      `the indexes share ${rows.length} images (${sizes}); ${FEWEST} are needed`,
    );
  }
  return { rows, onlyA: inA.size - rows.length, onlyB: inB.size - rows.length };
}

/** At most so many of them, drawn at random, in their order. */
export function drawn<T>(rows: readonly T[], most: number, seed: number): T[] {
  if (rows.length <= most) return [...rows];
  const chosen = [...randomOrder(rows.length, seed, -2)].slice(0, most).sort((x, y) => x - y);
  return chosen.map((i) => rows[i]);
}

/** What some heads of an index wrote into some of its images, for {@link similarities}. */
export function responses(
  matmul: MatMul,
  { index, model: { geometry }, components: { set } }: ComparedSide,
  rows: readonly number[],
): Promise<Responses> {
  const cache = createHeadCache(index, 0);
  return gatherResponses(matmul, set.heads.length, async (i) => {
    const { layer, head } = set.heads[i];
    const { block: whole, width, metric } = await measuredHead(cache, geometry, layer, head);
    const block = new Float32Array(rows.length * width);
    for (const [to, row] of rows.entries())
      block.set(whole.subarray(row * width, (row + 1) * width), to * width);
    return { block, width, metric };
  });
}

/** The most similar head of the other side for every head, ties to the first. */
export function matchHeads(
  similarity: Float64Array,
  countA: number,
  countB: number,
): { ofA: number[]; ofB: number[] } {
  const row = (a: number) => similarity.subarray(a * countB, (a + 1) * countB);
  const column = (b: number) => Float64Array.from({ length: countA }, (_, a) => similarity[a * countB + b]);
  return {
    ofA: Array.from({ length: countA }, (_, a) => largest(row(a), 1)[0]),
    ofB: Array.from({ length: countB }, (_, b) => largest(column(b), 1)[0]),
  };
}

/** Factors of the shared images, as either index knows them. */
function commonGroupings(a: Index, b: Index, rows: readonly (readonly [number, number])[]): Grouping[] {
  const of = (index: Index, side: 0 | 1) => {
    const used = rows.map((pair) => pair[side]);
    return findGroupings(index, used).map((grouping) => ({
      ...grouping,
      groups: Int32Array.from(used, (row) => grouping.groups[row]),
    }));
  };
  const known = of(a, 0);
  return [...known, ...of(b, 1).filter(({ name }) => known.every((grouping) => grouping.name !== name))];
}

/** Factors that explain something of both heads, by the smaller of the two shares. */
function commonFactors(
  a: Float32Array,
  b: Float32Array,
  widthA: number,
  widthB: number,
  groupings: readonly Grouping[],
  permutations: number,
  seed: number,
): CommonFactor[] {
  const found = groupings.flatMap(({ name, groups, values, images }): CommonFactor[] => {
    const shuffled = Array.from({ length: permutations }, (_, p) => shuffle(groups, seed, p));
    const [shareA, shareB] = [[a, widthA] as const, [b, widthB] as const].map(([of, width]) => {
      const partitions = [groups, ...shuffled] as const;
      const [explained, ...byChance] = explainedShares(of, width, undefined, partitions, values.length);
      const chance = (values.length - 1) / (images - 1);
      return explained > Math.max(0, ...byChance) ? (explained - chance) / (1 - chance) : 0;
    });
    return shareA > 0 && shareB > 0 ? [{ name, a: shareA, b: shareB }] : [];
  });
  return found.sort((x, y) => Math.min(y.a, y.b) - Math.min(x.a, x.b));
}
