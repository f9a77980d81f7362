import { apartColour, shareColour, signedScale } from "../../src/views/kit/colour.ts";
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

export const largestOf = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

/** A map of both signs over the picture, as the overlay of a text is. */
export function signedOverlay(on: Canvas, size: number, values: readonly number[]): Drawn {
  const { limit, colour } = signedScale(largestOf(values));
  return painted(
    on,
    paintGrid(gridOf(size, values), -limit, limit, (position) => colour((2 * position - 1) * limit)),
  );
}

/** A map from its lowest to its highest value, as that of another method is. */
export function shareOverlay(on: Canvas, size: number, values: readonly number[]): Drawn {
  return painted(on, paintGrid(gridOf(size, values), Math.min(...values), Math.max(...values), shareColour));
}

/** The winners among maps: their overlay, how many patches each wins, and the largest lead. */
export function winnersOf(on: Canvas, size: number, maps: readonly (readonly number[])[]) {
  const counts = maps.map(() => 0);
  let largestMargin = 0;
  for (let i = 0; i < size * size; i++) {
    const values = maps.map((map) => map[i]);
    const [best, next] = [...values].sort((a, b) => b - a);
    counts[values.indexOf(best)]++;
    largestMargin = Math.max(largestMargin, best - next);
  }
  const colours = maps.map((_, i) => apartColour(i));
  const grids = maps.map((map) => gridOf(size, map));
  return {
    overlay: painted(on, paintWinners(grids, colours, largestMargin)),
    counts,
    colours,
    largestMargin,
  };
}

export const faded = (on: Canvas): Drawn => drawn(fadeUnseen(on), on.width, on.height);

export const painted = (on: Canvas, paint: Paint): Drawn => drawn(paintOver(on, paint), on.width, on.height);
