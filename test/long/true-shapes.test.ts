import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadClipModel } from "../../src/model/clip-model.ts";
import { goldenPath } from "../support/goldens.ts";
import { SHAPES, writeRandomCheckpoint } from "../support/random-checkpoint.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "true-shapes-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(Object.keys(SHAPES) as (keyof typeof SHAPES)[])("a random %s of the true shape", (name) => {
  const IMAGES = 5;
  const perImage = 3 * 224 * 224;
  const pixels = Float32Array.from({ length: IMAGES * perImage }, (_, i) => Math.sin(i * 1.7) * 1.5);

  it("sums, and gives an image the same bits alone, in any batch, at 1 or 2 threads", async () => {
    const path = join(folder, name);
    await writeRandomCheckpoint(path, SHAPES[name]);
    cpSync(goldenPath("tokenizer/tokenizer.json"), join(path, "tokenizer.json"));
    const model = await loadClipModel(path);
    const whole = await model.decompose(pixels);
    const texts = ["a photo of a dog", "two red apples on a table", "x"];
    const embeddings = await model.encodeTexts(texts);
    expect(Math.max(...whole.error)).toBeLessThan(1e-5);
    await model.release();
    for (const threads of [1, 2]) {
      const other = await loadClipModel(path, undefined, { threads });
      for (const [start, size] of [
        [0, 1],
        [1, 1],
        [4, 1],
        [0, 2],
        [1, 3],
      ]) {
        const part = await other.decompose(pixels.slice(start * perImage, (start + size) * perImage));
        for (const key of ["z", "mu", "sigma", "norm", "embedding", "mlps"] as const) {
          const each = whole[key].length / IMAGES;
          expect(part[key]).toEqual(whole[key].slice(start * each, (start + size) * each));
        }
      }
      const { embedDim } = other.config;
      for (const [i, text] of texts.entries()) {
        expect(await other.encodeTexts([text])).toEqual(embeddings.slice(i * embedDim, (i + 1) * embedDim));
      }
      await other.release();
    }
    rmSync(path, { recursive: true });
  });
});
