import { describe, expect, test } from "vitest";
import { apart } from "./colour.ts";
import { fadeUnseen, paintGrid, paintOver, paintWinners } from "./heatmap.ts";

/** A picture of one colour, of which the middle columns are covered. */
const canvas = (colour: readonly number[], width = 8, height = 4) => ({
  rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3]),
  ...{ width, height },
  covered: { x: 2, y: 0, width: 4, height: 4 },
});
const pixel = (rgb: Uint8Array, x: number, y: number, width = 8) => [
  ...rgb.slice((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe("paintOver", () => {
  test("lays the map where it belongs and fades the rest to gray", () => {
    const grid = { rows: 1, columns: 2, values: [-1, 1] };
    const paint = paintGrid(grid, -1, 1, (position) => (position < 0.5 ? "#0000ff" : "#ff0000"));
    const painted = paintOver(canvas([10, 200, 30]), paint);
    const [left, right, outside] = [pixel(painted, 2, 1), pixel(painted, 5, 1), pixel(painted, 0, 1)];
    expect(left[2]).toBeGreaterThan(200);
    expect(left[0]).toBe(0);
    expect(right[0]).toBeGreaterThan(200);
    expect(right[2]).toBe(0);
    expect(new Set(outside).size).toBe(1);
    expect(pixel(painted, 6, 0)).toEqual(outside);
  });

  test("shades paint by the picture: lighter where that is lighter", () => {
    const picture = canvas([0, 0, 0]);
    picture.rgb.fill(255, (1 * 8 + 3) * 3, (1 * 8 + 3) * 3 + 3);
    const painted = paintOver(picture, () => [255, 255, 255]);
    expect(pixel(painted, 3, 1)[0]).toBeGreaterThan(pixel(painted, 4, 1)[0]);
  });

  test("paints upright: row 0 of the grid is the top", () => {
    const grid = { rows: 2, columns: 1, values: [0, 1] };
    const painted = paintOver(
      canvas([99, 99, 99]),
      paintGrid(grid, 0, 1, (p) => (p < 0.5 ? "#000000" : "#ffffff")),
    );
    expect(pixel(painted, 3, 0)).toEqual([0, 0, 0]);
    expect(pixel(painted, 3, 3)[0]).toBeGreaterThan(200);
  });
});

describe("paintWinners", () => {
  test("takes the highest map's colour, paler where the lead is small", () => {
    const grids = [
      { rows: 1, columns: 2, values: [1, 0.5] },
      { rows: 1, columns: 2, values: [0, 0.49] },
      { rows: 1, columns: 2, values: [-1, 0.2] },
    ];
    const paint = paintWinners(grids, 1);
    const [strong, weak] = [paint(0.5, 0), paint(0.5, 1)];
    for (const [red, , blue] of [strong, weak]) expect(blue).toBeGreaterThan(red);
    expect(weak[0]).toBeGreaterThan(strong[0] + 100);
  });
});

describe("paintWinners, where maps are equal", () => {
  const flat = (value: number) => ({ rows: 1, columns: 1, values: [value] });
  const colourOf = (values: readonly number[], largestMargin = 1) =>
    paintWinners(values.map(flat), largestMargin)(0.5, 0.5);
  /** The colour of the i-th text, at a strength. */
  const shade = (i: number, strength: number) =>
    [1, 3, 5].map((start) => {
      const channel = Number.parseInt(apart(i).colour.slice(start, start + 2), 16);
      return expect.closeTo(255 - (255 - channel) * strength, 9);
    });

  test("takes the first one's colour, as pale as it gets", () => {
    for (const value of [-1, 0, 1]) {
      expect(colourOf([value, value, value - 1])).toEqual(shade(0, 0.15));
      expect(colourOf([value - 1, value, value])).toEqual(shade(1, 0.15));
    }
  });

  test("measures the lead over the next, wherever that is", () => {
    for (const values of [
      [2, 0, 1],
      [2, 1, 0],
    ])
      expect(colourOf(values)).toEqual(shade(0, 1));
    expect(colourOf([1, 2, 0])).toEqual(shade(1, 1));
    // A quarter of the largest lead has half of the strength that leads bring.
    for (const [values, winner] of [
      [[2, 1, 0], 0],
      [[2, 0, 1], 0],
      [[1, 2, 0], 1],
      [[0, 1, 2], 2],
    ] as const)
      expect(colourOf(values, 4), values.join()).toEqual(shade(winner, 0.15 + 0.85 / 2));
    expect(colourOf([9, 1, 0], 4)).toEqual(shade(0, 1));
  });
});

describe("fadeUnseen", () => {
  test("leaves colours where the model looked alone", () => {
    const shown = fadeUnseen(canvas([10, 200, 30]));
    expect(pixel(shown, 3, 2)).toEqual([10, 200, 30]);
    expect(new Set(pixel(shown, 7, 2)).size).toBe(1);
  });
});
