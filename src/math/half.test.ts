import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHalf, toHalf } from "./half.ts";

const everyHalf = Uint16Array.from({ length: 65536 }, (_, half) => half);

describe("float16", () => {
  it("comes back bit for bit, every one of them", () => {
    const back = toHalf(fromHalf(everyHalf));
    everyHalf.forEach((half) => {
      const notANumber = (half & 0x7c00) === 0x7c00 && (half & 0x3ff) !== 0;
      if (notANumber) expect(back[half] & 0x7fff).toBe(0x7e00);
      else if (back[half] !== half) expect.unreachable(`${half} came back as ${back[half]}`);
    });
  });

  it("is the nearest one, and of two equally near the even one", () => {
    const sorted = fromHalf(everyHalf.slice(0, 0x7c00));
    fc.assert(
      fc.property(fc.float({ min: 0, max: 65504, noNaN: true }), (value) => {
        const [half] = toHalf(Float32Array.of(value));
        const error = Math.abs(sorted[half] - value);
        for (const other of [half - 1, half + 1]) {
          if (other < 0 || other >= sorted.length) continue;
          const rival = Math.abs(sorted[other] - value);
          expect(error < rival || (error === rival && half % 2 === 0)).toBe(true);
        }
        expect(toHalf(Float32Array.of(-value))[0]).toBe(half | 0x8000);
      }),
      { numRuns: 3000 },
    );
  });

  it("is infinite beyond the largest, and keeps what is not a number", () => {
    const values = Float32Array.of(
      65519,
      65520,
      -1e30,
      Number.POSITIVE_INFINITY,
      Number.NaN,
      2 ** -26,
      0,
      -0,
    );
    const back = fromHalf(toHalf(values));
    expect([...back.subarray(0, 4)]).toEqual([65504, Infinity, -Infinity, Infinity]);
    expect(back[4]).toBeNaN();
    expect([back[5], back[6], Object.is(back[7], -0)]).toEqual([0, 0, true]);
  });

  it("is written where it is asked to be", () => {
    const into = new Uint16Array(4);
    toHalf(Float32Array.of(1, 2), into, 1);
    expect([...fromHalf(into)]).toEqual([0, 1, 2, 0]);
  });
});
