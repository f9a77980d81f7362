import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mapPlacement, winnersOf } from "./segmentation.ts";

describe("where a map lies", () => {
  const shown = { x: 10, y: 20, width: 192, height: 128 };

  it("is all that was shown where the patches divide its side", () => {
    expect(mapPlacement(shown, { imageSize: 64, patchSize: 16, grid: 4 })).toEqual(shown);
  });

  it("leaves a border on the right and at the bottom where they do not", () => {
    // Four patches of 14 of 64 pixels: the last 8 are seen by none.
    expect(mapPlacement(shown, { imageSize: 64, patchSize: 14, grid: 4 })).toEqual({
      ...{ x: 10, y: 20 },
      width: 192 * (56 / 64),
      height: 128 * (56 / 64),
    });
  });
});

/** Few values, so that ties are common. */
const maps = fc
  .tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 8 }))
  .chain(([texts, patches]) =>
    fc.array(fc.array(fc.constantFrom(-2, -1, 0, 1), { minLength: patches, maxLength: patches }), {
      minLength: texts,
      maxLength: texts,
    }),
  );

describe("the winners of several maps", () => {
  it("are the first of ties, with a lead of nothing", () => {
    expect(
      winnersOf([
        [1, 0, -1, 2],
        [1, 1, -1, 0],
        [0, 1, -1, 1],
      ]),
    ).toEqual({
      winner: Int32Array.of(0, 1, 0, 0),
      margin: Float64Array.of(0, 0, 0, 1),
      counts: [3, 1, 0],
    });
  });

  it("have the lead over the next, wherever that is, and are counted", () => {
    fc.assert(
      fc.property(maps, (maps) => {
        const { winner, margin, counts } = winnersOf(maps);
        for (const i of maps[0].keys()) {
          const values = maps.map((map) => map[i]);
          const [best, next] = [...values].sort((a, b) => b - a);
          expect(winner[i]).toBe(values.indexOf(best));
          expect(margin[i]).toBe(best - next);
        }
        expect(counts).toEqual(maps.map((_, m) => winner.filter((one) => one === m).length));
      }),
    );
  });
});
