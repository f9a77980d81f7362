import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explain } from "../../src/analysis/explain/explain.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { decompose, type TokenDecomposition } from "../../src/model/decompose.ts";
import { decomposeTokens } from "../../src/model/decompose-tokens.ts";
import { loadTextGeometry } from "../../src/model/geometry.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { textTower } from "../../src/model/text-tower.ts";
import { createSession, openNodeSession } from "../../src/onnx/node-session.ts";
import type { Session } from "../../src/onnx/session.ts";
import { textGraph } from "../../src/onnx/text.ts";
import { visionGraph } from "../../src/onnx/vision.ts";
import { goldenArray, goldenPath } from "../support/goldens.ts";

/*
 * A decomposition whose parts do not add up to the embedding is never handed out. The real graph runs here; then one
 * number of what it gave is moved, by a share of the embedding's largest entry.
 */

let model: ClipModel;
let session: Session;
let pixels: Float32Array;
let exact: TokenDecomposition;
beforeAll(async () => {
  const folder = goldenPath("gelu-p8/open_clip");
  model = await loadClipModel(folder);
  const { config, checkpoint } = model;
  const graph = visionGraph(config, checkpoint.weights.vision, {
    ...{ kind: "decompose", tokenLayers: [], gated: false, precision: "fp32", attention: "fused" },
  });
  session = await createSession(graph, checkpoint.weights.file);
  pixels = (await goldenArray("gelu-p8/pixels.npy", 4)).data;
  exact = await model.decompose(pixels);
});
afterAll(async () => {
  await session.release();
  await model.release();
});

type Part = "embedding" | "a layer's MLP" | "the token embedding";
interface Fault {
  readonly part: Part;
  readonly image: number;
  /** Which entry of the embedding. */
  readonly entry: number;
  /** Over the largest entry. */
  readonly by: number;
}

/** What `decompose` makes of the graph's outputs after one number was moved. */
function withFault({ part, image, entry, by }: Fault): Promise<TokenDecomposition> {
  const { config, matmul, geometry } = model;
  const { embedDim: D, vision } = config;
  const faulty: Session = {
    ...session,
    async run(feeds) {
      const out = await session.run(feeds);
      const embedding = out.embedding.data.slice();
      const terms = out.terms.data.slice();
      const largest = Math.max(...embedding.subarray(image * D, (image + 1) * D).map(Math.abs));
      if (part === "embedding") embedding[image * D + entry] += by * largest;
      else {
        const term = part === "the token embedding" ? 0 : vision.layers;
        terms[(image * (vision.layers + 1) + term) * D + entry] += by * largest * exact.sigma[image];
      }
      return {
        ...out,
        embedding: { ...out.embedding, data: embedding },
        terms: { ...out.terms, data: terms },
      };
    },
  };
  return decompose(faulty, matmul, config, geometry, pixels);
}

/** Neither the largest entry of any image's embedding nor next to it. */
const entries = () => {
  const { embedDim: D } = model.config;
  const largest = Array.from({ length: exact.count }, (_, image) => {
    const sizes = exact.embedding.subarray(image * D, (image + 1) * D).map(Math.abs);
    return sizes.indexOf(Math.max(...sizes));
  });
  const others = Array.from({ length: D }, (_, d) => d).filter((d) => !largest.includes(d));
  return [others[0], others[others.length >> 1], others[others.length - 1]];
};

describe("the self-check of a decomposition", () => {
  it("passes what sums to the last bits, and says how exact that was", async () => {
    const untouched = await withFault({ part: "embedding", image: 0, entry: 0, by: 0 });
    expect(untouched.error).toEqual(exact.error);
    expect(exact.error).toHaveLength(exact.count);
    for (const error of exact.error) {
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(1e-5);
    }
  });

  it.each<Part>(["embedding", "a layer's MLP", "the token embedding"])(
    "refuses a thousandth in one number of one image: %s",
    async (part) => {
      for (const image of [0, exact.count - 1])
        for (const entry of entries())
          for (const by of [1e-3, -1e-3, 2e-4])
            await expect(
              withFault({ part, image, entry, by }),
              `entry ${entry} of image ${image} by ${by}`,
            ).rejects.toMatchObject({
              code: "SUM_MISMATCH",
              message: expect.stringContaining(`image ${image} `),
            });
    },
  );

  it("measures the error over the embedding's largest entry, of the image that has it alone", async () => {
    const image = exact.count - 1;
    for (const entry of entries()) {
      const { error } = await withFault({ part: "a layer's MLP", image, entry, by: 5e-5 });
      expect(error[image]).toBeGreaterThan(4.9e-5);
      expect(error[image]).toBeLessThan(5.1e-5);
      expect(error.subarray(0, image)).toEqual(exact.error.subarray(0, image));
    }
  });

  it("refuses what is not a number, wherever it stands", async () => {
    for (const entry of entries())
      await expect(
        withFault({ part: "a layer's MLP", image: 0, entry, by: Number.NaN }),
      ).rejects.toMatchObject({ code: "SUM_MISMATCH" });
  });
});

describe("the self-check of a text", () => {
  it.each(["z", "heads", "terms"] as const)(
    "refuses a hundredth in one number of one text: %s",
    async (output) => {
      const { config, checkpoint, matmul } = model;
      const text = textTower(checkpoint);
      const weights = checkpoint.weights.text!;
      const how = { kind: "decompose", precision: "fp32" } as const;
      const graph = textGraph({ text, embedDim: config.embedDim }, weights, how);
      const whole = await createSession(graph, checkpoint.weights.file);
      const geometry = await loadTextGeometry(openNodeSession, text, config.embedDim, weights);
      const texts = [
        [1, 9, 30, 2],
        [1, 40, 7, 2],
      ];
      const withFault = (by: number) => {
        const faulty: Session = {
          ...whole,
          async run(feeds) {
            const out = await whole.run(feeds);
            const data = out[output].data.slice();
            const at = data.length - 5;
            data[at] += by * Math.max(...data.map(Math.abs));
            return { ...out, [output]: { ...out[output], data } };
          },
        };
        return decomposeTokens(faulty, matmul, text, geometry, texts);
      };
      const { error } = await withFault(0);
      expect(Math.max(...error)).toBeLessThan(1e-6);
      await expect(withFault(1e-2)).rejects.toMatchObject({
        code: "SUM_MISMATCH",
        message: expect.stringContaining("text 1 "),
      });
      await whole.release();
    },
  );
});

describe("an explanation whose parts miss the cosine", () => {
  const text = () => new Float32Array(model.config.embedDim).fill(1);
  it("is not given, and an exact one is", () => {
    const [explained] = explain(model, exact, ["a text"], text());
    expect(explained.error).toBeLessThan(1e-6);
    const mlps = exact.mlps.slice();
    mlps[0] += 1e-3 * Math.sqrt(model.config.embedDim);
    expect(() => explain(model, { ...exact, mlps }, ["a text"], text())).toThrow(
      expect.objectContaining({ code: "SUM_MISMATCH" }),
    );
  });
});
