import { round, TONES } from "./svg.ts";

/** How large the cells of a heat map are, in pixels. */
export interface CellSize {
  readonly width: number;
  readonly height: number;
}

/** A cell not above chance: a dot, whatever its share. */
export function pale(x: number, y: number, cell: CellSize): string {
  const radius = cell.width >= 24 ? 1.5 : 1;
  const dot = `<circle class="muted" cx="${round(x + cell.width / 2)}" cy="${round(y + cell.height / 2)}" r="${radius}" fill="${TONES.muted}"/>`;
  return box(x, y, cell, "gap track", "#f0f2f5") + dot;
}

export function box(x: number, y: number, { width, height }: CellSize, role: string, fill: string): string {
  return `<rect class="${role}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" fill="${fill}" stroke="${TONES.paper}"/>`;
}

/** Strokes across a cell, from the lower left to the upper right: what is true of it holds the other way round. */
export function hatch(x: number, y: number, { width, height }: CellSize, stroke: string): string {
  const GAP = 6;
  let path = "";
  // Each stroke starts `from` right of the lower left corner and rises at 45°; what lies outside the cell is cut.
  for (let from = GAP / 2 - Math.floor(height / GAP) * GAP; from < width; from += GAP) {
    const [start, end] = [Math.max(0, -from), Math.min(height, width - from)];
    path += `M${round(x + from + start)} ${round(y + height - start)}L${round(x + from + end)} ${round(y + height - end)}`;
  }
  return `<path class="hatch" d="${path}" fill="none" stroke="${stroke}" stroke-opacity="0.35"/>`;
}

/** A frame that shows on any cell and any page: dark with a light line inside, or the reverse. */
export function frame(x: number, y: number, { width, height }: CellSize): string {
  const lines = [
    { role: "edge", inset: 0, stroke: TONES.ink, weight: 2 },
    { role: "gap", inset: 1.5, stroke: TONES.paper, weight: 1 },
  ].map(
    ({ role, inset, stroke, weight }) =>
      `<rect class="${role}" x="${round(x + inset)}" y="${round(y + inset)}" width="${round(width - 2 * inset)}" height="${round(height - 2 * inset)}" fill="none" stroke="${stroke}" stroke-width="${weight}"/>`,
  );
  return `<g class="outline">${lines.join("")}</g>`;
}
