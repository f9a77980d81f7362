import type { Explanation } from "../../results/explain.ts";

/** Where everything in a contribution matrix is, in pixels. */
export interface MatrixGrid {
  readonly layers: number;
  readonly heads: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Left edge of the head, MLP and sum columns, and the width of the last two. */
  readonly left: number;
  readonly mlpLeft: number;
  readonly sumLeft: number;
  readonly wide: number;
  readonly width: number;
  /** Top of the row of `pool.MLP`, above the last layer's, where there is one. */
  readonly poolTop: number | undefined;
  /** Top of the last layer's row, top of the row of `embed`, and the end of the cells. */
  readonly top: number;
  readonly embedTop: number;
  readonly bottom: number;
  /** Whether a head's cell has room for its value. */
  readonly roomy: boolean;
}

/**
 * The grid that holds every component of `input`, with cells as large as readable and near square.
 * @param headsWidth what the columns of heads should take together
 */
export function matrixGrid(input: Explanation, headsWidth: number): MatrixGrid {
  const ofMlps = input.mlps.reduce((max, { component }) => Math.max(max, mlpLayer(component) ?? -1), -1);
  const layers = input.heads.reduce((max, { layer }) => Math.max(max, layer), ofMlps) + 1;
  const heads = input.heads.reduce((max, { head }) => Math.max(max, head), -1) + 1;
  const cellWidth = between(16, Math.round(headsWidth / Math.max(1, heads)), 84);
  const cellHeight = between(16, Math.min(cellWidth, Math.round(360 / Math.max(1, layers))), 40);
  const left = 32;
  const wide = 56;
  const axisTop = 46;
  const hasPool = input.mlps.some(({ component }) => component === POOL);
  const top = hasPool ? axisTop + cellHeight + 6 : axisTop;
  const mlpLeft = left + heads * cellWidth + 10;
  const sumLeft = mlpLeft + wide + 4;
  const embedTop = top + layers * cellHeight + 6;
  return {
    layers,
    heads,
    cellWidth,
    cellHeight,
    left,
    mlpLeft,
    sumLeft,
    wide,
    width: sumLeft + wide,
    poolTop: hasPool ? axisTop : undefined,
    top,
    embedTop,
    bottom: embedTop + cellHeight,
    roomy: cellWidth >= 48,
  };
}

/** What a pool of attention adds by its own MLP. */
export const POOL = "pool.MLP";

/** The layer of `L3.MLP`; undefined for `embed` and `pool.MLP`. */
function mlpLayer(component: string): number | undefined {
  const digits = /^L(\d+)\.MLP$/.exec(component)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Top of an MLP term's row. */
export function mlpTop(grid: MatrixGrid, component: string): number {
  const layer = mlpLayer(component);
  if (layer !== undefined) return rowTop(grid, layer);
  return component === POOL ? (grid.poolTop ?? grid.top) : grid.embedTop;
}

/** Top of a layer's row: the last layer is on top. */
export function rowTop(grid: MatrixGrid, layer: number): number {
  return grid.top + (grid.layers - 1 - layer) * grid.cellHeight;
}

/** Left edge of a head's column. */
export function columnLeft(grid: MatrixGrid, head: number): number {
  return grid.left + head * grid.cellWidth;
}

/** Baseline that centres text of 10 px in the row that starts at `top`. */
export function baseline(grid: MatrixGrid, top: number): number {
  return top + grid.cellHeight / 2 + 3.6;
}

function between(low: number, value: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
