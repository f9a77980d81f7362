/**
 * CLIP-Dissect: a neuron is what the images that excite it most have in common, as the model itself says it. With P(t|x)
 * the softmax over texts of 10·cos(x, t), and the 100 images of the highest activation, image i belonging to them with
 * probability p_i (.998 for the first, .97 for the last),
 *
 *     log p(B|t) = Σ_i log(1 + p_i·(P(t|x_i) − 1)),   soft WPMI = log p(B|t) − log mean over neurons of p(B|t)
 *
 * "CLIP-Dissect: Automatic Description of Neuron Representations in Deep Vision Networks" (Oikarinen & Weng, ICLR 2023),
 * with the authors' constants. A head is no neuron: it writes a vector. Its neurons are its first three principal
 * components, with either sign; the five texts of the highest soft WPMI of each vote with the component's variance.
 */
import { drawn } from "../../analysis/compare/compare.ts";
import { principalDirections, transpose } from "../../analysis/textspan/row-space.ts";
import { projectTexts } from "../../analysis/textspan/textspan.ts";
import { dot } from "../../math/linear.ts";
import { largest } from "../../math/rank.ts";
import { checkCancelled } from "../../support/progress.ts";
import { type Bench, tally } from "../bench.ts";
import { claimOf, type Method, TEXTS } from "../method.ts";

const [COMPONENTS, MOST_IMAGES, TOP] = [3, 4000, 100];
/** The authors' constants: the softmax's scale, the probabilities of the first and last image, what is added in a logarithm. */
const [SCALE, FIRST, LAST, FLOOR] = [10, 0.998, 0.97, 1e-7];

export const dissect: Method = {
  key: "dissect",
  name: "CLIP-Dissect (soft WPMI)",
  paper: "Oikarinen & Weng 2023",
  reads: ["images", "texts"],
  async judge(bench) {
    const rows = drawn(bench.rows, MOST_IMAGES, bench.seed);
    const probabilities = await textProbabilities(bench, rows);
    const neurons: { head: number; weight: number; evidence: Float64Array }[] = [];
    for (const [h, head] of bench.heads.entries()) {
      checkCancelled(bench.signal);
      const space = await bench.spaceOf(head);
      const { directions, variances } = await principalDirections(bench.algebra, space, COMPONENTS);
      if (directions.rows === 0) continue;
      const axes = await projectTexts(bench.algebra, space, directions.data);
      const excited = await bench.algebra.product(await bench.writtenBy(head, rows), transpose(axes));
      for (const [k, weight] of variances.entries()) {
        const activations = Float64Array.from(rows, (_, i) => excited.data[i * excited.columns + k]);
        for (const sign of [1, -1]) {
          const top = largest(
            activations.map((value) => sign * value),
            Math.min(TOP, rows.length),
          );
          neurons.push({ head: h, weight, evidence: evidenceOf(probabilities, bench.texts.length, top) });
        }
      }
    }
    const common = logMeanExp(
      neurons.map(({ evidence }) => evidence),
      bench.texts.length,
    );
    return bench.heads.map((head, h) => {
      const scores = bench.properties.map(() => 0);
      for (const { weight, evidence } of neurons.filter((neuron) => neuron.head === h)) {
        const best = largest(
          evidence.map((value, text) => value - common[text]),
          TEXTS,
        );
        const own = tally(
          bench,
          best.map((text) => [text, weight]),
        );
        for (const [p, score] of own.entries()) scores[p] += score;
      }
      return claimOf(head, bench, scores);
    });
  },
};

/** [rows, t]: softmax over texts of the scaled cosines. */
async function textProbabilities(
  { search, embeddings, algebra }: Bench,
  rows: readonly number[],
): Promise<Float64Array> {
  const { columns: D, rows: t } = embeddings;
  const all = await search.index.embeddings();
  const images = new Float64Array(rows.length * D);
  for (const [i, row] of rows.entries()) images.set(all.subarray(row * D, (row + 1) * D), i * D);
  const { data } = await algebra.product(
    { data: images, rows: rows.length, columns: D },
    transpose(embeddings),
  );
  for (let i = 0; i < rows.length; i++) {
    const own = data.subarray(i * t, (i + 1) * t);
    const length = Math.sqrt(dot(images, images, i * D, i * D, D)) || 1;
    let sum = 0;
    for (let j = 0; j < t; j++) sum += own[j] = Math.exp((SCALE * own[j]) / length);
    for (let j = 0; j < t; j++) own[j] /= sum;
  }
  return data;
}

/** log p(B|t) of every text, for images in the order of their activation. */
export function evidenceOf(probabilities: Float64Array, texts: number, top: readonly number[]): Float64Array {
  const evidence = new Float64Array(texts);
  for (const [rank, image] of top.entries()) {
    const p = FIRST - (rank / top.length) * (FIRST - LAST);
    for (let text = 0, at = image * texts; text < texts; text++, at++)
      evidence[text] += Math.log(1 + p * (probabilities[at] - 1) + FLOOR);
  }
  return evidence;
}

/** log of the mean over lists of their exponentials. */
function logMeanExp(lists: readonly Float64Array[], length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => {
    const values = lists.map((list) => list[i]);
    const most = Math.max(...values);
    return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0) / values.length);
  });
}
