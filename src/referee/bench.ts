/** What a method is given to look at: a model, images, texts, and nothing else. */
import { centredTexts } from "../analysis/from-weights/ends.ts";
import { type Contributions, eachHead } from "../analysis/textspan/contributions.ts";
import { embedPool } from "../analysis/textspan/describe-heads.ts";
import { type RowSpace, rowSpace } from "../analysis/textspan/row-space.ts";
import type { Index } from "../corpus/open-index.ts";
import { createSearch, type Search } from "../corpus/search.ts";
import { addScaled, dot } from "../math/linear.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { Algebra, DenseMatrix } from "../onnx/algebra.ts";
import type { Head } from "../results/shapes.ts";
import type { WorkOptions } from "../support/progress.ts";
import { sharedCache } from "../support/shared.ts";
import type { PoolText, TextPool } from "../text/pool.ts";

/** A text that speaks of a property. */
export type TaggedText = PoolText & { readonly property: string };

/** A bench: the same for every method. */
export interface Bench extends WorkOptions {
  readonly model: ClipModel;
  readonly search: Search;
  readonly heads: readonly Head[];
  /** Images that may be looked at: rows of the index. */
  readonly rows: readonly number[];
  readonly texts: readonly TaggedText[];
  /** [t, D]: the texts at length 1. */
  readonly embeddings: DenseMatrix;
  /** [t, D]: the same less their mean, at length 1. Texts of one model lie in a cone; what tells them apart is the rest. */
  readonly directions: DenseMatrix;
  /** What a head may be said to look for, in order. */
  readonly properties: readonly string[];
  readonly seed: number;
  readonly algebra: Algebra;
  /** The space that a head's contributions to the images fill. */
  spaceOf(head: Head): Promise<RowSpace>;
  /** [rows, r]: a head's contributions to some images, less their mean, in the coordinates of its space. */
  writtenBy(head: Head, rows: readonly number[]): Promise<DenseMatrix>;
}

/** What benches are made of. */
export interface BenchInput extends WorkOptions {
  readonly model: ClipModel;
  readonly search: Search;
  readonly heads: readonly Head[];
  readonly contributionsOf: (head: Head) => Contributions;
  readonly pool: Pick<TextPool, "texts">;
  /** [t, D]: the pool's texts at length 1. */
  readonly embedded: Float64Array;
  readonly algebra: Algebra;
  readonly seed: number;
}

/** A part of what there is: rows of images and numbers of texts; by default all. */
export interface BenchPart {
  readonly rows?: readonly number[];
  readonly texts?: readonly number[];
  readonly seed?: number;
}

/** Opens an index and embeds a pool: makes benches of one model, of all images and texts or of some. */
export async function openBenches(
  input: Omit<BenchInput, "search" | "contributionsOf" | "embedded" | "pool"> & {
    readonly index: Index;
    readonly pool: TextPool;
  },
): Promise<(part?: BenchPart) => Bench> {
  const { model, index, pool, algebra, report: _, ...work } = input;
  const search = createSearch(index, model.geometry, model.matmul);
  return createBenches({
    ...{ ...work, model, search, pool, algebra },
    embedded: await embedPool(model, pool, work),
    contributionsOf: await eachHead(search, model, algebra),
  });
}

/** The same where all is at hand. */
export function createBenches(input: BenchInput): (part?: BenchPart) => Bench {
  const { search, heads, contributionsOf, pool, embedded, algebra, ...work } = input;
  const D = embedded.length / pool.texts.length;
  const all = [...search.index.images.keys()];
  const tagged = pool.texts.flatMap(({ property }, i) => (property === null ? [] : [i]));
  const properties = propertiesOf(pool);
  return ({ rows = all, texts: chosen = tagged, seed = input.seed } = {}) => {
    const spaces = sharedCache<RowSpace>(heads.length);
    const data = new Float64Array(chosen.length * D);
    for (const [to, i] of chosen.entries()) data.set(embedded.subarray(i * D, (i + 1) * D), to * D);
    const spaceOf = (head: Head) =>
      spaces.get(head.name, async () => {
        const contributions = contributionsOf(head);
        const moments =
          rows === all ? await contributions.moments(work) : await momentsOf(algebra, contributions, rows);
        return rowSpace(algebra, moments, contributions.matrix);
      });
    return {
      ...{ ...work, search, heads, rows, algebra, seed, properties, spaceOf },
      texts: chosen.map((i) => pool.texts[i] as TaggedText),
      embeddings: { data, rows: chosen.length, columns: D },
      directions: centredTexts(data, D),
      async writtenBy(head, some) {
        return algebra.product(await contributionsOf(head).rows(some), intoCentred(await spaceOf(head)));
      },
    };
  };
}

/** The properties that a pool has texts about, in order. */
export const propertiesOf = ({ texts }: Pick<TextPool, "texts">): string[] =>
  [...new Set(texts.flatMap(({ property }) => property ?? []))].sort();

async function momentsOf(algebra: Algebra, contributions: Contributions, rows: readonly number[]) {
  const AT_ONCE = 2048;
  let sum: Float64Array | undefined;
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const { data } = await algebra.gram(await contributions.rows(rows.slice(start, start + AT_ONCE)));
    if (sum) addScaled(sum, 1, data);
    else sum = data;
  }
  return sum ?? new Float64Array(1);
}

/** [m + 1, r]: takes [z̃; 1] to the coordinates of a space, seen from the mean. */
function intoCentred({ into, basis, mean }: RowSpace): DenseMatrix {
  const { rows: m, columns: r } = into;
  const data = new Float64Array((m + 1) * r);
  data.set(into.data);
  for (let i = 0; i < r; i++) data[m * r + i] = -dot(basis.data, mean, i * basis.columns, 0, basis.columns);
  return { data, rows: m + 1, columns: r };
}

/** Sums weights of texts by their property. @param chosen numbers of the bench's texts, with their weights */
export function tally(
  { properties, texts }: Pick<Bench, "properties" | "texts">,
  chosen: Iterable<readonly [text: number, weight: number]>,
): number[] {
  const scores = properties.map(() => 0);
  for (const [text, weight] of chosen) scores[properties.indexOf(texts[text].property)] += weight;
  return scores;
}
