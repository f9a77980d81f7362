/**
 * TEXTSPAN in moments against the published algorithm. `npm run bench:textspan [-- --texts 3498 --turns 3 IMAGES …]`.
 *
 * One head of an L/14 (64 numbers, D = 768), 20 steps, random numbers of decaying size around a mean. The port does what
 * the published code does, step by step, over dense contributions [n, D], with every product, reduction and subtraction
 * in ONNX Runtime; it is given its texts already projected on the row space, which the published code finds by an SVD.
 * Accumulating the moments, which `index` does on its way, is shown apart. Then all heads of the last four layers, and of
 * all 24, from an index in memory: `describeHeads` with its controls. Variants take turns; medians.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeHeads } from "../src/analysis/textspan/describe-heads.ts";
import { rowSpace } from "../src/analysis/textspan/row-space.ts";
import { projectTexts, textspan } from "../src/analysis/textspan/textspan.ts";
import type { Manifest } from "../src/corpus/manifest.ts";
import type { ShardedIndex } from "../src/corpus/sharded-index.ts";
import { unitRows } from "../src/math/linear.ts";
import { Random } from "../src/math/random.ts";
import type { ClipModel } from "../src/model/clip-model.ts";
import { parseComponents } from "../src/model/components.ts";
import type { HeadGeometry } from "../src/model/geometry.ts";
import { headMatrix } from "../src/model/head-space.ts";
import { type Algebra, createAlgebra, type DenseMatrix } from "../src/onnx/algebra.ts";
import { createGraph } from "../src/onnx/graph.ts";
import { createMatMul } from "../src/onnx/matmul.ts";
import { createSession, openNodeSession } from "../src/onnx/node-session.ts";
import type { Session } from "../src/onnx/session.ts";
import { ratio } from "./ratio.ts";

const HEAD_DIM = 64;
const EMBED_DIM = 768;
const WIDTH = HEAD_DIM + 3;
const STEPS = 20;
const HASH = "0".repeat(64);
/** Images whose projections are in memory at once. */
const BLOCK = 8192;

const { values: flags, positionals } = parseArgs({
  options: {
    texts: { type: "string", default: "3498" },
    turns: { type: "string", default: "3" },
    layers: { type: "string", default: "24" },
  },
  allowPositionals: true,
});
const TEXTS = Number(flags.texts);
const TURNS = Number(flags.turns);

/** Numbers that repeat after a prime, so that making many is quick. */
function randomFloats(length: number, seed: number): Float32Array {
  const random = new Random(seed);
  const some = Float32Array.from({ length: 1_000_003 }, () => random.between(-1, 1));
  const values = new Float32Array(length);
  for (let at = 0; at < length; at += some.length) values.set(some.subarray(0, length - at), at);
  return values;
}

function geometryOf(layers: number, heads: number): HeadGeometry {
  return {
    ...{ layers, heads, headDim: HEAD_DIM, embedDim: EMBED_DIM, terms: 2 * layers + 1 },
    M: randomFloats(layers * heads * HEAD_DIM * EMBED_DIM, 1),
    k: randomFloats(layers * EMBED_DIM, 2),
    s: randomFloats(EMBED_DIM, 3),
    b: randomFloats(EMBED_DIM, 4),
  };
}

/** [z̃;1] of n images: later coordinates vary less; none is centred. */
function coordinates(n: number, seed: number): DenseMatrix {
  const noise = randomFloats(n * WIDTH, seed);
  const data = new Float64Array(n * (WIDTH + 1)).fill(1);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < WIDTH; k++) {
      const scale = 1 / (1 + k / 8);
      data[i * (WIDTH + 1) + k] = scale * (noise[i * WIDTH + k] + (k % 3) / 3);
    }
  }
  return { data, rows: n, columns: WIDTH + 1 };
}

async function momentsOf(algebra: Algebra, z: DenseMatrix): Promise<Float64Array> {
  const sum = new Float64Array(z.columns ** 2);
  for (let start = 0; start < z.rows; start += BLOCK) {
    const rows = Math.min(BLOCK, z.rows - start);
    const data = z.data.subarray(start * z.columns, (start + rows) * z.columns);
    const part = (await algebra.gram({ data, rows, columns: z.columns })).data;
    for (let i = 0; i < sum.length; i++) sum[i] += part[i];
  }
  return sum;
}

/** The published algorithm's two operations as graphs. */
async function createPort() {
  const project = createGraph("project");
  const data = project.input("data", "float32", ["n", "D"]);
  const texts = project.input("texts", "float32", ["t", "D"]);
  const projected = project.op("MatMul", [data, project.op("Transpose", [texts], { perm: [1, 0] })]);
  project.output("squares", project.op("ReduceSumSquare", [projected], { axes: [0], keepdims: 0 }));
  const remove = createGraph("remove");
  const x = remove.input("x", "float32", ["n", "D"]);
  const u = remove.input("u", "float32", ["D", 1]);
  const along = remove.op("MatMul", [x, u]);
  remove.output(
    "rest",
    remove.op("Sub", [x, remove.op("MatMul", [along, remove.op("Transpose", [u], { perm: [1, 0] })])]),
  );
  return {
    project: await createSession(project.finish(), undefined, {}),
    remove: await createSession(remove.finish(), undefined, {}),
  };
}

/** Runs it over centred contributions in blocks of rows. */
async function runPort(
  { project, remove }: { project: Session; remove: Session },
  centred: readonly Float32Array[],
  projectedTexts: Float32Array,
): Promise<number[]> {
  const matrix = (values: Float32Array) => ({ data: values, dims: [values.length / EMBED_DIM, EMBED_DIM] });
  let blocks = centred;
  let texts = projectedTexts;
  const selected: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const variance = new Float64Array(texts.length / EMBED_DIM);
    for (const block of blocks) {
      const { squares } = await project.run({ data: matrix(block), texts: matrix(texts) });
      for (let j = 0; j < variance.length; j++) variance[j] += squares.data[j];
    }
    const best = variance.indexOf(variance.reduce((a, b) => Math.max(a, b)));
    const direction = texts.subarray(best * EMBED_DIM, (best + 1) * EMBED_DIM);
    const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
    const u = { data: direction.map((value) => value / length), dims: [EMBED_DIM, 1] };
    const without = async (values: Float32Array) => (await remove.run({ x: matrix(values), u })).rest.data;
    const rest: Float32Array[] = [];
    for (const block of blocks) rest.push(await without(block));
    blocks = rest;
    texts = await without(texts);
    selected.push(best);
  }
  return selected;
}

/** z̃·M̃ less its mean, in blocks. */
async function centredContributions(
  z: DenseMatrix,
  matrix: Float64Array,
  mean: Float64Array,
): Promise<Float32Array[]> {
  const matmul = await createMatMul(openNodeSession);
  const blocks: Float32Array[] = [];
  for (let start = 0; start < z.rows; start += BLOCK) {
    const rows = Math.min(BLOCK, z.rows - start);
    const data = new Float32Array(rows * WIDTH);
    for (let i = 0; i < rows; i++) {
      const at = (start + i) * z.columns;
      data.set(z.data.subarray(at, at + WIDTH), i * WIDTH);
    }
    const right = { data: Float32Array.from(matrix), dims: [1, WIDTH, EMBED_DIM] };
    const block = await matmul({ data, dims: [1, rows, WIDTH] }, right);
    for (let i = 0; i < block.length; i++) block[i] -= mean[i % EMBED_DIM];
    blocks.push(block);
  }
  return blocks;
}

async function timed<T>(run: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const started = performance.now();
  const result = await run();
  return { ms: performance.now() - started, result };
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function againstPort(algebra: Algebra, images: number, texts: Float64Array): Promise<void> {
  const matrix = headMatrix(geometryOf(1, 1), 0, 0);
  const z = coordinates(images, 20);
  const moments = await momentsOf(algebra, z);
  const space = await rowSpace(algebra, moments, matrix);
  const inSpace = await algebra.product(await projectTexts(algebra, space, texts), space.basis);
  const centred = await centredContributions(z, matrix, space.mean);
  const port = await createPort();
  const times: Record<"accumulate" | "ours" | "port", number[]> = { accumulate: [], ours: [], port: [] };
  let same = 0;
  await textspan(moments, matrix, texts, { algebra, iterations: STEPS });
  for (let turn = 0; turn < TURNS; turn++) {
    times.accumulate.push((await timed(() => momentsOf(algebra, z))).ms);
    const ours = await timed(() => textspan(moments, matrix, texts, { algebra, iterations: STEPS }));
    const theirs = await timed(() => runPort(port, centred, Float32Array.from(inSpace.data)));
    times.ours.push(ours.ms);
    times.port.push(theirs.ms);
    same = ours.result.selected.findIndex((text, step) => text !== theirs.result[step]);
  }
  await port.project.release();
  await port.remove.release();
  const [accumulate, ours, theirs] = [times.accumulate, times.ours, times.port].map(median);
  console.log(`\n${images.toLocaleString("en")} images, one head, ${TEXTS} texts, ${STEPS} steps`);
  console.log(`  in moments            ${ours.toFixed(1).padStart(10)} ms`);
  console.log(
    `  port                  ${theirs.toFixed(1).padStart(10)} ms   ${(theirs / ours).toFixed(0)} ×`,
  );
  console.log(
    `  accumulating moments  ${accumulate.toFixed(1).padStart(10)} ms   (${(theirs / (ours + accumulate)).toFixed(0)} × with it)`,
  );
  ratio({
    what: `textspan of ${images.toLocaleString("en")} images' moments, with adding them up`,
    took: ours + accumulate,
    ...{ beside: "the published steps in the same engine", besideTook: theirs },
  });
  console.log(`  ${same < 0 ? "the same texts in the same order" : `the same texts up to step ${same}`}`);
}

/** An index whose moments are those of random numbers, a few hundred images a head. */
async function fakeIndex(algebra: Algebra, layers: number, heads: number): Promise<ShardedIndex> {
  const sizes = { layers, heads, headDim: HEAD_DIM, embedDim: EMBED_DIM, mlps: false };
  const manifest = { ...sizes, model: { weights: HASH, precision: "fp32" } } as Manifest;
  const size = (WIDTH + 1) ** 2;
  const all = new Float64Array(layers * heads * size);
  for (let unit = 0; unit < layers * heads; unit++) {
    all.set(await momentsOf(algebra, coordinates(300, 100 + (unit % 16))), unit * size);
  }
  return {
    ...{ folder: "memory", manifest, rejected: [] },
    images: new Array(300).fill({ sha256: HASH }),
    moments: async () => all,
  } as unknown as ShardedIndex;
}

/** A model of random weights, as far as describing heads needs one. */
async function fakeModel(geometry: HeadGeometry): Promise<ClipModel> {
  return {
    ...{ name: "random", precision: "fp32", device: "cpu", geometry },
    config: { embedDim: EMBED_DIM, vision: {} },
    checkpoint: { activationSource: "config" },
    matmul: await createMatMul(openNodeSession),
    weightsHash: async () => HASH,
    tokenizeTexts: async (texts: readonly string[]) => texts.map((_, i) => [i]),
    encodeTokens: async (tokens: readonly unknown[]) => randomFloats(tokens.length * EMBED_DIM, 9),
  } as unknown as ClipModel;
}

async function manyHeads(algebra: Algebra, cacheFolder: string): Promise<void> {
  const [layers, heads] = [Number(flags.layers), 16];
  const geometry = geometryOf(layers, heads);
  const index = await fakeIndex(algebra, layers, heads);
  const pool = {
    ...{ name: "random", hash: HASH },
    texts: Array.from({ length: TEXTS }, (_, i) => ({ text: String(i), property: null })),
  };
  const model = await fakeModel(geometry);
  for (const heads of [`last${Math.min(4, layers)}`, "all"]) {
    const set = parseComponents(heads, geometry);
    const { ms } = await timed(() =>
      describeHeads(model, index, set, pool, { iterations: STEPS, cacheFolder }),
    );
    console.log(
      `\n${set.heads.length} heads (${heads}), ${TEXTS} texts, ${STEPS} steps, with controls: ${(ms / 1000).toFixed(1)} s`,
    );
  }
}

const algebra = await createAlgebra(openNodeSession);
const texts = unitRows(randomFloats(TEXTS * EMBED_DIM, 9), EMBED_DIM);
const sizes = positionals.length > 0 ? positionals.map(Number) : [5_000, 50_000];
for (const images of sizes) await againstPort(algebra, images, texts);
const cacheFolder = await mkdtemp(join(tmpdir(), "bench-texts-"));
await manyHeads(algebra, cacheFolder);
await rm(cacheFolder, { recursive: true });
await algebra.release();
