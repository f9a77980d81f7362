import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyCheckpoint } from "../../src/checkpoint/copy-checkpoint.ts";
import { loadCheckpoint } from "../../src/checkpoint/load.ts";
import { type ClipModel } from "../../src/model/clip-model.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath } from "../support/goldens.ts";

const TOKENS = [
  [94, 5, 6, 95],
  [94, 7, 8, 9, 10, 11, 12, 95],
];

describe("a TorchScript archive alone, as OpenAI published CLIP", () => {
  let folder: string;
  let model: ClipModel;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "script-"));
    cpSync(goldenPath("torchscript/archive.pt"), join(folder, "ViT-B-32.pt"));
    model = await loadClipModel(folder);
  });
  afterAll(async () => {
    await model?.release();
    rmSync(folder, { recursive: true });
  });

  it("has its sizes from its tensors, and OpenAI's activation", () => {
    const { config, activationSource } = model.checkpoint;
    expect(config.vision).toMatchObject({ width: 64, layers: 1, heads: 1, mlpWidth: 32, patchSize: 4, imageSize: 12 });
    expect(config.text).toMatchObject({ width: 64, layers: 1, heads: 1, vocabSize: 96, contextLength: 8 });
    expect([config.embedDim, config.vision.activation, activationSource]).toEqual([16, "quick_gelu", "config"]);
  });

  it("computes what PyTorch computes, to 1e-5", async () => {
    const pixels = await goldenArray("torchscript/pixels.npy", 4);
    const image = await goldenArray("torchscript/image_embedding.npy", 2);
    const text = await goldenArray("torchscript/text_embedding.npy", 2);
    const { embedding, error } = await model.decompose(pixels.data);
    expect(relativeError(embedding, image.data)).toBeLessThan(1e-5);
    expect(Math.max(...error)).toBeLessThan(1e-5);
    expect(relativeError(await model.encodeTokens(TOKENS), text.data)).toBeLessThan(1e-5);
  });

  it("is copied as safetensors with a config", async () => {
    const target = join(folder, "copy");
    await copyCheckpoint(folder, target, model.config);
    const copy = await loadCheckpoint(target);
    expect(copy.config).toEqual(model.config);
  });
});
