import fc from "fast-check";
import { expect, it } from "vitest";
import { dot } from "./linear.ts";
import { nonNegativeLeastSquares } from "./non-negative.ts";

const row = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 6, maxLength: 6 });

it("fits as no other non-negative sum does: the slope is 0 where x is not, and never downhill", () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), row, (columns, b) => {
      const k = columns.length;
      const gram = columns.flatMap((a) => columns.map((other) => dot(a, other)));
      const right = columns.map((a) => dot(a, b));
      const x = nonNegativeLeastSquares(gram, right);
      for (let i = 0; i < k; i++) {
        const slope = dot(gram, x, i * k, 0, k) - right[i];
        expect(x[i]).toBeGreaterThanOrEqual(0);
        expect(slope).toBeGreaterThan(-1e-3);
        if (x[i] > 1e-9) expect(Math.abs(slope)).toBeLessThan(1e-3);
      }
    }),
    { numRuns: 200 },
  );
});

it("two columns that are alike share what one would have", () => {
  const [a, b] = nonNegativeLeastSquares([1, 1, 1, 1], [0.5, 0.5]);
  expect(a + b).toBeCloseTo(0.5, 12);
});
