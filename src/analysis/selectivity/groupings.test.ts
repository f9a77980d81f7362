import { describe, expect, it } from "vitest";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import { findGroupings, readGroupings } from "./groupings.ts";

type Known = { readonly label: string | null; readonly factors: Record<string, string | number | null> };

/** An index of these images, in shards of two, of which only rows can be asked. */
const indexOf = (images: readonly Known[]) =>
  ({
    images: { length: images.length },
    async *eachShardRows() {
      for (let at = 0; at < images.length; at += 2) yield images.slice(at, at + 2);
    },
  }) as unknown as ShardedIndex;

describe("the factors of images", () => {
  const images: Known[] = [
    { label: "a", factors: { count: 2 } },
    { label: "b", factors: { count: 1, style: "flat", only: 1 } },
    { label: null, factors: { style: null, count: 2 } },
    { label: "a", factors: { style: "round", count: 1, own: "x" } },
    { label: "b", factors: { style: "flat", own: "y" } },
  ];

  it("are partitions, in the order in which they and their values come", async () => {
    const { groupings: found } = await readGroupings(indexOf(images), undefined);
    expect(found.map(({ name, values, groups, images: n }) => [name, values, [...groups], n])).toEqual([
      ["label", ["a", "b"], [0, 1, -1, 0, 1], 4],
      ["count", [2, 1], [0, 1, 0, 1, -1], 4],
      ["style", ["flat", "round"], [-1, 0, -1, 1, 0], 3],
    ]);
    expect(findGroupings({ images: images as never })).toEqual(found);
  });

  it("are those of some images", async () => {
    const { groupings: found } = await readGroupings(indexOf(images), [1, 3, 4]);
    // The label parts them as the style does.
    expect(found.map(({ name, groups }) => [name, [...groups]])).toEqual([["style", [-1, 0, -1, 1, 0]]]);
    expect(findGroupings({ images: images as never }, [1, 3, 4])).toEqual(found);
  });

  it("have at most 100,000 values, and a warning names what has more", async () => {
    const many = Array.from({ length: 100_003 }, (_, i) => ({
      label: i % 2 ? "odd" : "even",
      factors: { caption: `caption ${Math.max(2, i)}`, all: 1 },
    }));
    const warnings: string[] = [];
    const { groupings, tooMany } = await readGroupings(indexOf(many), undefined, (event) => {
      if (event.type === "warning") warnings.push(event.message);
    });
    expect(groupings.map(({ name }) => name)).toEqual(["label"]);
    expect(tooMany).toEqual(["caption"]);
    expect(warnings).toEqual([expect.stringContaining("caption has more than 100000 values")]);
  });
});
