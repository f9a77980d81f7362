import type { SelectivityResult } from "../../results/selectivity.ts";
import { cleanText, textWidth } from "../kit/text.ts";
import { type Group, groupsOf } from "./words.ts";

const MAX_WIDTH = 1480;
const MAX_HEIGHT = 900;
export const MIN_WIDTH = 760;
export const PANEL_GAP = 36;
/** Between two layers, and beside a row's name. */
export const LAYER_GAP = 5;
export const NAME_GAP = 7;

/** How large cells are, and whether they have room for their numbers. */
export interface CellStyle {
  readonly width: number;
  readonly height: number;
  readonly numbered: boolean;
  readonly text: number;
}

/** Where everything in a panel is. */
export interface PanelGrid extends CellStyle {
  readonly left: number;
  readonly top: number;
  readonly panelWidth: number;
  /** Whether the factors' names lie above their columns at an angle. */
  readonly slanted: boolean;
}

/** The largest cells with which all rows fit the page, in as many panels side by side as that takes. */
export function layOut(result: SelectivityResult): { grid: PanelGrid; panels: Group[][] } {
  const groups = groupsOf(result);
  const longest = result.factors.reduce((max, { name }) => Math.max(max, textWidth(cleanText(name), 11)), 0);
  // A few factors may have all of the width for their names.
  const widest = Math.max(92, Math.min(180, (MIN_WIDTH - 80) / Math.max(1, result.factors.length)));
  const styles: CellStyle[] = [
    { width: Math.min(widest, Math.max(52, longest + 10)), height: 24, numbered: true, text: 11 },
    { width: 34, height: 16, numbered: true, text: 10 },
    { width: 28, height: 10, numbered: false, text: 8 },
  ];
  const fits = ({ grid, panels }: { grid: PanelGrid; panels: Group[][] }) =>
    panels.every((panel) => heightOf(panel, grid) <= MAX_HEIGHT);
  const layouts = styles.map((style) => {
    const grid = gridOf(result, groups, style, longest);
    return { grid, panels: intoPanels(groups, grid) };
  });
  return layouts.find(fits) ?? layouts[layouts.length - 1];
}

function gridOf(
  { factors }: SelectivityResult,
  groups: readonly Group[],
  style: CellStyle,
  longest: number,
): PanelGrid {
  const slanted = longest + 6 > style.width;
  const names = groups.flat().map(({ name }) => textWidth(cleanText(name), style.text));
  const left = Math.min(110, Math.max(24, ...names) + NAME_GAP);
  // Slanted names rise at 45° and reach beyond the last column.
  const reach = slanted ? Math.min(SLANTED_LENGTH, longest) * Math.SQRT1_2 : 0;
  const beyond = Math.max(0, reach - style.width / 2 + 6);
  return {
    ...style,
    left,
    top: slanted ? reach + 14 : 20,
    panelWidth: left + factors.length * style.width + beyond,
    slanted,
  };
}

/** Longest name of a factor at an angle, in pixels; more is cut. */
export const SLANTED_LENGTH = 110;

export function heightOf(panel: readonly Group[], { height }: CellStyle): number {
  const rows = panel.reduce((total, group) => total + group.length, 0);
  return rows * height + Math.max(0, panel.length - 1) * LAYER_GAP;
}

/** Whole layers in panels about equally high: as few as the height allows, no more than the width holds. */
function intoPanels(groups: readonly Group[], grid: PanelGrid): Group[][] {
  const total = heightOf(groups, grid);
  const most = Math.max(1, Math.floor((MAX_WIDTH + PANEL_GAP) / (grid.panelWidth + PANEL_GAP)));
  const count = Math.min(most, Math.max(1, Math.ceil(total / MAX_HEIGHT)));
  let limit = total / count;
  let panels = filled(groups, grid, limit);
  while (panels.length > count) {
    limit += grid.height;
    panels = filled(groups, grid, limit);
  }
  return panels;
}

/** Panels filled in order, each up to `limit` or one group. */
function filled(groups: readonly Group[], style: CellStyle, limit: number): Group[][] {
  const panels: Group[][] = [];
  for (const group of groups) {
    const last = panels.at(-1);
    if (last !== undefined && heightOf([...last, group], style) <= limit) last.push(group);
    else panels.push([group]);
  }
  return panels;
}
