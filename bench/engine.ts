/**
 * What the decomposition costs over a plain encoder, side by side in one run. `npm run bench [-- MODEL …]`.
 *
 * Random weights of the true shapes are generated into a temporary folder. Each model runs in a process of its
 * own, so that its peak memory is its own. Variants take turns, so that whatever else the machine does falls on
 * all of them alike; the ratios of their medians are what counts.
 */
import { fork } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { loadCheckpoint } from "../src/checkpoint/load.ts";
import type { ModelConfig } from "../src/checkpoint/model-config.ts";
import type { Checkpoint } from "../src/checkpoint/read-checkpoint.ts";
import type { ClipModel } from "../src/model/clip-model.ts";
import { decomposeImages } from "../src/model/decompose-images.ts";
import { loadClipModel } from "../src/model/load-model.ts";
import { createGraph } from "../src/onnx/graph.ts";
import { linearIn } from "../src/onnx/linear.ts";
import { createSession } from "../src/onnx/node-session.ts";
import { visionGraph } from "../src/onnx/vision.ts";
import { writeRandomCheckpoint } from "../test/support/random-checkpoint.ts";
import { SHAPES } from "../test/support/true-checkpoints.ts";
import { ratio as told } from "./ratio.ts";

const BATCH = 8;
const ROUNDS = 7;
const JPEGS = 40;
const PIPELINE_TURNS = 3;

type ModelName = keyof typeof SHAPES;
/** Measured when none is named; the larger ones take minutes each. */
const DEFAULT_MODELS: readonly ModelName[] = ["ViT-B-32", "ViT-B-16"];

async function main(chosen: ModelName[]): Promise<void> {
  const names = chosen.length > 0 ? chosen : DEFAULT_MODELS;
  const folder = await mkdtemp(join(tmpdir(), "clip-interpret-bench-"));
  try {
    for (const name of names) {
      await writeRandomCheckpoint(join(folder, name), SHAPES[name]);
      await new Promise<void>((resolve, reject) => {
        const child = fork(import.meta.filename, ["--measure", name, folder], { execArgv: process.execArgv });
        child.once("exit", (code) =>
          code === 0 ? resolve() : reject(new Error(`${name}: exit code ${code}`)),
        );
      });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(name: ModelName, folder: string): Promise<void> {
  const path = join(folder, name);
  const checkpoint = await loadCheckpoint(path);
  const { config, weights } = checkpoint;
  const size = config.vision.imageSize;
  const pixels = Float32Array.from({ length: BATCH * 3 * size * size }, (_, i) => Math.sin(i * 0.7) * 1.5);
  const feeds = { pixels: { data: pixels, dims: [BATCH, 3, size, size] } };

  const started = performance.now();
  const model = await loadClipModel(path);
  await model.decompose(pixels.subarray(0, pixels.length / BATCH));
  const ready = performance.now() - started;
  const encoder = async (kind: "plain" | "trimmed") => {
    const graph = visionGraph(config, weights.vision, {
      kind,
      tokenLayers: [],
      gated: false,
      precision: "fp32",
      attention: "fused",
    });
    const session = await createSession(graph, weights.file);
    return () => session.run(feeds);
  };
  const times = await takeTurns({
    plain: await encoder("plain"),
    trimmed: await encoder("trimmed"),
    decompose: () => model.decompose(pixels),
  });
  const peak = await peakGflops(checkpoint);
  const [plain, trimmed, decompose] = [times.plain, times.trimmed, times.decompose].map(
    (ms) => (1000 * BATCH) / ms,
  );
  const floor = peak / gflopPerImage(config);
  console.log(
    `\n${name}: batch ${BATCH}, median of ${ROUNDS} turns; first decomposition ${ready.toFixed(0)} ms after the start of the load`,
  );
  table([
    ["", "images/s", "time over plain", "time over trimmed"],
    ["plain encoder (embedding, nothing trimmed)", rate(plain), "1.000", ratio(trimmed / plain)],
    ["trimmed encoder (embedding, last layer at CLS)", rate(trimmed), ratio(plain / trimmed), "1.000"],
    [
      "decomposition (z, MLP terms, sums checked)",
      rate(decompose),
      ratio(plain / decompose),
      ratio(trimmed / decompose),
    ],
    ["arithmetic floor", rate(floor), ratio(plain / floor), ""],
  ]);
  console.log(
    `floor: ${gflopPerImage(config).toFixed(1)} GFLOP an image at ${peak.toFixed(0)} GFLOP/s, the engine's own rate in the tower's MLP products alone`,
  );

  // Both as images a second turned into milliseconds an image.
  const perImage = { decompose: 1000 / decompose, plain: 1000 / plain, floor: 1000 / floor };
  const what = `decomposing an image, ${name}, batch ${BATCH}`;
  told({ what, took: perImage.decompose, beside: "the plain encoder", besideTook: perImage.plain });
  told({ what, took: perImage.decompose, beside: "the arithmetic alone", besideTook: perImage.floor });

  const jpegs = await writeJpegs(folder);
  const shares: number[] = [];
  for (let turn = 0; turn < PIPELINE_TURNS; turn++) {
    const took = await pipeline(model, jpegs);
    const start = performance.now();
    for (let run = 0; run < 2; run++) await model.decompose(pixels);
    shares.push((performance.now() - start) / (2 * BATCH) / took);
    console.log(
      `640×480 JPEGs to decompositions: ${rate(1000 / took)} images/s, ${percent(shares[turn])} of the encoder's own rate just after`,
    );
  }
  console.log(`median: ${percent(median(shares))} of the encoder's own rate`);
  told({
    what: "a 640×480 JPEG to its decomposition",
    took: perImage.decompose / median(shares),
    beside: "decomposing pixels, just after",
    besideTook: perImage.decompose,
  });
  console.log(`peak memory of the process: ${(process.resourceUsage().maxRSS / 2 ** 20).toFixed(2)} GiB`);
}

/** Milliseconds an image from JPEG to decomposition, of a run under way: the first batch waits for its own images. */
async function pipeline(model: ClipModel, jpegs: readonly string[]): Promise<number> {
  let first = 0;
  let images = 0;
  for await (const batch of decomposeImages(model, jpegs, { batch: BATCH })) {
    if (first === 0) first = performance.now();
    else images += batch.images.length;
  }
  return (performance.now() - first) / images;
}

/** Runs every variant once a round after a warm-up; the median time of each, in ms. */
async function takeTurns<Name extends string>(
  variants: Record<Name, () => Promise<unknown>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(variants) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -1; round < ROUNDS; round++) {
    for (const name of names) {
      const start = performance.now();
      await variants[name]();
      if (round >= 0) times[name].push(performance.now() - start);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<Name, number>;
}

/** Multiplications and additions that one image needs at least: every layer in full but the last, which is for CLS. */
function gflopPerImage({ vision, embedDim }: ModelConfig): number {
  const { width, layers, mlpWidth, tokens, patchSize } = vision;
  const keysAndValues = 2 * width * width;
  const others = 2 * width * width + 2 * width * mlpWidth;
  const attention = 2 * tokens * width;
  const full = (layers - 1) * tokens * (keysAndValues + others + attention);
  const last = tokens * keysAndValues + others + attention;
  const patches = (tokens - 1) * 3 * patchSize * patchSize * width;
  return (2 * (full + last + patches + width * embedDim)) / 1e9;
}

/** The engine's rate in the tower's own MLP matrices one after another, with nothing in between. */
async function peakGflops({ config, weights }: Checkpoint): Promise<number> {
  const ROWS = 512;
  const { width, mlpWidth, layers } = config.vision;
  const g = createGraph("peak");
  let x = g.input("x", "float32", [ROWS, width]);
  const linear = linearIn("fp32");
  for (const { fc1, fc2 } of weights.vision.blocks) x = linear(g, linear(g, x, fc1), fc2);
  g.output("y", x);
  const session = await createSession(g.finish(), weights.file);
  const feeds = { x: { data: new Float32Array(ROWS * width).fill(0.01), dims: [ROWS, width] } };
  const { products } = await takeTurns({ products: () => session.run(feeds) });
  return (layers * 4 * ROWS * width * mlpWidth) / (products / 1000) / 1e9;
}

/** Photograph-like JPEGs: smooth shapes with noise, so that decoding costs what it costs for photographs. */
async function writeJpegs(folder: string): Promise<string[]> {
  const [width, height] = [640, 480];
  const paths: string[] = [];
  for (let index = 0; index < JPEGS; index++) {
    const rgb = Buffer.alloc(width * height * 3);
    for (let at = 0; at < rgb.length; at++) {
      const x = Math.floor(at / 3) % width;
      const y = Math.floor(at / (3 * width));
      const noise = ((Math.imul(at + index, 2654435761) >>> 24) - 128) / 6;
      rgb[at] = 128 + 60 * Math.sin(x / (20 + index)) + 50 * Math.cos((y + (at % 3) * 40) / 35) + noise;
    }
    const path = join(folder, `${index}.jpg`);
    await writeFile(
      path,
      await sharp(rgb, { raw: { width, height, channels: 3 } })
        .jpeg({ quality: 90 })
        .toBuffer(),
    );
    paths.push(path);
  }
  return paths;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const rate = (value: number) => value.toFixed(2);
const ratio = (value: number) => value.toFixed(3);

function table(rows: string[][]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(
      `  ${row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[0]))).join("  ")}`,
    );
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === "--measure") await measure(rest[0] as ModelName, rest[1]);
else await main([mode, ...rest].filter((name): name is ModelName => name !== undefined && name in SHAPES));
