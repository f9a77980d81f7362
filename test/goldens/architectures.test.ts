import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openClipOutcomes, withTables } from "../../scripts/model-tables.ts";
import { type ModelConfig, readsTexts } from "../../src/checkpoint/model-config.ts";
import { openClipFacts } from "../../src/checkpoint/open-clip-config.ts";
import type { TensorRef } from "../../src/checkpoint/safetensors.ts";
import type { TimmTower } from "../../src/checkpoint/timm-tower.ts";
import { assembleWeights, type ClipWeights, tensorsIn } from "../../src/checkpoint/weights.ts";
import { openClipWeights } from "../../src/checkpoint/weights-open-clip.ts";
import { KNOWN_MODELS, knownActivation } from "../../src/hub/known-models.ts";
import { Random } from "../../src/math/random.ts";
import { decompose } from "../../src/model/decompose.ts";
import { loadGeometry } from "../../src/model/geometry.ts";
import { createMatMul } from "../../src/onnx/matmul.ts";
import { createSession } from "../../src/onnx/session.ts";
import { visionGraph } from "../../src/onnx/vision.ts";
import { goldenPath } from "../support/goldens.ts";

const json = (path: string) => JSON.parse(readFileSync(goldenPath(`open_clip/${path}`), "utf8"));
const configs: Record<string, Record<string, unknown>> = json("configs.json");
const { models, towers }: { models: Record<string, Towers>; towers: Record<string, Record<string, string>> } =
  json("tensors.json");
interface Towers {
  readonly visual: string;
  readonly text?: string;
}
const outcomes = openClipOutcomes();
const loading = outcomes.flatMap(({ name, config }) => (config ? [{ name, config }] : []));

/** A layer's number in a name. */
const LAYER = /((?:res)?blocks)\.0\./;
/** What no forward pass reads. */
const UNREAD = /num_batches_tracked|attn_mask/;

/** The tensors of an architecture under the names and in the shapes that its library gives them, without numbers. */
function tensorsOf(name: string, layers: { visual: number; text: number }): Map<string, TensorRef> {
  const found = new Map<string, TensorRef>();
  const add = (tensor: string, shape: readonly number[]) =>
    found.set(tensor, { name: tensor, file: "/none", offset: 0, dtype: "F32", shape: [...shape] });
  const custom = configs[name].custom_text === true ? "text." : "";
  for (const [part, prefix] of [["visual", "visual."], ["text", custom]] as const) {
    const tower = layers[part] > 0 ? models[name][part] : undefined;
    for (const [tensor, shape] of Object.entries(tower ? towers[tower] : {})) {
      const sizes = shape === "" ? [] : shape.split("x").map(Number);
      const count = LAYER.test(tensor) ? layers[part] : 1;
      for (let layer = 0; layer < count; layer++)
        add(`${prefix}${tensor}`.replace(LAYER, `$1.${layer}.`), sizes);
    }
  }
  add("logit_scale", []);
  return found;
}

/** The same kind of model with two narrow layers and nine patches. */
function shrink(config: ModelConfig, tower: TimmTower | undefined): { config: ModelConfig; tower?: TimmTower } {
  const { vision } = config;
  const patchSize = tower?.stem ? 16 : 4;
  const size = { width: 16, layers: 2, heads: 2, mlpWidth: 24, patchSize, imageSize: 3 * patchSize };
  const { pool, projected } = { pool: vision.pool, projected: config.embedDim !== vision.width };
  return {
    config: {
      ...config,
      text: { unsupported: "it is not looked at here" },
      embedDim: projected ? 12 : 16,
      vision: {
        ...{ ...vision, ...size, headDim: 8, grid: 3, tokens: 9 + vision.prefix },
        ...(pool && { pool: { heads: 4, ...(pool.mlpWidth !== undefined && { mlpWidth: 20 }) } }),
      },
    },
    ...(tower && {
      tower: {
        ...{ ...tower, ...size },
        ...(tower.poolHeads && { poolHeads: 4, poolMlpWidth: 20 }),
        ...(tower.stemWidths && { stemWidths: [4, 4, 8], stemDepths: [1, 2] }),
      },
    }),
  };
}

/** Random weights for an architecture made small, in a file. */
function randomWeights(name: string, small: ReturnType<typeof shrink>, file: string, seed: number): ClipWeights {
  const known = tensorsOf(name, { visual: 2, text: 0 });
  const random = new Random(seed);
  const numbers: number[] = [];
  const lookUp = (tensor: string, shape: readonly number[]): TensorRef => {
    const offset = 4 * numbers.length;
    const count = shape.reduce((all, one) => all * one, 1);
    const isScale = shape.length <= 1 && !tensor.endsWith("bias");
    const spread = shape.length > 1 ? (count / (shape[0] ?? 1)) ** -0.5 : 0.3;
    for (let i = 0; i < count; i++) numbers.push((isScale ? 1 : 0) + spread * random.between(-1.7, 1.7));
    return { name: tensor, file, offset, dtype: "F32", shape: [...shape] };
  };
  const take = Object.assign(lookUp, {
    has: (tensor: string) => known.has(tensor),
    shape: (tensor: string) => known.get(tensor)?.shape,
  });
  const { vision } = openClipWeights(take, small.config, small.tower);
  writeFileSync(file, new Uint8Array(Float32Array.from(numbers).buffer));
  return { vision, file };
}

describe("of OpenCLIP's architectures", () => {
  it("113 of 144 load, and the docs say which and why not the others (`npm run docs:models` writes it)", () => {
    expect([loading.length, outcomes.length]).toEqual([113, 144]);
    const page = readFileSync(new URL("../../docs/models.md", import.meta.url), "utf8");
    expect(page).toBe(withTables(page));
  });

  it.each(loading)("$name has every tensor that is read, in its shape, and none of its image tower is left unread", ({
    name,
    config,
  }) => {
    const { tower } = openClipFacts({ model_cfg: configs[name] }, name);
    const text = readsTexts(config.text) ? config.text.layers : 0;
    const tensors = tensorsOf(name, { visual: config.vision.layers, text });
    const read = tensorsIn(assembleWeights({ tensors, prefix: "", leftOut: new Map() }, "open_clip", config, tower));
    const names = new Set(read.map((tensor) => tensor.name.replace(/\[.*/, "")));
    const unread = [...tensors.keys()].filter((tensor) => !names.has(tensor) && !UNREAD.test(tensor));
    expect(unread).toEqual([]);
  });

  it("all that load sum to their embedding within 1e-5, with random weights, made small", async () => {
    const folder = mkdtempSync(join(tmpdir(), "architectures-"));
    const matmul = await createMatMul();
    const errors = new Map<string, number>();
    const byKind = new Map<string, number>();
    for (const [seed, { name, config }] of loading.entries()) {
      const { tower } = openClipFacts({ model_cfg: configs[name] }, name);
      const small = shrink(config, tower);
      const file = join(folder, `${seed}.bin`);
      const biases = [...tensorsOf(name, { visual: 1, text: 0 }).keys()].join();
      const kind = JSON.stringify([small.config.vision, small.tower, biases, small.config.embedDim]);
      if (!byKind.has(kind)) {
        const weights = randomWeights(name, small, file, seed);
        const geometry = await loadGeometry({ config: small.config, weights });
        const how = { kind: "decompose", tokenLayers: [], gated: false, precision: "fp32" } as const;
        const graph = visionGraph(small.config, weights.vision, { ...how, attention: "fused" });
        const session = await createSession(graph, file);
        const pixels = new Random(seed);
        const side = small.config.vision.imageSize;
        const two = Float32Array.from({ length: 6 * side * side }, () => pixels.between(-2, 2));
        const { error } = await decompose(session, matmul, small.config, geometry, two);
        byKind.set(kind, Math.max(...error));
        await session.release();
      }
      errors.set(name, byKind.get(kind) ?? Number.NaN);
    }
    rmSync(folder, { recursive: true });
    expect(byKind.size).toBeGreaterThan(15);
    expect([...errors].filter(([, error]) => !(error < 1e-5))).toEqual([]);
  });

  it("those that `models` lists have the activation that OpenCLIP's own table of weights says", () => {
    const pretrained: Record<string, { hub: string; quickGelu: boolean }> = json("pretrained.json");
    const different = KNOWN_MODELS.flatMap(({ name, hubId }) => {
      const entry = Object.entries(pretrained).find(
        ([key, { hub }]) => key === name || hub.toLowerCase() === hubId.toLowerCase(),
      );
      const expected = entry && (entry[1].quickGelu ? "quick_gelu" : "gelu");
      return expected === knownActivation(name) ? [] : [`${name}: ${knownActivation(name)}, OpenCLIP: ${expected}`];
    });
    expect(different).toEqual([]);
  });
});
