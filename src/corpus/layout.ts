import { Random } from "../math/random.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";

/** Images that are laid out; of more as many are, spread evenly, and the others have no place. */
export const MOST_LAID_OUT = 10_000;

/** Images that an image is drawn near to. */
const NEIGHBORS = 15;

/**
 * Places for vectors on a plane, near ones near (UMAP, McInnes et al. 2018): [n, 2]. The same vectors and seed give the same
 * places, on any machine.
 * @throws `CANCELLED`
 */
export async function layOut(
  vectors: readonly ArrayLike<number>[],
  { seed = 0, signal }: WorkOptions & { readonly seed?: number } = {},
): Promise<(readonly [x: number, y: number])[]> {
  // Fewer have no neighbourhoods.
  if (vectors.length < 4) return vectors.map((_, i) => [i, 0]);
  const random = new Random(seed);
  const { UMAP } = await import("umap-js");
  const umap = new UMAP({
    nNeighbors: Math.min(NEIGHBORS, vectors.length - 1),
    random: () => random.unit(),
  });
  const places = await umap.fitAsync(
    vectors.map((vector) => Array.from(vector)),
    () => !signal?.aborted,
  );
  checkCancelled(signal);
  return places.map(([x, y]) => [x, y]);
}
