import { describe, expect, it } from "vitest";
import { area, energyInside, pointsInside, rankedPatches } from "./faithfulness.ts";
import { BACKGROUND, FOREGROUND, IGNORED } from "./metrics.ts";

const mask = Int8Array.of(FOREGROUND, BACKGROUND, IGNORED, FOREGROUND);

describe("what a map is measured by", () => {
  it("points where it is highest, at the first of equal pixels", () => {
    expect(pointsInside(Float64Array.of(1, 0, 0, 3), mask)).toBe(true);
    expect(pointsInside(Float64Array.of(1, 2, 0, 0), mask)).toBe(false);
    expect(pointsInside(Float64Array.of(0, 0, 5, 4), mask)).toBe(false);
    expect(pointsInside(Float64Array.of(-1, -1, -1, -1), mask)).toBe(true);
  });

  it("has the energy of its positive, labelled pixels", () => {
    expect(energyInside(Float64Array.of(3, 1, 100, -7), mask)).toBe(0.75);
    expect(energyInside(Float64Array.of(-3, 0, 0, -7), mask)).toBe(0);
  });

  it("has the area under its curve", () => {
    expect(area([0, 1])).toBe(0.5);
    expect(area([1, 1, 1, 1])).toBe(1);
    expect(area([0, 1, 1])).toBe(0.75);
  });

  it("gives its patches up from the highest, equal ones in reading order", () => {
    expect(rankedPatches(Float64Array.of(1, 5, 1, 7))).toEqual([3, 1, 0, 2]);
  });
});
