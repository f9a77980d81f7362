/**
 * What loading costs, and whether weights are mapped or copied. `npm run bench:load [-- NAME …]`.
 *
 * Random weights of the true shapes are generated into a temporary folder, one at a time, so the file is in the
 * page cache: this is a second start, not the first after a download. Each step runs in a process of its own; on
 * Linux the kernel says which of its memory is pages of the weights file (`file`, shared, dropped under pressure)
 * and which its own (`own`).
 */
import { fork } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadCheckpoint } from "../src/checkpoint/load.ts";
import { loadClipModel } from "../src/model/load-model.ts";
import { InferenceSession } from "../src/onnx/runtime.ts";
import { visionGraph } from "../src/onnx/vision.ts";
import { CHECKPOINT_LAYOUTS } from "../test/support/checkpoint-layouts.ts";
import {
  TRUE_CHECKPOINTS,
  type TrueCheckpoint,
  writeTrueCheckpoint,
} from "../test/support/true-checkpoints.ts";

type Step = "load" | "decompose" | "int8" | "unpacked";

async function main(names: readonly string[]): Promise<void> {
  const chosen = TRUE_CHECKPOINTS.filter(({ name }) => names.length === 0 || names.includes(name));
  const folder = await mkdtemp(join(tmpdir(), "clip-interpret-load-"));
  try {
    for (const checkpoint of chosen) {
      const path = join(folder, checkpoint.name);
      await writeTrueCheckpoint(path, checkpoint);
      await report(checkpoint, path);
      await rm(path, { recursive: true });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function report(checkpoint: TrueCheckpoint, path: string): Promise<void> {
  const { layout = "open_clip", dtype = "F32" } = checkpoint;
  const { size } = await stat(join(path, CHECKPOINT_LAYOUTS[layout].weights));
  const parameters = size / (dtype === "F32" ? 4 : 2);
  console.log(`\n${checkpoint.name}: ${mb(size)} of weights (${layout}, ${dtype})`);
  // A loader that reads the file and hands PyTorch-like float32 tensors on holds both at its peak.
  console.log(
    `  a loader that copies: at least ${mb(size + 4 * parameters)} (the file's bytes and float32 tensors)`,
  );
  for (const step of ["load", "decompose", "int8", "unpacked"] satisfies Step[]) {
    await new Promise<void>((resolve, reject) => {
      const child = fork(import.meta.filename, ["--measure", step, path], { execArgv: process.execArgv });
      child.once("exit", (code) =>
        code === 0 ? resolve() : reject(new Error(`${step}: exit code ${code}`)),
      );
    });
  }
}

async function measure(step: Step, path: string): Promise<void> {
  const before = await memory();
  const started = performance.now();
  const what = await STEPS[step](path);
  const elapsed = performance.now() - started;
  const after = await memory();
  const peak = process.resourceUsage().maxRSS * 1024;
  const grown = after
    ? `, grown by ${mb(after.own - (before?.own ?? 0))} own and ${mb(after.file - (before?.file ?? 0))} file`
    : "";
  console.log(`  ${what}: ${elapsed.toFixed(0)} ms; peak ${mb(peak)}${grown}`);
}

const STEPS: Record<Step, (path: string) => Promise<string>> = {
  async load(path) {
    await loadClipModel(path);
    return "load (config, head geometry)";
  },
  async decompose(path) {
    return `load to first decomposition (${await firstDecomposition(path, "fp32")})`;
  },
  async int8(path) {
    return `the same in int8 (${await firstDecomposition(path, "int8")})`;
  },
  async unpacked(path) {
    const { config, weights } = await loadCheckpoint(path);
    const options = {
      kind: "decompose",
      tokenLayers: [],
      gated: false,
      precision: "fp32",
      attention: "fused",
    } as const;
    await InferenceSession.create(visionGraph(config, weights.vision, options), {
      graphOptimizationLevel: "disabled",
      extra: {
        session: {
          model_external_initializers_file_folder_path: dirname(weights.file),
          disable_prepacking: "1",
        },
      },
    });
    return "the image tower's session alone, weights neither cast nor packed";
  },
};

/** Decomposes one image; says how well its parts sum. */
async function firstDecomposition(path: string, precision: "fp32" | "int8"): Promise<string> {
  const model = await loadClipModel(path, undefined, { precision });
  const { imageSize } = model.config.vision;
  const pixels = Float32Array.from({ length: 3 * imageSize ** 2 }, (_, i) => Math.sin(i * 1.7));
  return `sum off by ${(await model.decompose(pixels)).error[0].toExponential(1)}`;
}

/** Resident bytes that are pages of files, and that are the process's own; undefined where the kernel does not say. */
async function memory(): Promise<{ own: number; file: number } | undefined> {
  const text = await readFile("/proc/self/smaps_rollup", "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const kilobytes = (key: string) => Number(new RegExp(`^${key}:\\s*(\\d+)`, "m").exec(text)?.[1] ?? 0);
  const own = 1024 * kilobytes("Anonymous");
  return { own, file: 1024 * kilobytes("Rss") - own };
}

const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

const [mode, ...rest] = process.argv.slice(2);
if (mode === "--measure") await measure(rest[0] as Step, rest[1]);
else await main([mode, ...rest].filter((name) => name !== undefined));
