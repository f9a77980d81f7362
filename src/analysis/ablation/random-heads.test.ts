import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandOf, combinations, drawControls, randomOrders } from "./random-heads.ts";

const units = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("random heads", () => {
  it("are different sets of the size asked for, never the set itself", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 14 }),
        fc.integer({ min: 1, max: 14 }),
        fc.integer({ min: 0, max: 60 }),
        (n, k, draws) => {
          const except = units(Math.min(k, n));
          const { sets, exhaustive } = drawControls(units(n), k, draws, { seed: 7, except });
          const keys = sets.map((set) => set.join());
          expect(new Set(keys).size).toBe(sets.length);
          expect(keys).not.toContain(except.join());
          for (const set of sets) {
            expect(new Set(set).size).toBe(k);
            for (const unit of set) expect(unit).toBeLessThan(n);
          }
          const possible = combinations(n, k) - (k <= n ? 1 : 0);
          expect(sets.length).toBe(Math.max(0, Math.min(draws, possible)));
          if (possible > 0) expect(exhaustive).toBe(possible <= draws);
        },
      ),
    );
  });

  it("are all there are where those are few", () => {
    const { sets, exhaustive } = drawControls([4, 5, 6, 7], 2, 100, { except: [4, 6] });
    expect(exhaustive).toBe(true);
    expect(sets).toEqual([
      [4, 5],
      [4, 7],
      [5, 6],
      [5, 7],
      [6, 7],
    ]);
  });

  it("come out the same for the same seed", () => {
    expect(drawControls(units(30), 5, 20, { seed: 3 })).toEqual(drawControls(units(30), 5, 20, { seed: 3 }));
    expect(drawControls(units(30), 5, 20, { seed: 4 })).not.toEqual(
      drawControls(units(30), 5, 20, { seed: 3 }),
    );
    for (const order of randomOrders(units(9), 5)) expect([...order].sort()).toEqual(units(9));
  });

  it("count", () => {
    expect([combinations(16, 3), combinations(8, 0), combinations(3, 4)]).toEqual([560, 1, 0]);
    expect(combinations(384, 100)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a band", () => {
  it("says where a value lies among others", () => {
    const values = [0.4, 0.1, 0.3, 0.2];
    expect(bandOf(values, 0.3, false)).toMatchObject({
      ...{ draws: 4, mean: 0.25, least: 0.1, most: 0.4, atMost: 0.75, atLeast: 0.5, exhaustive: false },
    });
    expect(bandOf([], 0.3, true)).toBeNull();
  });
});
