import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleBilinear, upsample } from "./bilinear.ts";

describe("upsample", () => {
  it("gives what PyTorch documents for 2×2 to 4×4 (align_corners=False)", () => {
    // torch.nn.Upsample(scale_factor=2, mode="bilinear") of [[1, 2], [3, 4]], from its documentation.
    const result = upsample({ rows: 2, columns: 2, values: [1, 2, 3, 4] }, 4, 4);
    expect([...result]).toEqual([
      1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4,
    ]);
  });

  it("leaves a grid of its own size alone, and a single cell everywhere the same", () => {
    const values = [5, -1, 2, 0.5, 7, 3];
    expect([...upsample({ rows: 2, columns: 3, values }, 2, 3)]).toEqual(values);
    expect([...upsample({ rows: 1, columns: 1, values: [4] }, 2, 2)]).toEqual([4, 4, 4, 4]);
  });

  it("stays between the grid's ends and is linear in the values", () => {
    const grid = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(
        grid,
        grid,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (a, b, h, w) => {
          const of = (values: number[]) => upsample({ rows: 3, columns: 4, values }, h, w);
          const [one, two, both] = [of(a), of(b), of(a.map((value, i) => value + 2 * b[i]))];
          for (const [i, value] of both.entries()) {
            expect(value).toBeCloseTo(one[i] + 2 * two[i], 12);
            expect(one[i]).toBeGreaterThanOrEqual(Math.min(...a) - 1e-12);
            expect(one[i]).toBeLessThanOrEqual(Math.max(...a) + 1e-12);
          }
        },
      ),
    );
  });
});

describe("sampleBilinear", () => {
  it("has a cell's value in its middle and reads as upsample does in between", () => {
    const grid = { rows: 2, columns: 3, values: [0, 1, 2, 10, 11, 12] };
    expect(sampleBilinear(grid, 0.5, 1.5)).toBe(1);
    expect(sampleBilinear(grid, 1.0, 1.0)).toBe(5.5);
    expect(sampleBilinear(grid, 0, 0)).toBe(0);
    expect(sampleBilinear(grid, 2, 3)).toBe(12);
    const fine = upsample(grid, 6, 9);
    for (let y = 0; y < 6; y++)
      for (let x = 0; x < 9; x++)
        expect(sampleBilinear(grid, (y + 0.5) / 3, (x + 0.5) / 3)).toBeCloseTo(fine[y * 9 + x], 12);
  });
});
