/**
 * Head Pursuit: one set of texts for all images at once. The text whose direction is most used by what the head wrote into
 * the images, in absolute value and summed over them, is chosen; its direction is taken out; and so on (simultaneous
 * orthogonal matching pursuit, Tropp, Gilbert & Strauss 2006). Properties have a vote a text; of equal ones the one whose
 * texts were used more.
 *
 * "Head Pursuit: Probing Attention Specialization in Multimodal Transformers" (Basile, Maiorca, Doimo, Locatello &
 * Cazzaniga, NeurIPS 2025). There the dictionary is the unembedding; here it is the pool. Contributions are seen from their
 * mean, since what is common to all images says nothing of what a head tells apart. With the sum of squares instead of
 * absolute values this is nearly TEXTSPAN.
 */
import { drawn } from "../../analysis/compare/compare.ts";
import { transpose } from "../../analysis/textspan/row-space.ts";
import { projectTexts } from "../../analysis/textspan/textspan.ts";
import { dot, multiply, norm } from "../../math/linear.ts";
import type { DenseMatrix } from "../../onnx/algebra.ts";
import { checkCancelled } from "../../support/progress.ts";
import { tally } from "../bench.ts";
import { claimOf, type Method, TEXTS } from "../method.ts";

/** Images that are looked at, at most: each is compared with every text. */
const MOST_IMAGES = 500;

export const headPursuit: Method = {
  key: "somp",
  name: "Head Pursuit (SOMP)",
  paper: "Basile et al. 2025 (Head Pursuit)",
  reads: ["images", "texts"],
  async judge(bench) {
    const { algebra, embeddings } = bench;
    const rows = drawn(bench.rows, MOST_IMAGES, bench.seed);
    const claims = [];
    for (const head of bench.heads) {
      checkCancelled(bench.signal);
      const space = await bench.spaceOf(head);
      const written = await bench.writtenBy(head, rows);
      const seen = await projectTexts(algebra, space, embeddings.data);
      const used = await algebra.product(written, transpose(seen));
      const chosen = pursueTogether(used, embeddings, TEXTS);
      const most = chosen.reduce((sum, [, use]) => sum + use, 0) || 1;
      claims.push(
        claimOf(
          head,
          bench,
          tally(
            bench,
            chosen.map(([text, use]) => [text, 1 + use / (2 * most)]),
          ),
        ),
      );
    }
    return claims;
  },
};

/**
 * The texts that images use most together, with the sum of their use.
 * @param used [n, t]: x_i·t_j of every image and text; overwritten
 * @param texts [t, D] at length 1
 */
export function pursueTogether(
  used: DenseMatrix,
  { data: T, columns: D }: DenseMatrix,
  count: number,
): [text: number, use: number][] {
  const { data: A, rows: n, columns: t } = used;
  const chosen: [number, number][] = [];
  const basis: Float64Array[] = [];
  const sums = new Float64Array(t);
  const sum = () => {
    sums.fill(0);
    for (let i = 0; i < n; i++) for (let j = 0, at = i * t; j < t; j++, at++) sums[j] += Math.abs(A[at]);
  };
  sum();
  const first = Math.max(...sums);
  while (chosen.length < count) {
    let best = 0;
    for (let j = 1; j < t; j++) if (sums[j] > sums[best]) best = j;
    if (!(sums[best] > 1e-9 * first)) break;
    chosen.push([best, sums[best]]);
    // u: what of the text is not in those before it. x·u is A's column over the length of what is left of the text.
    const u = T.slice(best * D, (best + 1) * D);
    for (const b of [...basis, ...basis]) {
      const part = dot(u, b);
      for (let d = 0; d < D; d++) u[d] -= part * b[d];
    }
    const length = norm(u);
    if (!(length > 1e-9)) break;
    for (let d = 0; d < D; d++) u[d] /= length;
    basis.push(u);
    const along = multiply(T, u);
    sums.fill(0);
    for (let i = 0; i < n; i++) {
      const part = A[i * t + best] / length;
      for (let j = 0, at = i * t; j < t; j++, at++) {
        A[at] -= part * along[j];
        sums[j] += Math.abs(A[at]);
      }
    }
  }
  return chosen;
}
