import { shareBar, shareColour, shareInk } from "../kit/colour.ts";
import { box, frame, pale } from "../kit/heat-cells.ts";
import { at, banner, type Drawing, paragraph, round, stack, svgDocument, textLine } from "../kit/svg.ts";
import { cleanText, counted, escapeXml, shorten, textWidth } from "../kit/text.ts";
import {
  type CellStyle,
  heightOf,
  LAYER_GAP,
  layOut,
  MIN_WIDTH,
  NAME_GAP,
  PANEL_GAP,
  type PanelGrid,
  SLANTED_LENGTH,
} from "./grid.ts";
import {
  brief,
  type Group,
  isHead,
  percent,
  rankHeads,
  type SelectiveComponent,
  type SelectivityMatrixInput,
  sizeOf,
} from "./words.ts";

/** Heat map of components × factors, its colour bar, each factor's strongest heads, as an SVG document. */
export function selectivityMatrixSvg(input: SelectivityMatrixInput): string {
  const { grid, panels } = layOut(input);
  const used = panels.length * (grid.panelWidth + PANEL_GAP) - PANEL_GAP;
  const width = Math.max(MIN_WIDTH, used);
  const title = `What each head of ${shorten(input.model, width * 0.5, widthOf(20, true))} responds to`;
  const map = heatMap(input, grid, panels, width);
  const blocks: (readonly [gap: number, drawing: Drawing])[] = [
    [0, { width, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(input.notice === undefined ? [] : [[16, banner(input.notice, width)] as const]),
    [14, legend(input, grid, width)],
    [24, map],
    [26, summary(input, width)],
  ];
  return svgDocument(stack(width, blocks), `${title}. ${captionOf(input)}`);
}

const widthOf =
  (size: number, bold = false) =>
  (part: string) =>
    textWidth(part, size, bold);

function captionOf({ images }: SelectivityMatrixInput): string {
  return `Each cell: the share of what a component writes, over ${counted(images, "image")}, that is explained by a factor, beyond what chance explains. 100 %: it varies with this factor and with nothing else; 0: it ignores the factor.`;
}

/** Index of the factor → name of its strongest head, where one is above chance. */
function strongestHeads(input: SelectivityMatrixInput): Map<number, string> {
  return new Map(
    input.factors.flatMap((_, factor) => {
      const best = rankHeads(input, factor).find(({ significant }) => significant[factor]);
      return best === undefined ? [] : [[factor, best.name] as const];
    }),
  );
}

function heatMap(
  input: SelectivityMatrixInput,
  grid: PanelGrid,
  panels: readonly Group[][],
  width: number,
): Drawing {
  if (panels.length === 0 || input.factors.length === 0) {
    const missing = input.factors.length === 0 ? "no factors" : "no components";
    return { width, height: 20, body: textLine(0, 14, missing, { tone: "muted" }) };
  }
  const strongest = strongestHeads(input);
  const body = panels.map((groups, index) =>
    at(index * (grid.panelWidth + PANEL_GAP), 0, panel(input, grid, groups, strongest)),
  );
  const height = grid.top + Math.max(...panels.map((groups) => heightOf(groups, grid)));
  return { width, height, body: body.join("") };
}

/** Some layers with all factors. Frames come last, so that no cell covers one. */
function panel(
  input: SelectivityMatrixInput,
  grid: PanelGrid,
  groups: readonly Group[],
  strongest: ReadonlyMap<number, string>,
): Drawing {
  let y = grid.top;
  let body = factorNames(input, grid);
  let frames = "";
  for (const group of groups) {
    for (const component of group) {
      body += row(input, grid, component, y);
      for (const [factor, name] of strongest) {
        if (name === component.name) frames += frame(grid.left + factor * grid.width, y, grid);
      }
      y += grid.height;
    }
    y += LAYER_GAP;
  }
  return { width: grid.panelWidth, height: y - LAYER_GAP, body: body + frames };
}

function factorNames({ factors }: SelectivityMatrixInput, grid: PanelGrid): string {
  const names = factors.map(({ name }, index) => {
    const x = grid.left + (index + 0.5) * grid.width;
    if (!grid.slanted) {
      return textLine(x, grid.top - 7, shorten(name, grid.width - 4, widthOf(11)), {
        size: 11,
        anchor: "middle",
      });
    }
    const line = textLine(0, 0, shorten(name, SLANTED_LENGTH, widthOf(11)), { size: 11 });
    return `<g transform="translate(${round(x + 3)} ${round(grid.top - 5)}) rotate(-45)">${line}</g>`;
  });
  return names.join("");
}

function row(
  input: SelectivityMatrixInput,
  grid: PanelGrid,
  component: SelectiveComponent,
  y: number,
): string {
  const name = shorten(component.name, grid.left - NAME_GAP, widthOf(grid.text));
  const style = { size: grid.text, anchor: "end", tone: isHead(component.name) ? "ink" : "muted" } as const;
  const label = textLine(grid.left - NAME_GAP, y + grid.height / 2 + grid.text * 0.36, name, style);
  const cells = input.factors.map(({ name: factor }, index) => {
    const share = component.shares[index];
    const above = component.significant[index];
    const verdict = above ? "" : ", not above chance";
    const title = escapeXml(`${brief(component.name)}, ${brief(factor)}: ${percent(share)}${verdict}`);
    const x = grid.left + index * grid.width;
    return `<g class="cell"><title>${title}</title>${above ? strong(x, y, share, grid) : pale(x, y, grid)}</g>`;
  });
  return label + cells.join("");
}

/** A cell above chance: its colour and, where there is room, its share in per cent. */
function strong(x: number, y: number, share: number, cell: CellStyle): string {
  const style = { size: cell.text, anchor: "middle", fill: shareInk(share) } as const;
  const number = cell.numbered
    ? textLine(x + cell.width / 2, y + cell.height / 2 + cell.text * 0.36, wholePercent(share), style)
    : "";
  return box(x, y, cell, "gap", shareColour(share)) + number;
}

/** Per cent without decimals, for a small cell; what is there but rounds to nothing is `<1`. */
function wholePercent(share: number): string {
  const percent = 100 * share;
  return percent > 0 && percent < 0.5 ? "<1" : String(Math.round(percent));
}

/** How to read the cells: in words at left, the colour bar and the two special cells at right. */
function legend(input: SelectivityMatrixInput, { numbered }: CellStyle, width: number): Drawing {
  const bar = shareBar(300);
  const proseWidth = width - bar.width - 40;
  const meaning = paragraph(captionOf(input), proseWidth, { size: 13 });
  const rows =
    "Rows are components, the last layer on top: heads (L3.H1 is head 1 of layer 3), MLPs, and embedding, the sum of all.";
  const notes = numbered ? `${rows} Numbers are per cent.` : rows;
  const note = paragraph(notes, proseWidth, { size: 11, tone: "muted" });
  const sample: CellStyle = { width: 24, height: 14, numbered: true, text: 10 };
  const key =
    pale(0.5, 56, sample) +
    textLine(31, 67, "not above chance", { size: 11 }) +
    box(142, 56, sample, "gap", shareColour(0.5)) +
    frame(142, 56, sample) +
    textLine(173, 67, "factor’s strongest head", { size: 11 });
  const body =
    at(0, 2, meaning) +
    at(0, meaning.height + 8, note) +
    at(width - bar.width, 0, { ...bar, body: bar.body + key });
  return { width, height: Math.max(74, meaning.height + 8 + note.height), body };
}

/** One line a factor: what it is and its strongest heads. */
function summary(input: SelectivityMatrixInput, width: number): Drawing {
  const nameWidth = Math.min(
    180,
    input.factors.reduce((max, { name }) => Math.max(max, textWidth(cleanText(name), 12, true)), 0),
  );
  const sizes = input.factors.map(sizeOf);
  const sizeLeft = nameWidth + 20;
  const headsLeft = sizeLeft + Math.max(0, ...sizes.map((size) => textWidth(size, 11))) + 24;
  const lines = input.factors.map(({ name }, factor) => {
    const y = 38 + factor * 20;
    return (
      textLine(0, y, shorten(name, nameWidth + 1, widthOf(12, true)), { bold: true }) +
      textLine(sizeLeft, y, sizes[factor], { size: 11, tone: "muted" }) +
      textLine(headsLeft, y, strongestInWords(input, factor, width - headsLeft), { size: 12 })
    );
  });
  const title = textLine(0, 13, "Strongest heads of each factor", { size: 13, bold: true });
  return { width, height: 42 + Math.max(0, lines.length - 1) * 20, body: title + lines.join("") };
}

/** As many of a factor's five strongest heads as fit, with their shares. */
function strongestInWords(input: SelectivityMatrixInput, factor: number, width: number): string {
  const heads = rankHeads(input, factor).filter(({ significant }) => significant[factor]);
  const entries = heads.slice(0, 5).map(({ name, shares }) => `${name} ${percent(shares[factor])}`);
  let words = entries[0] ?? "none above chance";
  for (const entry of entries.slice(1)) {
    if (textWidth(`${words}   ·   ${entry}`, 12) <= width) words += ` · ${entry}`;
  }
  return words;
}
