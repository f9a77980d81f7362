import { expect, it } from "vitest";
import type { Layout } from "../../src/corpus/manifest.ts";
import { imageRow } from "../../src/corpus/rows.ts";
import { createShard } from "../../src/corpus/shard.ts";
import { Random } from "../../src/math/random.ts";

const IMAGES = 8192;
const SHAPES: readonly [name: string, layout: Layout, factor: number][] = [
  ["ViT-B/32", { layers: 12, heads: 12, headDim: 64, embedDim: 512, dtype: "float16", mlps: false }, 13],
  ["ViT-L/14", { layers: 24, heads: 16, headDim: 64, embedDim: 768, dtype: "float16", mlps: false }, 21],
];

it.each(SHAPES)(
  "a full shard of a %s, every file counted, is that many times smaller than dense heads",
  (name, layout, factor) => {
    const { layers, heads, headDim, embedDim } = layout;
    const random = new Random(1);
    const shard = createShard(layout, IMAGES);
    const COUNT = 64;
    const z = Uint16Array.from({ length: COUNT * layers * heads * headDim }, () => random.below(0x3c00));
    const batch = {
      count: COUNT,
      z,
      scalars: Float32Array.from({ length: COUNT * 3 }, () => random.between(0.5, 2)),
      embedding: Float32Array.from({ length: COUNT * embedDim }, () => random.between(-1, 1)),
      mlps: new Uint16Array(0),
    };
    for (let start = 0; start < IMAGES; start += COUNT) {
      const rows = Array.from({ length: COUNT }, (_, i) =>
        imageRow(
          {
            path: `train/n01440764/n01440764_${start + i}.JPEG`,
            bytes: 110_000,
            label: "train/n01440764",
            factors: {},
          },
          { width: 500, height: 375, bytes: 110_000, sha256: "0".repeat(64) },
        ),
      );
      shard.add(batch, rows);
    }
    const bytes = [...shard.files().values()].flat().reduce((sum, chunk) => sum + chunk.length, 0);
    const dense = IMAGES * layers * heads * embedDim * 4;
    console.log(
      `${name}: ${(bytes / IMAGES).toFixed(0)} bytes an image, ${(dense / bytes).toFixed(2)} × fewer`,
    );
    expect(dense / bytes).toBeGreaterThan(factor);
  },
);
