/** A direction of a head taken away inside the network, against a checkpoint whose weights no longer have it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Matrix, pseudoInverse, SingularValueDecomposition } from "ml-matrix";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ablationGate } from "../../src/analysis/ablation/forward-ablation.ts";
import { writeTensor } from "../../src/checkpoint/edit-weights.ts";
import type { TensorRef } from "../../src/checkpoint/safetensors.ts";
import { readTensor } from "../../src/checkpoint/tensor-values.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseEdit } from "../../src/model/components.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { disk } from "../../src/support/disk-bytes.ts";
import { relativeError } from "../support/compare.ts";
import { goldenPath } from "../support/goldens.ts";
import { writeRandomCheckpoint } from "../support/random-checkpoint.ts";

const SHAPE = {
  ...{ embedDim: 24, imageSize: 32, patchSize: 8, width: 32, layers: 3, headDim: 8 },
  text: { width: 16, heads: 1, layers: 1, vocabSize: 64 },
};
let scratch: string;
let model: ClipModel;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "directions-"));
  await writeRandomCheckpoint(join(scratch, "whole"), SHAPE);
  model = await loadClipModel(join(scratch, "whole"));
});
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});

const pixels = Float32Array.from({ length: 2 * 3 * 32 * 32 }, (_, i) => Math.sin(i * i));

async function read({ shape, ...ref }: TensorRef): Promise<Matrix> {
  const values = Array.from(await readTensor(disk, { shape, ...ref }));
  return Matrix.from1DArray(shape.length > 1 ? shape[0] : 1, shape.at(-1)!, values);
}

/** Sets one singular value of W_V·W_O·γ·P of a head to zero, in a checkpoint's own files, by what its value map is. */
async function withoutDirection(folder: string, layer: number, head: number, k: number): Promise<void> {
  const copy = await loadClipModel(folder);
  const { blocks, lnPost, projection } = copy.checkpoint.weights.vision;
  const { value, out, ln1 } = blocks[layer];
  const { headDim } = copy.config.vision;
  const [from, to] = [head * headDim, (head + 1) * headDim - 1];
  const [W, b, O, gamma, first] = await Promise.all(
    [value.weight, value.bias!, out.weight, lnPost.weight, ln1.weight].map(read),
  );
  const stored = await read(projection!.weight);
  const P = projection!.transposed ? stored.transpose() : stored;
  // What the head's z is written through, [d_h, D], and what its values are of the normalised residual, [d_h, W].
  const M = O.subMatrix(0, O.rows - 1, from, to)
    .transpose()
    .mmul(Matrix.diag(gamma.getRow(0)))
    .mmul(P);
  const V = W.subMatrix(from, to, 0, W.columns - 1).mmul(Matrix.diag(first.getRow(0)));
  const { rightSingularVectors } = new SingularValueDecomposition(V.transpose().mmul(M));
  const v = rightSingularVectors.subMatrixColumn([k]);
  const kept = Matrix.sub(Matrix.eye(v.rows), v.mmul(v.transpose()));
  const inverse = pseudoInverse(M);
  const through = M.mmul(kept).mmul(inverse);
  W.setSubMatrix(through.transpose().mmul(W.subMatrix(from, to, 0, W.columns - 1)), from, 0);
  b.setSubMatrix(b.subMatrix(0, 0, from, to).mmul(through), 0, from);
  await writeTensor(value.weight, Float64Array.from(W.to1DArray()));
  await writeTensor(value.bias!, Float64Array.from(b.to1DArray()));
  await copy.release();
}

it.each([
  [0, 2, 0],
  [1, 1, 3],
  [2, 3, 7],
])("is the network whose L%i.H%i has singular value %i at zero", async (layer, head, k) => {
  const folder = join(scratch, `${layer}-${head}-${k}`);
  await writeRandomCheckpoint(folder, SHAPE);
  await withoutDirection(folder, layer, head, k);
  const edited = await loadClipModel(folder);
  const expected = (await edited.decompose(pixels)).embedding;
  await edited.release();
  const gate = await ablationGate(model, parseEdit(`L${layer}.H${head}@${k}`, model.geometry));
  const { embedding, error } = await model.decompose(pixels, { gate });
  expect(relativeError(embedding, expected)).toBeLessThan(1e-5);
  expect(relativeError((await model.decompose(pixels)).embedding, expected)).toBeGreaterThan(1e-3);
  expect(Math.max(...error)).toBeLessThan(1e-5);
});

it("takes several heads' directions at once, and one after another is both", async () => {
  const of = async (set: string) => (await ablationGate(model, parseEdit(set, model.geometry))).along!;
  const { reads, writes } = await of("L0.H2@0,L0.H3@1-2,L1.H0@4*0.5");
  expect([reads.length, writes.length]).toEqual([3 * 32 * 3, 3 * 3 * 32]);
  const one = await of("L1.H0@4*0.5");
  const rowsOf = (all: Float32Array, rank: number) =>
    Array.from({ length: 32 }, (_, row) => all[(32 + row) * rank]);
  expect(rowsOf(reads, 3)).toEqual(rowsOf(one.reads, 1));
});

it("is refused where what heads write is normalised", async () => {
  const normed = await loadClipModel(goldenPath("kinds/eva02-post"));
  const set = parseEdit("L0.H0@0", normed.geometry);
  await expect(ablationGate(normed, set)).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
  await normed.release();
});
