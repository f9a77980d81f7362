import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wilson } from "./wilson.ts";

describe("Wilson's interval", () => {
  it("is that of the books", () => {
    // Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    for (const [hits, n, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
      [8, 10, 0.4902, 0.9433],
      [0, 5, 0, 0.4345],
    ]) {
      expect(wilson(hits, n).low).toBeCloseTo(low, 4);
      expect(wilson(hits, n).high).toBeCloseTo(high, 4);
    }
  });

  it("holds the share, and knows nothing of nothing", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, part) => {
        const { share, low, high } = wilson(Math.round(part * n), n);
        expect(low).toBeLessThanOrEqual(share + 1e-12);
        expect(high).toBeGreaterThanOrEqual(share - 1e-12);
      }),
    );
    expect(wilson(0, 0)).toEqual({ share: 0, low: 0, high: 1, n: 0 });
  });
});
