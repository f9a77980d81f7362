import { describe, expect, it } from "vitest";
import { Random } from "../../math/random.ts";
import { drawFrom, placeImages } from "./axes.ts";
import { groupImages } from "./groups.ts";

const rows = (n: number) => Array.from({ length: n }, (_, i) => 10 * i);

describe("images along an axis", () => {
  it("are centred, and ties have one place", () => {
    const placed = placeImages(Float64Array.from([1, 1, 4, 2]), rows(4), new Set(), new Random(0));
    expect(placed.most.map(({ row, score }) => [row, score])).toEqual([
      [20, 2],
      [30, 0],
      [0, -1],
      [10, -1],
    ]);
    expect(placed.least.map(({ percentile }) => percentile)).toEqual([0, 0, 0.5, 0.75]);
    expect(placed.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  it("that are all alike have one bin and no order", () => {
    const placed = placeImages(new Float64Array(30).fill(0.5), rows(30), new Set(), new Random(0));
    expect(placed.histogram).toMatchObject({ from: 0, to: 0 });
    expect(placed.histogram.counts[0]).toBe(30);
    expect(placed.most.every(({ percentile }) => percentile === 0)).toBe(true);
  });

  it("of a tenth are drawn from the preferred where it has enough of them", () => {
    const scores = Float64Array.from({ length: 100 }, (_, i) => i);
    const preferred = new Set([0, 10, 990].map(Number));
    const { deciles } = placeImages(scores, rows(100), preferred, new Random(1));
    expect(deciles.at(-1)!.images.map(({ row }) => row)).toEqual([10, 0]);
    expect(deciles[0].images).toHaveLength(2);
    expect(deciles.map(({ from }) => from)).toEqual(
      [...deciles.map(({ from }) => from)].sort((a, b) => b - a),
    );
  });

  it("drawn at random are each drawn once", () => {
    const drawn = drawFrom(rows(20), 20, new Random(2));
    expect([...drawn].sort((a, b) => a - b)).toEqual(rows(20));
    expect(drawFrom(rows(3), 9, new Random(2))).toHaveLength(3);
  });
});

describe("groups of images", () => {
  /** Images around three places, of different numbers. */
  const around = (sizes: readonly number[]) => {
    const random = new Random(3);
    const points = sizes.flatMap((size, group) =>
      Array.from({ length: size }, () => [10 * group + random.normal(), 5 * (group % 2) + random.normal()]),
    );
    const groups = Int32Array.from(sizes.flatMap((size, group) => new Array<number>(size).fill(group)));
    return { points: Float32Array.from(points.flat()), groups };
  };

  it("are those that are there, the largest first, with what they have in common", async () => {
    const { points, groups } = around([20, 50, 30]);
    const all = Array.from({ length: 100 }, (_, i) => i);
    const grouping = { name: "place", values: ["a", "b", "c"], groups, images: 100 };
    const found = await groupImages(points, 2, all, [grouping], { groups: 3, shown: 5 });
    expect(found.map(({ size, common }) => [size, common[0]])).toEqual([
      [50, { factor: "place", value: "b", share: 1, overall: 0.5 }],
      [30, { factor: "place", value: "c", share: 1, overall: 0.3 }],
      [20, { factor: "place", value: "a", share: 1, overall: 0.2 }],
    ]);
    expect(found[0].images).toHaveLength(5);
    expect(new Set(found[0].images.map((row) => groups[row]))).toEqual(new Set([1]));
    expect(await groupImages(points, 2, all, [grouping], { groups: 3, shown: 5 })).toEqual(found);
  });

  it("are no more than the images", async () => {
    const points = Float32Array.from([0, 1, 0]);
    expect((await groupImages(points, 1, [7, 8, 9], [])).map(({ size }) => size)).toEqual([2, 1]);
    expect(await groupImages(new Float32Array(), 1, [], [])).toEqual([]);
  });
});
