import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { relativeError } from "../support/compare.ts";
import { goldenPath } from "../support/goldens.ts";
import { SHAPES, TRUE_CHECKPOINTS, writeTrueCheckpoint } from "../support/true-checkpoints.ts";

const TEXTS = ["a photo of a dog", "two red apples on a table", "x"];
const IMAGES = 5;
const PARTS = ["z", "mu", "sigma", "norm", "embedding", "mlps"] as const;

/** Where every bit is compared too; one of each patch size is enough. */
const COMPARED = ["ViT-B-32/datacomp_m_s128m_b4k", "ViT-B-16/laion2b_s34b_b88k"];

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "true-shapes-"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

const pixelsFor = (imageSize: number, count: number) =>
  Float32Array.from({ length: count * 3 * imageSize ** 2 }, (_, i) => Math.sin(i * 1.7) * 1.5);

// One at a time, since a ViT-H is 2 GB on disk even in half precision.
describe.each(TRUE_CHECKPOINTS)("random weights in the files of $name", (checkpoint) => {
  const shape = SHAPES[checkpoint.shape];
  let folder: string;
  beforeAll(async () => {
    folder = join(scratch, checkpoint.name);
    await writeTrueCheckpoint(folder, checkpoint);
    cpSync(goldenPath("tokenizer/tokenizer.json"), join(folder, "tokenizer.json"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("load as what they are, run both towers and sum", async () => {
    const model = await loadClipModel(folder, checkpoint.name);
    const { vision, text, embedDim } = model.config;
    expect(vision).toMatchObject({
      width: shape.width,
      layers: shape.layers,
      heads: shape.width / shape.headDim,
      imageSize: shape.imageSize,
      activation: checkpoint.activation ?? "gelu",
    });
    expect(text).toMatchObject({ width: shape.text.width, layers: shape.text.layers, contextLength: 77 });
    const { z, error } = await model.decompose(pixelsFor(shape.imageSize, 1));
    expect(z).toHaveLength(shape.layers * shape.width);
    expect(Math.max(...error)).toBeLessThan(1e-5);
    const texts = await model.encodeTexts(TEXTS);
    expect(texts).toHaveLength(TEXTS.length * embedDim);
    expect(texts.every(Number.isFinite)).toBe(true);
    await model.release();
  });

  it.runIf(COMPARED.includes(checkpoint.name))(
    "give an image the same bits alone, in any batch, at 1 or 2 threads",
    async () => {
      const pixels = pixelsFor(224, IMAGES);
      const model = await loadClipModel(folder);
      const whole = await model.decompose(pixels);
      const embeddings = await model.encodeTexts(TEXTS);
      await model.release();
      for (const threads of [1, 2]) {
        const other = await loadClipModel(folder, undefined, { threads });
        await expectSameBits(other, pixels, whole);
        const { embedDim } = other.config;
        for (const [i, text] of TEXTS.entries()) {
          expect(await other.encodeTexts([text])).toEqual(embeddings.slice(i * embedDim, (i + 1) * embedDim));
        }
        await other.release();
      }
    },
  );

  it.runIf(COMPARED.includes(checkpoint.name))(
    "in int8 are near float32, sum, and give an image the same bits in any batch",
    async () => {
      const pixels = pixelsFor(224, IMAGES);
      const exact = await loadClipModel(folder);
      const { embedding } = await exact.decompose(pixels);
      await exact.release();
      const int8 = await loadClipModel(folder, undefined, { precision: "int8" });
      const whole = await int8.decompose(pixels);
      expect(relativeError(whole.embedding, embedding)).toBeLessThan(0.1);
      expect(Math.max(...whole.error)).toBeLessThan(1e-5);
      await expectSameBits(int8, pixels, whole);
      await int8.release();
    },
  );
});

async function expectSameBits(
  model: ClipModel,
  pixels: Float32Array,
  whole: Awaited<ReturnType<ClipModel["decompose"]>>,
) {
  const perImage = pixels.length / IMAGES;
  for (const [start, size] of [
    [0, 1],
    [1, 1],
    [4, 1],
    [0, 2],
    [1, 3],
  ]) {
    const part = await model.decompose(pixels.slice(start * perImage, (start + size) * perImage));
    for (const key of PARTS) {
      const each = whole[key].length / IMAGES;
      expect(part[key]).toEqual(whole[key].slice(start * each, (start + size) * each));
    }
  }
}
