import { at, banner, type Drawing, stack, textLine } from "./svg.ts";
import { counted } from "./text.ts";

/** Panels of heads, side by side in rows under a title. */
export interface PanelSheet {
  readonly width: number;
  readonly title: string;
  /** What must be known before it is read. */
  readonly notice: string | null;
  /** What stands between title and panels. */
  readonly lead: Drawing;
  readonly panels: readonly Drawing[];
  readonly columns: number;
  /** Between two panels of a row. */
  readonly gap: number;
  /** Heads that have no panel here. */
  readonly left: number;
}

/** Draws a sheet of panels. */
export function panelSheet({ width, title, notice, lead, panels, columns, gap, left }: PanelSheet): Drawing {
  const rows = Array.from({ length: Math.ceil(panels.length / columns) }, (_, i) =>
    panels.slice(i * columns, (i + 1) * columns),
  );
  const drawn = rows.map((row): Drawing => {
    const places = row.map((_, i) => row.slice(0, i).reduce((x, panel) => x + panel.width + gap, 0));
    const body = row.map((panel, i) => at(places[i], 0, panel)).join("");
    return { width, height: Math.max(...row.map(({ height }) => height)), body };
  });
  const line = (text: string): Drawing => ({
    ...{ width, height: 16 },
    body: textLine(0, 12, text, { tone: "muted" }),
  });
  const rest = `${counted(left, "more head")} stand in the HTML page and the JSON.`;
  const blocks: (readonly [gap: number, drawing: Drawing])[] = [
    [0, { width, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(notice === null ? [] : [[16, banner(notice, width)] as const]),
    [14, lead],
    ...drawn.map((drawing) => [22, drawing] as const),
    ...(left > 0 ? [[16, line(rest)] as const] : []),
    ...(panels.length === 0 ? [[16, line("no heads")] as const] : []),
  ];
  return stack(width, blocks);
}
