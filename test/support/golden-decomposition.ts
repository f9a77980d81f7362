import { expect, it } from "vitest";
import type { ClipModel } from "../../src/model/clip-model.ts";
import type { TokenDecomposition } from "../../src/model/decompose.ts";
import { denseHeads, denseTokens } from "../../src/model/dense.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { relativeError } from "./compare.ts";
import { goldenArray, goldenPath } from "./goldens.ts";

/** A golden model, what it makes of the golden's pixels, and what its library made of them. */
export interface GoldenDecomposition {
  readonly model: ClipModel;
  readonly parts: TokenDecomposition;
  /** [b, L, N, H, D] */
  readonly reference: { readonly shape: number[]; readonly data: Float32Array };
}

/**
 * Decomposes a golden's images with every layer's tokens.
 * @param model its folder in `test/goldens`
 * @param arrays the folder of pixels and of what is expected
 */
export async function decomposeGolden(folder: string, arrays = folder): Promise<GoldenDecomposition> {
  const model = await loadClipModel(goldenPath(folder));
  const tokenLayers = Array.from({ length: model.config.vision.layers }, (_, layer) => layer);
  const pixels = await goldenArray(`${arrays}/pixels.npy`, 4);
  const parts = await model.decompose(pixels.data, { tokenLayers });
  return { model, parts, reference: await goldenArray(`${arrays}/attention_contributions.npy`, 5) };
}

/** That a golden's embedding, and what every head and every token wrote, is what its library says, whole arrays. */
export function equalsReference(arrays: string, golden: () => GoldenDecomposition): void {
  it("image embedding, to 1e-5", async () => {
    const { data } = await goldenArray(`${arrays}/image_embedding.npy`, 2);
    expect(relativeError(golden().parts.embedding, data)).toBeLessThan(1e-5);
  });

  it("head contributions, to 1e-5", async () => {
    const { model, parts, reference } = golden();
    const dense = await denseHeads(model.matmul, model.geometry, parts);
    const [images, layers, tokens, heads, width] = reference.shape;
    const summed = new Float64Array(dense.length);
    for (let row = 0; row < images * layers; row++) {
      for (let at = 0; at < tokens * heads * width; at++) {
        summed[row * heads * width + (at % (heads * width))] +=
          reference.data[row * tokens * heads * width + at];
      }
    }
    expect(relativeError(dense, summed)).toBeLessThan(1e-5);
  });

  it("token contributions, to 1e-5", async () => {
    const { model, parts, reference } = golden();
    const [images, layers] = reference.shape;
    const dense = new Float32Array(reference.data.length);
    for (let image = 0; image < images; image++) {
      for (let layer = 0; layer < layers; layer++) {
        const tokens = await denseTokens(model.matmul, model.geometry, parts, layer, image);
        dense.set(tokens, (image * layers + layer) * tokens.length);
      }
    }
    expect(relativeError(dense, reference.data)).toBeLessThan(1e-5);
  });
}
