import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mapPlacement } from "../../src/analysis/segmentation/segmentation.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { writeRandomCheckpoint } from "../support/random-checkpoint.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "odd-shapes-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const text = { width: 12, heads: 3, layers: 1, vocabSize: 50 };

describe("any ViT shape loads, runs and sums", () => {
  it.each([
    {
      name: "heads of 20, a patch grid that leaves a rest",
      width: 60,
      headDim: 20,
      imageSize: 30,
      patchSize: 8,
      layers: 2,
    },
    { name: "one head, one layer", width: 24, headDim: 24, imageSize: 16, patchSize: 8, layers: 1 },
    { name: "heads of 80 as in ViT-H", width: 160, headDim: 80, imageSize: 28, patchSize: 14, layers: 2 },
    { name: "heads of 7, one patch", width: 21, headDim: 7, imageSize: 9, patchSize: 9, layers: 3 },
  ])("$name", async ({ name, ...shape }) => {
    const path = join(folder, name);
    await writeRandomCheckpoint(path, { ...shape, embedDim: 10, text });
    const model = await loadClipModel(path);
    const pixels = Float32Array.from({ length: 2 * 3 * shape.imageSize ** 2 }, (_, i) => Math.sin(i));
    const tokenLayers = Array.from({ length: shape.layers }, (_, layer) => layer);
    const { z, error, tokens } = await model.decompose(pixels, { tokenLayers });
    expect(Math.max(...error)).toBeLessThan(1e-5);
    expect(z).toHaveLength(2 * shape.layers * shape.width);
    for (const { attention } of tokens.layers.values()) {
      const heads = shape.width / shape.headDim;
      const sums = Array.from({ length: 2 * heads }, (_, row) =>
        attention
          .slice(row * tokens.tokens, (row + 1) * tokens.tokens)
          .reduce((sum, value) => sum + value, 0),
      );
      for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
    }
    await model.release();
  });
});

describe("a patch grid that leaves a rest", () => {
  it("is blind to exactly the border that its map leaves free", async () => {
    // Three patches of 8 in 30 pixels.
    const shape = { width: 24, headDim: 12, imageSize: 30, patchSize: 8, layers: 2, embedDim: 10, text };
    const path = join(folder, "a rest");
    await writeRandomCheckpoint(path, shape);
    const model = await loadClipModel(path);
    const shown = { x: 0, y: 0, width: 30, height: 30 };
    const { x, y, width, height } = mapPlacement(shown, model.config.vision);
    const pixels = Float32Array.from({ length: 3 * 30 * 30 }, (_, i) => Math.sin(i));
    const before = await model.decompose(pixels);
    for (let row = 0; row < 30; row++) {
      for (const column of row === 23 || row === 24 ? [0, 12, 23, 24, 29] : [23, 24]) {
        const changed = pixels.slice();
        changed[row * 30 + column] += 1;
        const { embedding } = await model.decompose(changed);
        const isSeen = !embedding.every((value, i) => value === before.embedding[i]);
        const isCovered = column >= x && column < x + width && row >= y && row < y + height;
        expect(isSeen, `${column},${row}`).toBe(isCovered);
      }
    }
    await model.release();
  });
});
