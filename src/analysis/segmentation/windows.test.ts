import { describe, expect, it } from "vitest";
import { upsample } from "../../math/bilinear.ts";
import { Random } from "../../math/random.ts";
import { labelPixels, resizeBilinear, segmentedSize, windowStarts } from "./windows.ts";

describe("windows", () => {
  it("cover a side, the last flush with its end", () => {
    expect(windowStarts(336, 224, 112)).toEqual([0, 112]);
    expect(windowStarts(448, 224, 112)).toEqual([0, 112, 224]);
    expect(windowStarts(500, 224, 112)).toEqual([0, 112, 224, 276]);
    expect(windowStarts(224, 224, 112)).toEqual([0]);
  });

  it("lie on a picture whose shorter side is as asked, whose longer one is bounded, and which is never below a window", () => {
    const how = { shortSide: 336, longest: 2048, window: 224 };
    expect(segmentedSize(500, 375, how)).toEqual({ width: 448, height: 336 });
    expect(segmentedSize(375, 500, how)).toEqual({ width: 336, height: 448 });
    expect(segmentedSize(3000, 375, how)).toEqual({ width: 2048, height: 256 });
    expect(segmentedSize(6000, 300, how)).toEqual({ width: 4480, height: 224 });
  });
});

it("a picture is resized between the middles of its pixels, each channel alone", () => {
  const rgb = Uint8Array.of(0, 10, 0, 100, 10, 0, 200, 10, 0, 255, 10, 9);
  const wide = resizeBilinear(rgb, { width: 4, height: 1 }, { width: 2, height: 1 });
  expect([...wide]).toEqual([50, 10, 0, 228, 10, 5]);
});

describe("labelPixels", () => {
  const [width, height, size, grid, names] = [6, 4, 4, 2, 5];
  const corners = [
    { x: 0, y: 0 },
    { x: 2, y: 0 },
  ];
  const random = new Random(7);
  const cosines = corners.map(() =>
    Array.from({ length: names }, () =>
      Float64Array.from({ length: grid ** 2 }, () => random.between(-1, 1)),
    ),
  );
  const seen = {
    width,
    height,
    size,
    grid,
    down: [0],
    across: [0, 2],
    scores: (w: number, n: number) => cosines[w][n],
  };
  const original = { width: 9, height: 5 };
  const classOfName = [0, 1, 1, 2, 2];

  /** All names' planes at once, as the protocol is written. */
  const probabilities = (logitScale: number): number[][] => {
    const planes = classOfName.map((_, name) => {
      const [sum, count] = [new Float64Array(width * height), new Float64Array(width * height)];
      for (const [w, { x, y }] of corners.entries()) {
        const large = upsample({ rows: grid, columns: grid, values: cosines[w][name] }, size, size);
        for (let row = 0; row < size; row++)
          for (let column = 0; column < size; column++) {
            sum[(y + row) * width + x + column] += large[row * size + column];
            count[(y + row) * width + x + column]++;
          }
      }
      const mean = sum.map((value, i) => value / count[i]);
      return upsample({ rows: height, columns: width, values: mean }, original.height, original.width);
    });
    return Array.from({ length: original.width * original.height }, (_, at) => {
      const powers = planes.map((plane) => Math.exp(logitScale * plane[at]));
      return powers.map((power) => power / powers.reduce((a, b) => a + b));
    });
  };

  it("gives each pixel its most probable name's class, and the background where none is probable", () => {
    const whole = probabilities(3);
    const expected = (threshold: number) =>
      whole.map((all) => {
        const most = Math.max(...all);
        return most < threshold ? 0 : classOfName[all.indexOf(most)];
      });
    expect([...labelPixels(seen, original, { classOfName, logitScale: 3, threshold: null })]).toEqual(
      expected(0),
    );
    const labels = labelPixels(seen, original, { classOfName, logitScale: 3, threshold: 0.5 });
    expect([...labels]).toEqual(expected(0.5));
    expect(expected(0.5)).not.toEqual(expected(0));
  });
});
