import { mkdtempSync, rmSync } from "node:fs";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openClipOutcomes } from "../../scripts/model-tables.ts";
import { openClipFacts } from "../../src/checkpoint/open-clip-config.ts";
import { Random } from "../../src/math/random.ts";
import { decompose } from "../../src/model/decompose.ts";
import { loadGeometry } from "../../src/model/geometry.ts";
import { createMatMul } from "../../src/onnx/matmul.ts";
import { createSession, openNodeSession } from "../../src/onnx/node-session.ts";
import { visionGraph } from "../../src/onnx/vision.ts";
import { configs, randomWeights } from "../support/architectures.ts";

/** One of each kind, and the gigabytes of free memory that it is tried with. */
const ARCHITECTURES: readonly (readonly [name: string, gigabytes: number])[] = [
  ["ViT-B-16-SigLIP", 4],
  ["ViT-L-14-CLIPA", 8],
  ["EVA02-B-16", 4],
  ["vit_relpos_medium_patch16_cls_224", 3],
  ["PE-Core-B-16", 4],
  ["ViTamin-S", 3],
  ["MobileCLIP-B", 4],
  ["coca_ViT-B-32", 4],
  ["vit_medium_patch16_gap_256", 3],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kinds-full-size-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(ARCHITECTURES)("%s in its own sizes, with random weights", (name, gigabytes) => {
  it("sums to its embedding, and gives an image the same bits alone and in a batch", async ({ skip }) => {
    skip(freemem() < gigabytes * 1e9, `it takes ${gigabytes} GB of memory, and less is free`);
    const config = openClipOutcomes().find((outcome) => outcome.name === name)?.config;
    if (!config) throw new Error(`${name} does not load`);
    const { tower } = openClipFacts({ model_cfg: configs[name] }, name);
    const file = join(folder, `${name}.bin`);
    const made = {
      config: { ...config, text: { unsupported: "it is not looked at here" } },
      ...(tower && { tower }),
    };
    const weights = randomWeights(name, made, file, 1);
    const how = { kind: "decompose", tokenLayers: [], gated: false, precision: "fp32" } as const;
    const graph = visionGraph(made.config, weights.vision, { ...how, attention: "fused" });
    const geometry = await loadGeometry(openNodeSession, { config: made.config, weights });
    const session = await createSession(graph, file);
    const matmul = await createMatMul(openNodeSession);
    const random = new Random(2);
    const one = 3 * config.vision.imageSize ** 2;
    const pixels = Float32Array.from({ length: 2 * one }, () => random.between(-2, 2));
    const run = (from: Float32Array) => decompose(session, matmul, made.config, geometry, from);
    const both = await run(pixels);
    const start = performance.now();
    const alone = await run(pixels.subarray(one));
    const milliseconds = Math.round(performance.now() - start);
    await session.release();
    rmSync(file);
    console.info(
      `${name}: off by ${Math.max(...both.error).toExponential(1)}, an image in ${milliseconds} ms`,
    );
    expect(Math.max(...both.error)).toBeLessThan(1e-5);
    for (const part of ["z", "mlps", "embedding"] as const)
      expect(alone[part]).toEqual(both[part].subarray(both[part].length / 2));
  });
});
