import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dot } from "../../src/math/linear.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { headRows } from "../../src/model/geometry.ts";
import { singularDirections } from "../../src/model/singular-directions.ts";
import { relativeError } from "../support/compare.ts";
import { goldenPath } from "../support/goldens.ts";

interface Expected {
  /** [L][H][d_h] */
  readonly values: number[][][];
  /** [L][H][D] */
  readonly first: number[][][];
}
const golden: Record<string, Expected> = JSON.parse(readFileSync(goldenPath("singular-values.json"), "utf8"));
/** transformers' names hold the same weights as OpenCLIP's. */
const MODELS = [
  ...Object.keys(golden).map((name) => [name, name] as const),
  ["gelu-p8/transformers", "gelu-p8/open_clip"] as const,
];

describe.each(MODELS)("singular directions of %s", (folder, expected) => {
  it("have NumPy's singular values, each to 1e-5, and its first direction", async () => {
    const model = await loadClipModel(goldenPath(folder));
    const directionsOf = singularDirections(model);
    const { values, first } = golden[expected];
    for (const [layer, heads] of values.entries()) {
      for (const [head, wanted] of heads.entries()) {
        const found = await directionsOf(layer, head);
        for (const [k, value] of wanted.entries())
          expect(Math.abs(found.values[k] / value - 1)).toBeLessThan(1e-5);
        const D = first[layer][head].length;
        expect(relativeError(found.writes.subarray(0, D), first[layer][head])).toBeLessThan(1e-4);
      }
    }
    await model.release();
  });

  it("are orthonormal, write all that z can, and read what they say", async () => {
    const model = await loadClipModel(goldenPath(folder));
    const { geometry, config } = model;
    const { values, writes, seen, reads } = await singularDirections(model)(1, 0);
    const [r, m, D] = [values.length, geometry.headDim, geometry.embedDim];
    const W = config.vision.width;
    const read = reads();
    for (let a = 0; a < r; a++) {
      for (let b = 0; b <= a; b++) {
        expect(dot(writes, writes, a * D, b * D, D)).toBeCloseTo(a === b ? 1 : 0, 9);
        // A direction that no input reaches reads nothing.
        if (values[a] > 1e-6) expect(dot(read, read, a * W, b * W, W)).toBeCloseTo(a === b ? 1 : 0, 9);
      }
    }
    const M = headRows(geometry, 1, 0);
    for (let i = 0; i < m; i++) {
      const row = Float64Array.from({ length: D }, (_, d) => {
        let sum = 0;
        for (let k = 0; k < r; k++) sum += seen[k * m + i] * writes[k * D + d];
        return sum;
      });
      expect(relativeError(row, M.subarray(i * D, (i + 1) * D))).toBeLessThan(1e-9);
    }
    await model.release();
  });
});

it.each(readdirSync(goldenPath("kinds")).sort())("a %s has directions, or is refused with what to do instead", async (kind) => {
  const model = await loadClipModel(goldenPath(`kinds/${kind}`));
  if (model.geometry.pool) {
    expect(() => singularDirections(model)).toThrow(expect.objectContaining({ code: "MODEL_UNSUPPORTED" }));
  } else {
    const { values } = await singularDirections(model)(model.geometry.layers - 1, 0);
    expect(values.length).toBe(Math.min(model.geometry.headDim, model.geometry.embedDim));
    expect(values[0]).toBeGreaterThan(0);
    expect([...values].every(Number.isFinite)).toBe(true);
  }
  await model.release();
});
