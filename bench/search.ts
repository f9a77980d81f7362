/**
 * What searching an index costs. `npm run bench:search [-- IMAGES …]`.
 *
 * Random blocks of the size that a B/32 or L/14 index holds for one head (d_h = 64), so nothing is read from a disk:
 * warm times. Beside each stands the floor, a pure read of the same tensor by the same engine and threads (ReduceSum).
 * Variants take turns; medians of the turns. Cold times are of a block's way from float16 on disk into the cache.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderStore } from "../src/corpus/folder-store.ts";
import { createHeadCache } from "../src/corpus/head-cache.ts";
import type { Manifest, ShardEntry } from "../src/corpus/manifest.ts";
import { readHead } from "../src/corpus/read-shard.ts";
import { createSearch } from "../src/corpus/search.ts";
import type { OpenShard, ShardedIndex } from "../src/corpus/sharded-index.ts";
import { fromHalf, toHalf } from "../src/math/half.ts";
import { Random } from "../src/math/random.ts";
import { distribution, largest } from "../src/math/rank.ts";
import type { HeadGeometry } from "../src/model/geometry.ts";
import { imageScales } from "../src/model/head-space.ts";
import { createGraph } from "../src/onnx/graph.ts";
import { createMatMul } from "../src/onnx/matmul.ts";
import { createSession, openNodeSession } from "../src/onnx/node-session.ts";
import { formatNpyHeader } from "../src/support/npy-header.ts";
import { ratio } from "./ratio.ts";

const HEAD_DIM = 64;
const EMBED_DIM = 512;
const WIDTH = HEAD_DIM + 3;
const TURNS = 9;

function randomFloats(length: number, seed: number): Float32Array {
  const random = new Random(seed);
  const some = Float32Array.from({ length: 65_521 }, () => random.between(-1, 1));
  const values = new Float32Array(length);
  for (let at = 0; at < length; at += some.length) values.set(some.subarray(0, length - at), at);
  return values;
}

const geometry = (heads: number): HeadGeometry => ({
  ...{ layers: 1, heads, headDim: HEAD_DIM, embedDim: EMBED_DIM, terms: 3 },
  M: randomFloats(heads * HEAD_DIM * EMBED_DIM, 1),
  k: randomFloats(EMBED_DIM, 2),
  s: randomFloats(EMBED_DIM, 3),
  b: randomFloats(EMBED_DIM, 4),
});

/** An index whose heads are random numbers in memory. */
function fakeIndex(images: number, heads: number): ShardedIndex & { readonly shards: [OpenShard] } {
  const manifest = { layers: 1, heads, headDim: HEAD_DIM, embedDim: EMBED_DIM, mlps: false } as Manifest;
  const scalars = randomFloats(images * 3, 5).map((value) => 1.5 + value / 10);
  return {
    folder: "memory",
    manifest,
    images: new Array(images),
    shards: [
      {
        ...{ start: 0, images },
        scalars: async () => scalars,
        scales: async () => imageScales(scalars),
        embeddings: async () => new Float32Array(0),
        head: async (_: number, head: number) => randomFloats(images * HEAD_DIM, 10 + head),
        mlpTerm: async () => new Uint16Array(0),
      },
    ],
  } as unknown as ReturnType<typeof fakeIndex>;
}

/** A graph that reads a tensor once: Σ over everything. */
async function createReader() {
  const g = createGraph("read");
  const x = g.input("x", "float32", ["n", "width"]);
  g.output("sum", g.op("ReduceSum", [x], { keepdims: 0 }));
  return createSession(g.finish(), undefined, {});
}

async function medians(variants: Record<string, () => Promise<unknown>>): Promise<Record<string, number>> {
  const times: Record<string, number[]> = {};
  for (let turn = -2; turn < TURNS; turn++) {
    for (const [name, run] of Object.entries(variants)) {
      const started = performance.now();
      await run();
      times[name] ??= [];
      if (turn >= 0) times[name].push(performance.now() - started);
    }
  }
  return Object.fromEntries(
    Object.entries(times).map(([name, values]) => [
      name,
      values.sort((a, b) => a - b)[Math.floor(TURNS / 2)],
    ]),
  );
}

const set = (heads: number) => ({
  heads: Array.from({ length: heads }, (_, head) => ({ layer: 0, head, weight: 1 / heads })),
  mlps: [],
});

/** One search, and what of it is the product, against a pure read. */
async function measureWarm(images: number, heads: number): Promise<void> {
  const matmul = await createMatMul(openNodeSession, {});
  const index = fakeIndex(images, heads);
  const cache = createHeadCache(index, 2 ** 34);
  const search = createSearch(index, geometry(heads), matmul, cache);
  const blocks = await Promise.all(Array.from({ length: heads }, (_, head) => cache.block(0, head)));
  const reader = await createReader();
  const v = Float64Array.from(randomFloats(EMBED_DIM, 6));
  const q = randomFloats(WIDTH, 7);
  const known = await search.scores(v, set(heads));
  const found = await medians({
    read: async () => {
      for (const data of blocks) await reader.run({ x: { data, dims: [images, WIDTH] } });
    },
    product: async () => {
      for (const data of blocks) {
        await matmul({ data, dims: [1, images, WIDTH] }, { data: q, dims: [1, WIDTH, 1] });
      }
    },
    "scores and top 8": async () => largest(await search.scores(v, set(heads)), 8),
    distribution: async () => distribution(known),
  });
  const megabytes = (blocks.length * images * WIDTH * 4) / 1e6;
  console.log(
    `\n${images.toLocaleString("en")} images × ${heads} head(s) of ${HEAD_DIM}: ${megabytes.toFixed(0)} MB`,
  );
  for (const [name, ms] of Object.entries(found)) {
    console.log(
      `  ${name.padEnd(20)} ${ms.toFixed(2).padStart(8)} ms   ${(ms / found.read).toFixed(2)} × the read`,
    );
  }
  ratio({
    ...{ what: `top 8 of ${images.toLocaleString("en")} images × ${heads} head(s)` },
    ...{ took: found["scores and top 8"], beside: "reading the same numbers", besideTook: found.read },
  });
  ratio({
    ...{ what: `spread and median of ${images.toLocaleString("en")} scores`, took: found.distribution },
    ...{ beside: `finding the best 8 in ${heads} head(s)`, besideTook: found["scores and top 8"] },
  });
  await reader.release();
}

/** From float16 on disk (in the page cache) to a block that can be multiplied. */
async function measureCold(images: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "clip-interpret-search-"));
  try {
    const store = folderStore(folder);
    const bits = toHalf(randomFloats(images * HEAD_DIM, 8));
    const header = formatNpyHeader("<f2", [1, 1, images, HEAD_DIM]);
    await store.put("shards/000000/heads.npy", [header, new Uint8Array(bits.buffer)]);
    const layout = {
      layers: 1,
      heads: 1,
      headDim: HEAD_DIM,
      embedDim: EMBED_DIM,
      dtype: "float16",
      mlps: false,
    } as const;
    const shard: ShardEntry = { name: "000000", images, rejected: 0, files: {} };
    const fake = fakeIndex(images, 1);
    const head = async () => fromHalf((await readHead(store, layout, shard, 0, 0)) as Uint16Array);
    const index = { ...fake, shards: [{ ...fake.shards[0], head }] };
    const { cold } = await medians({ cold: () => createHeadCache(index).block(0, 0) });
    console.log(`  cold: one head from float16 into the cache  ${cold.toFixed(1)} ms`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const sizes = process.argv.slice(2).map(Number);
for (const images of sizes.length > 0 ? sizes : [50_000, 1_280_000]) {
  await measureWarm(images, 1);
  await measureCold(images);
  if (images <= 100_000) await measureWarm(images, 10);
}
