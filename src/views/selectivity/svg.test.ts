import { describe, expect, test } from "vitest";
import { shareColour } from "../kit/colour.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { hostile, nothing, sample, signed, small, withSignificant } from "./selectivity.fixture.ts";
import { selectivitySvg } from "./svg.ts";

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly fill: string;
  readonly number: string | undefined;
  readonly dot: boolean;
}

/** `component, factor` → its cell, as drawn; x counts from the left edge of its panel. */
function cellsIn(svg: string): Map<string, Cell> {
  const pattern =
    /<g class="cell"><title>([^<]*): [^<]*<\/title><rect class="[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]* fill="(#\w+)"[^>]*>(?:<path class="hatch"[^>]*>)?(<circle[^>]*>)?(?:<text[^>]*>([^<]*)<\/text>)?<\/g>/g;
  return new Map(
    [...svg.matchAll(pattern)].map(([, name, x, y, fill, dot, number]) => [
      name,
      { x: Number(x), y: Number(y), fill, number, dot: dot !== undefined },
    ]),
  );
}

/** Every cell's corner, counted from the left edge of the whole map. */
function placesIn(svg: string): { x: number; y: number }[] {
  const [, ...pieces] = svg.split(/<g transform="translate\((\d[\d.]*) 0\)">/);
  return pieces.flatMap((piece, index) =>
    index % 2 === 0
      ? []
      : [...cellsIn(piece).values()].map(({ x, y }) => ({ x: x + Number(pieces[index - 1]), y })),
  );
}

const sizeIn = (svg: string) =>
  [...svg.matchAll(/^<svg[^>]* width="(\d+)" height="(\d+)"/g)][0].slice(1).map(Number);

describe("heat map of components and factors", () => {
  test.each([
    [4, 4, 9],
    [12, 12, 9],
    [24, 16, 6],
    [32, 20, 3],
  ])("%i layers × %i heads × %i factors: a cell for every pair, inside a page", (layers, heads, factors) => {
    const input = sample({ layers, heads, factors });
    const svg = selectivitySvg(input);
    expectBalanced(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(cellsIn(svg).size).toBe((layers * heads + layers + 2) * factors);
    const [width, height] = sizeIn(svg);
    expect(width).toBeLessThanOrEqual(1480 + 48);
    expect(height).toBeLessThanOrEqual(2000);
    const right = Math.max(...placesIn(svg).map(({ x }) => x));
    expect(right).toBeLessThan(width - 48);
  });

  test("no two cells of a picture lie on each other", () => {
    const svg = selectivitySvg(sample({ layers: 24, heads: 16, factors: 6 }));
    const places = placesIn(svg).map(({ x, y }) => `${x} ${y}`);
    expect(places).toHaveLength(410 * 6);
    expect(new Set(places).size).toBe(places.length);
  });

  test("numbers where there is room, none in the small cells of 384 heads", () => {
    const few = cellsIn(selectivitySvg(sample({ layers: 4, heads: 4, factors: 9 })));
    const many = cellsIn(selectivitySvg(sample({ layers: 24, heads: 16, factors: 6 })));
    expect([...few.values()].filter(({ number }) => number !== undefined).length).toBeGreaterThan(150);
    expect([...many.values()].filter(({ number }) => number !== undefined)).toEqual([]);
    expect([...many.values()].filter(({ dot }) => dot).length).toBeGreaterThan(300);
  });

  test("a cell has its share's colour and per cent; one that is not above chance is pale with a dot", () => {
    const cells = cellsIn(selectivitySvg(small));
    expect(cells.get("L0.H1, colour")).toMatchObject({ fill: shareColour(0.62), number: "62", dot: false });
    expect(cells.get("L1.H0, size")).toMatchObject({ fill: shareColour(0.31), number: "31" });
    expect(cells.get("L0.H1, size")).toMatchObject({ number: "<1".replace("<", "&lt;") });
    expect(cells.get("L0.H0, size")).toMatchObject({ fill: "#f0f2f5", number: undefined, dot: true });
  });

  test("rows: the embedding on top, then the last layer with its MLP, and embed at the foot", () => {
    const cells = cellsIn(selectivitySvg(small));
    const order = ["embedding", "L1.H0", "L1.H1", "L1.MLP", "L0.H0", "L0.H1", "L0.MLP", "embed"];
    const tops = order.map((name) => cells.get(`${name}, colour`)!.y);
    expect(tops).toEqual([...tops].sort((a, b) => a - b));
    expect(tops[4] - tops[3]).toBeGreaterThan(tops[3] - tops[2]);
    expect(cells.get("embed, colour")!.x).toBeLessThan(cells.get("embed, size")!.x);
  });

  test("frames the strongest head of each factor that is above chance, and no MLP or whole", () => {
    const svg = selectivitySvg(small);
    const cells = cellsIn(svg);
    const [, map] = svg.split(">embedding</text>");
    const frames = [...map.matchAll(/<g class="outline"><rect class="edge" x="([\d.]+)" y="([\d.]+)"/g)].map(
      ([, x, y]) => ({
        x: Number(x),
        y: Number(y),
      }),
    );
    const placeOf = (name: string) => ({ x: cells.get(name)!.x, y: cells.get(name)!.y });
    expect(frames).toHaveLength(2);
    expect(frames).toEqual(expect.arrayContaining([placeOf("L0.H1, colour"), placeOf("L1.H0, size")]));
  });

  test("names the strongest heads with their shares, and each factor's levels and images", () => {
    const svg = selectivitySvg(small);
    expect(svg).toContain(">L0.H1 62.0 % · L1.H0 25.0 % · L0.H0 11.0 %<");
    expect(svg).toContain(">L1.H0 31.0 % · L1.H1 5.0 % · L0.H1 0.2 %<");
    expect(svg).toContain(">8 levels, 500 images<");
    expect(svg).toContain(">3 levels, 400 images<");
  });

  test("has a colour bar from 0 to 100 %, and says what the two special cells mean", () => {
    const svg = selectivitySvg(small);
    for (const words of ["50 %", "100 %", "not above chance", "factor’s strongest head"]) {
      expect(svg).toContain(`>${words}<`);
    }
  });

  test("a head that writes away from what it sees is hatched, has a minus and says so; one that writes towards it is not", () => {
    const svg = selectivitySvg(signed);
    expectBalanced(svg);
    // One in the map, one in the legend.
    expect(svg.match(/class="hatch"/g)).toHaveLength(2);
    expect(cellsIn(svg).get("L0.H1, colour")?.number).toBe("−62");
    expect(cellsIn(svg).get("L1.H0, size")?.number).toBe("31");
    expect(svg).toContain("away from what it sees, own text lowest in 86 % of images, 13 % by chance<");
    expect(svg).toContain("towards what it sees, own text first in 90 % of images, 33 % by chance<");
    expect(svg).toContain(">−L0.H1 62.0 % · L1.H0 25.0 % · L0.H0 11.0 %<");
    const [path] = /<path class="hatch" d="([^"]*)"/.exec(svg.slice(svg.indexOf("L0.H1, colour")))!.slice(1);
    const { x, y } = cellsIn(svg).get("L0.H1, colour")!;
    for (const [, px, py] of path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)) {
      expect(Number(px)).toBeGreaterThanOrEqual(x);
      expect(Number(py)).toBeGreaterThanOrEqual(y);
    }
  });

  test("a factor that no head follows has no frame and says so", () => {
    const svg = selectivitySvg(withSignificant(small, [true, false]));
    expect(svg).toContain(">none above chance<");
    // One in the map, one in the legend.
    expect(svg.match(/class="outline"/g)).toHaveLength(2);
  });

  test.each(nothing)("%s: says so, with finite numbers", (words, input) => {
    const svg = selectivitySvg(input);
    expectBalanced(svg);
    expect(svg).toContain(`>${words}<`);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("hostile names stay text", () => {
    const svg = selectivitySvg(hostile);
    expectBalanced(svg);
    expect(svg).not.toContain("<script");
    expect(svg.replace(/<metadata>.*<\/metadata>/, "")).not.toMatch(/x{400}/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
    expect(svg).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
    expect(svg).toContain("&lt;script&gt;");
  });
});
