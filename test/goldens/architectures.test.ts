import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openClipOutcomes, withTables } from "../../scripts/model-tables.ts";
import { readsTexts } from "../../src/checkpoint/model-config.ts";
import { openClipFacts } from "../../src/checkpoint/open-clip-config.ts";
import { assembleWeights, tensorsIn } from "../../src/checkpoint/weights.ts";
import { KNOWN_MODELS, knownActivation } from "../../src/hub/known-models.ts";
import { Random } from "../../src/math/random.ts";
import { decompose } from "../../src/model/decompose.ts";
import { loadGeometry } from "../../src/model/geometry.ts";
import { createMatMul } from "../../src/onnx/matmul.ts";
import { createSession, openNodeSession } from "../../src/onnx/node-session.ts";
import { visionGraph } from "../../src/onnx/vision.ts";
import { configs, openClipFile, randomWeights, resize, tensorsOf, UNREAD } from "../support/architectures.ts";

const outcomes = openClipOutcomes();
const loading = outcomes.flatMap(({ name, config }) => (config ? [{ name, config }] : []));

describe("of OpenCLIP's architectures", () => {
  it("116 of 144 load, all with their texts, and the docs say which and why not the others (`npm run docs:models` writes it)", () => {
    expect([loading.length, outcomes.length]).toEqual([116, 144]);
    expect(loading.filter(({ config }) => !readsTexts(config.text))).toEqual([]);
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
    const matmul = await createMatMul(openNodeSession);
    const errors = new Map<string, number>();
    const byKind = new Map<string, number>();
    for (const [seed, { name, config }] of loading.entries()) {
      const { tower } = openClipFacts({ model_cfg: configs[name] }, name);
      const small = resize(config, tower);
      const file = join(folder, `${seed}.bin`);
      const biases = [...tensorsOf(name, { visual: 1, text: 0 }).keys()].join();
      const kind = JSON.stringify([small.config.vision, small.tower, biases, small.config.embedDim]);
      if (!byKind.has(kind)) {
        const weights = randomWeights(name, small, file, seed);
        const geometry = await loadGeometry(openNodeSession, { config: small.config, weights });
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
    const pretrained: Record<string, { hub: string; quickGelu: boolean }> = openClipFile("pretrained.json");
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
