import { describe, expect, it } from "vitest";
import { Random } from "../../math/random.ts";
import { commonValues } from "../selectivity/common.ts";
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

  it("have two ends: a tenth of them each, and whatever scores the same", () => {
    const ends = (scores: readonly number[]) =>
      placeImages(Float64Array.from(scores), rows(scores.length), new Set(), new Random(0)).ends;
    expect(ends([3, 1, 2, 9, 8, 7, 6, 5, 4, 0])).toEqual({ least: [90], most: [30] });
    expect(ends([...new Array(9).fill(2), 3])).toEqual({ least: rows(9), most: [90] });
    // Where nothing varies the order of the files decides nothing.
    expect(ends(new Array(30).fill(1))).toEqual({ least: rows(30), most: rows(30) });
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

describe("what sets of images have in common", () => {
  const all = Array.from({ length: 400 }, (_, i) => i);
  const grouping = (name: string, values: number, of: (row: number) => number) => ({
    ...{ name, values: Array.from({ length: values }, (_, v) => `v${v}`), images: all.length },
    groups: Int32Array.from(all, of),
  });

  it("is what they have far more often than all, if chance does not give it", () => {
    const say = commonValues(all, [grouping("place", 8, (row) => row % 8)]);
    const [planted, even, few] = say([
      all.filter((row) => row % 8 === 3 || row % 40 === 0),
      all.slice(0, 40),
      [3, 11],
    ]);
    expect(planted).toEqual([
      { factor: "place", value: "v3", share: 50 / 60, overall: 1 / 8, p: expect.any(Number) },
    ]);
    expect(planted[0].p).toBeLessThan(1e-20);
    expect(even).toEqual([]);
    // Both of two have it; among all that was asked, that happens by chance.
    expect(few).toEqual([]);
  });

  it("is said on at most one page of twenty where there is nothing", () => {
    const factors = [3, 6, 50].map((values, f) => {
      const random = new Random(9, f);
      return grouping(`f${f}`, values, () => random.below(values));
    });
    const say = commonValues(all, factors);
    const pages = Array.from({ length: 150 }, (_, page) => {
      const random = new Random(page, 77);
      return say(Array.from({ length: 18 }, () => drawFrom(all, 40, random))).some((said) => said.length > 0);
    });
    expect(pages.filter(Boolean).length).toBeLessThanOrEqual(13);
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

  it("are those that are there, the largest first", async () => {
    const { points, groups } = around([20, 50, 30]);
    const all = Array.from({ length: 100 }, (_, i) => i);
    const found = await groupImages(points, 2, all, { groups: 3, shown: 5 });
    expect(found.map(({ members }) => [members.length, groups[members[0]]])).toEqual([
      [50, 1],
      [30, 2],
      [20, 0],
    ]);
    for (const { members } of found) expect(new Set(members.map((row) => groups[row])).size).toBe(1);
    expect(found[0].images).toHaveLength(5);
    expect(new Set(found[0].images.map((row) => groups[row]))).toEqual(new Set([1]));
    expect(await groupImages(points, 2, all, { groups: 3, shown: 5 })).toEqual(found);
  });

  it("are no more than the images", async () => {
    const points = Float32Array.from([0, 1, 0]);
    expect((await groupImages(points, 1, [7, 8, 9])).map(({ members }) => members)).toEqual([[7, 9], [8]]);
    expect(await groupImages(new Float32Array(), 1, [])).toEqual([]);
  });
});
