/**
 * Two models compared head by head: which heads respond alike to the same images (linear CKA, `cka.ts`), and what both
 * of a pair respond to. Nothing is assumed of the models: widths, layers and embedding sizes may differ.
 */
import { createHeadCache } from "../../corpus/head-cache.ts";
import type { Index } from "../../corpus/open-index.ts";
import { largest, smallest } from "../../math/rank.ts";
import { type ComponentSet, headName } from "../../model/components.ts";
import type { HeadGeometry } from "../../model/geometry.ts";
import { coordinateCount, headMetric } from "../../model/head-space.ts";
import type { MatMul } from "../../onnx/matmul.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { explainedShares, findGroupings, type Grouping, shuffle } from "../selectivity/selectivity.ts";
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
  readonly index: Index;
  readonly geometry: HeadGeometry;
  /** Heads; weights mean nothing here. */
  readonly set: ComponentSet;
}

/** How two models are compared. */
export interface CompareOptions extends WorkOptions {
  /** Pairs to say more about. Default: 10. */
  readonly pairs?: number;
  /** At most so many images, drawn at random. Default: 2000. */
  readonly most?: number;
  /** Random orders of one side's images for the chance level. Default: 20. */
  readonly permutations?: number;
  /** Images at either end of what a pair has in common. Default: 4. */
  readonly examples?: number;
  readonly seed?: number;
}

/** What both heads of a pair respond to: ε² of one factor for each, beyond chance for both. */
export interface CommonFactor {
  readonly name: string;
  readonly a: number;
  readonly b: number;
}

/** Two heads, each of which is the other's best match. */
export interface HeadPair {
  readonly a: string;
  readonly b: string;
  readonly similarity: number;
  /** 95 % interval over images. */
  readonly low: number;
  readonly high: number;
  /** Mean over all orders of one side's images. */
  readonly chance: number;
  /** Highest among the permutations of this pair. */
  readonly highestByChance: number;
  readonly factors: readonly CommonFactor[];
  /** The axis that both share: how much of their likeness lies on it, how they agree along it, rows of A at its ends. */
  readonly axis: {
    readonly share: number;
    readonly correlation: number;
    readonly most: readonly number[];
    readonly least: readonly number[];
  };
}

/** What {@link compareModels} found. */
export interface Comparison {
  /** Images of both indexes, as many as were used. */
  readonly images: number;
  /** Different images that both hold, and that one of them holds alone. */
  readonly shared: number;
  readonly onlyA: number;
  readonly onlyB: number;
  readonly headsA: readonly string[];
  readonly headsB: readonly string[];
  /** [A, B]: CKA. */
  readonly similarity: Float64Array;
  /** Over all pairs: the mean by chance, and the highest CKA that any pair had in any permutation. */
  readonly chance: { readonly mean: number; readonly highest: number; readonly permutations: number };
  /** The best match of every head on the other side, and whether it is mutual. */
  readonly bestOfA: readonly BestMatch[];
  readonly bestOfB: readonly BestMatch[];
  /** Mutual best matches above chance, best first, at most as many as were asked for. */
  readonly pairs: readonly HeadPair[];
  /** How many mutual best matches above chance there are. */
  readonly mutual: number;
}

/** A head's best match on the other side. */
export interface BestMatch {
  readonly head: string;
  readonly match: string;
  readonly similarity: number;
  readonly mutual: boolean;
}

/** Fewer images than this say nothing. */
const FEWEST = 40;

/**
 * Compares two models over the images that both indexes hold, matched by their bytes.
 *
 * @throws `IMAGES_DIFFER` when fewer than 40 images are shared; `HEADS_INVALID` when a side has no heads or MLP terms;
 *   `CANCELLED`
 */
export async function compareModels(
  matmul: MatMul,
  a: ComparedSide,
  b: ComparedSide,
  options: CompareOptions = {},
): Promise<Comparison> {
  const { pairs: most = 10, permutations = 20, examples = 4, seed = 0, report, signal } = options;
  for (const { set } of [a, b]) {
    if (set.mlps.length === 0 && set.heads.length > 0) continue;
    throw new ClipInterpretError("HEADS_INVALID", "heads are compared, and only heads: name one or more");
  }
  const shared = sharedImages(a.index, b.index);
  const rows = drawn(shared.rows, options.most ?? 2000, seed);
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
  const [namesA, namesB] = [a, b].map(({ set }) => set.heads.map(({ layer, head }) => headName(layer, head)));
  const best = matchHeads(similarity, namesA.length, namesB.length);
  const mutual = best.ofA
    .map((match, head) => ({ head, match }))
    .filter(({ head, match }) => best.ofB[match] === head)
    .map(({ head, match }) => ({ head, match, at: head * namesB.length + match }))
    .filter(({ at }) => similarity[at] > highest)
    .sort((x, y) => similarity[y.at] - similarity[x.at] || x.at - y.at);
  const groupings = commonGroupings(a.index, b.index, rows);
  const pairs = mutual.slice(0, most).map(({ head, match, at }): HeadPair => {
    checkCancelled(signal);
    const [x, y] = [responsesOf(ofA, head), responsesOf(ofB, match)];
    const axis = commonAxis(x, y, ofA.width, ofB.width);
    return {
      ...{ a: namesA[head], b: namesB[match], similarity: similarity[at] },
      ...interval(x, y, ofA.width, ofB.width, seed),
      ...{ chance: expected[at], highestByChance: byChance[at] },
      factors: commonFactors(x, y, ofA.width, ofB.width, groupings, permutations, seed),
      axis: {
        share: axis.share,
        correlation: axis.correlation,
        most: largest(axis.positions, examples).map((i) => rows[i][0]),
        least: smallest(axis.positions, examples).map((i) => rows[i][0]),
      },
    };
  });
  return {
    images: rows.length,
    shared: shared.rows.length,
    onlyA: shared.onlyA,
    onlyB: shared.onlyB,
    headsA: namesA,
    headsB: namesB,
    similarity,
    chance: {
      mean: expected.reduce((sum, value) => sum + value, 0) / expected.length,
      highest,
      permutations,
    },
    bestOfA: best.ofA.map((match, head) => ({
      ...{ head: namesA[head], match: namesB[match] },
      ...{ similarity: similarity[head * namesB.length + match], mutual: best.ofB[match] === head },
    })),
    bestOfB: best.ofB.map((match, head) => ({
      ...{ head: namesB[head], match: namesA[match] },
      ...{ similarity: similarity[match * namesB.length + head], mutual: best.ofA[match] === head },
    })),
    pairs,
    mutual: mutual.length,
  };
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
function drawn<T>(rows: readonly T[], most: number, seed: number): T[] {
  if (rows.length <= most) return [...rows];
  const chosen = [...randomOrder(rows.length, seed, -2)].slice(0, most).sort((x, y) => x - y);
  return chosen.map((i) => rows[i]);
}

function responses(
  matmul: MatMul,
  { index, geometry, set }: ComparedSide,
  rows: readonly number[],
): Promise<Responses> {
  const cache = createHeadCache(index, 0);
  const width = coordinateCount(geometry);
  return gatherResponses(matmul, width, set.heads.length, async (i) => {
    const { layer, head } = set.heads[i];
    const whole = await cache.block(layer, head);
    const block = new Float32Array(rows.length * width);
    for (const [to, row] of rows.entries())
      block.set(whole.subarray(row * width, (row + 1) * width), to * width);
    return { block, metric: headMetric(geometry, layer, head) };
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
