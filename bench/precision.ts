/**
 * What int8 costs and gains beside float32: errors of embeddings, scores and head contributions, and time.
 * `npm run bench:precision`.
 *
 * The embedded model on its scenes, whose texts mean something to it; random weights of ViT-B/32's and B/16's
 * shapes on photographs, where errors say how rounding spreads through twelve layers, not what a trained model
 * loses. Precisions take turns; processor time is what other work on the machine changes least.
 */

import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSuite, suitePixels } from "../src/analysis/verify/suite.ts";
import { cosine, rowsOf } from "../src/math/linear.ts";
import type { ClipModel } from "../src/model/clip-model.ts";
import { denseHeads } from "../src/model/dense.ts";
import { loadClipModel } from "../src/model/load-model.ts";
import { locateModel } from "../src/model/registry.ts";
import type { SuiteName } from "../src/results/verify.ts";
import { goldenPath } from "../test/support/goldens.ts";
import { writeRandomCheckpoint } from "../test/support/random-checkpoint.ts";
import { SHAPES } from "../test/support/true-checkpoints.ts";

const ROUNDS = 5;

async function main(): Promise<void> {
  const { folder, name } = await locateModel("emoji-4x128-p8");
  await compare(name, folder, "scenes");
  const scratch = await mkdtemp(join(tmpdir(), "clip-interpret-precision-"));
  try {
    for (const shape of ["ViT-B-32", "ViT-B-16"] as const) {
      const path = join(scratch, shape);
      await writeRandomCheckpoint(path, SHAPES[shape]);
      await copyFile(goldenPath("tokenizer/tokenizer.json"), join(path, "tokenizer.json"));
      await compare(`random ${shape}`, path, "photos");
      await rm(path, { recursive: true });
    }
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function compare(name: string, folder: string, suiteName: SuiteName): Promise<void> {
  const exact = await loadClipModel(folder);
  const int8 = await loadClipModel(folder, undefined, { precision: "int8" });
  const suite = await loadSuite(suiteName);
  const pixels = await suitePixels(exact, suite);
  const texts = [...new Set(suite.pictures.flatMap(({ isTrue, isFalse }) => [...isTrue, ...isFalse]))];
  const [whole, near] = [await read(exact, pixels, texts), await read(int8, pixels, texts)];
  const { embedDim } = exact.config;
  const cosines = rowsOf(near.embedding, embedDim).map((row, i) =>
    cosine(row, rowsOf(whole.embedding, embedDim)[i]),
  );
  const changes = near.scores.map((score, i) => Math.abs(score - whole.scores[i]));
  console.log(`\n${name}, ${suite.pictures.length} ${suiteName}, ${texts.length} texts: int8 beside float32`);
  console.log(
    `  embedding: ‖error‖/‖e‖ ${distance(near.embedding, whole.embedding)}, lowest cosine ${Math.min(...cosines).toFixed(5)}`,
  );
  console.log(`  text embedding: ‖error‖/‖t‖ ${distance(near.texts, whole.texts)}`);
  const spread = Math.max(...whole.scores) - Math.min(...whole.scores);
  console.log(
    `  cosine of picture and text: mean change ${mean(changes).toFixed(4)}, largest ${Math.max(...changes).toFixed(4)} (they span ${spread.toFixed(3)})`,
  );
  console.log(`  head contributions, all: ‖error‖/‖heads‖ ${distance(near.heads, whole.heads)}`);
  console.log(
    `  sums: ${Math.max(...near.error).toExponential(1)} (float32 ${Math.max(...whole.error).toExponential(1)})`,
  );
  const count = suite.pictures.length;
  const times = { fp32: [] as Spent[], int8: [] as Spent[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.fp32.push(await timed(() => exact.decompose(pixels)));
    times.int8.push(await timed(() => int8.decompose(pixels)));
  }
  for (const kind of ["cpu", "wall"] as const) {
    const [fp32, eight] = [times.fp32, times.int8].map(
      (spent) => median(spent.map((one) => one[kind])) / count,
    );
    console.log(
      `  ${kind} time an image: ${fp32.toFixed(1)} ms in float32, ${eight.toFixed(1)} ms in int8: ${(fp32 / eight).toFixed(2)} times as fast`,
    );
  }
  await exact.release();
  await int8.release();
}

async function read(model: ClipModel, pixels: Float32Array, names: readonly string[]) {
  const parts = await model.decompose(pixels);
  const texts = await model.encodeTexts(names);
  const heads = await denseHeads(model.matmul, model.geometry, parts);
  const { embedDim } = model.config;
  const scores = rowsOf(parts.embedding, embedDim).flatMap((image) =>
    rowsOf(texts, embedDim).map((text) => cosine(image, text)),
  );
  return { embedding: parts.embedding, error: parts.error, texts, heads, scores };
}

interface Spent {
  readonly wall: number;
  readonly cpu: number;
}

async function timed(work: () => Promise<unknown>): Promise<Spent> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - started, cpu: (user + system) / 1000 };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** ‖a − b‖ / ‖b‖ in words. */
function distance(a: Float32Array, b: Float32Array): string {
  let [errors, squares] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    errors += (a[i] - b[i]) ** 2;
    squares += b[i] ** 2;
  }
  return `${(100 * Math.sqrt(errors / squares)).toFixed(2)} %`;
}

await main();
