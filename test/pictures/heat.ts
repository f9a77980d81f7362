import { signedScale } from "../../src/views/kit/colour.ts";
import {
  type Area,
  type Canvas,
  fadeUnseen,
  type Paint,
  paintGrid,
  paintOver,
  paintWinners,
} from "../../src/views/kit/heatmap.ts";
import { type Drawn, drawn, scene } from "./stored-png.ts";

/** A picture with the part of it that the model saw. */
export const canvas = (width: number, height: number, covered: Area): Canvas => ({
  rgb: scene(width, height).rgb,
  ...{ width, height, covered },
});

export const gridOf = (size: number, values: readonly number[]) => ({ rows: size, columns: size, values });

/** Values of a grid whose `from` patch is strongest, falling to either side, below zero far away. */
export function mapOf(size: number, from: { row: number; column: number }, top: number): number[] {
  return Array.from({ length: size * size }, (_, i) => {
    const distance = Math.abs(Math.floor(i / size) - from.row) + Math.abs((i % size) - from.column);
    return Math.round(1e5 * top * (1 - (1.6 * distance) / size)) / 1e5;
  });
}

const largestOf = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

/** A map of both signs over the picture, as the overlay of a text is. */
export function signedOverlay(on: Canvas, size: number, values: readonly number[]): Drawn {
  const { limit, colour } = signedScale(largestOf(values));
  return painted(
    on,
    paintGrid(gridOf(size, values), -limit, limit, (position) => colour((2 * position - 1) * limit)),
  );
}

/** The winners among maps, at full colour where the lead is largest. */
export function winnersOf(on: Canvas, size: number, maps: readonly (readonly number[])[]): Drawn {
  const leads = maps[0].map((_, i) => {
    const [best, next] = maps.map((map) => map[i]).sort((a, b) => b - a);
    return best - next;
  });
  const grids = maps.map((map) => gridOf(size, map));
  return painted(on, paintWinners(grids, Math.max(...leads)));
}

export const faded = (on: Canvas): Drawn => drawn(fadeUnseen(on), on.width, on.height);

export const painted = (on: Canvas, paint: Paint): Drawn => drawn(paintOver(on, paint), on.width, on.height);
