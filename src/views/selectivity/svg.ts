import { isAboveChance } from "../../math/tails.ts";
import type { SelectivityResult } from "../../results/selectivity.ts";
import { shareBar, shareColour, shareInk } from "../kit/colour.ts";
import { box, frame, hatch, pale } from "../kit/heat-cells.ts";
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
  percent,
  type Row,
  signInWords,
  sizeOf,
  strongestHeads,
  writesAway,
} from "./words.ts";

/**
 * Heat map of components × factors, its colour bar, each factor's strongest heads, as an SVG document.
 *
 * @example
 * ```ts
 * import { measureSelectivity, openIndex, openModel } from "clip-interpret";
 * import { selectivitySvg } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const result = await measureSelectivity(model, index, { permutations: 5 });
 * const svg = selectivitySvg(result);
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function selectivitySvg(result: SelectivityResult): string {
  const { model } = result.origin;
  const { grid, panels } = layOut(result);
  const used = panels.length * (grid.panelWidth + PANEL_GAP) - PANEL_GAP;
  const width = Math.max(MIN_WIDTH, used);
  const title = `What each head of ${shorten(model.name, width * 0.5, widthOf(20, true))} responds to`;
  const map = heatMap(result, grid, panels, width);
  const blocks: (readonly [gap: number, drawing: Drawing])[] = [
    [0, { width, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(model.notice === null ? [] : [[16, banner(model.notice, width)] as const]),
    [14, legend(result, grid, width)],
    [24, map],
    [26, summary(result, width)],
  ];
  return svgDocument(stack(width, blocks), `${title}. ${captionOf(result)}`, result.origin);
}

const widthOf =
  (size: number, bold = false) =>
  (part: string) =>
    textWidth(part, size, bold);

function captionOf({ images }: SelectivityResult): string {
  return `Each cell: the share of what a component writes, over ${counted(images, "image")}, that is explained by a factor, beyond what chance explains. 100 %: it varies with this factor and with nothing else; 0: it ignores the factor.`;
}

function heatMap(
  result: SelectivityResult,
  grid: PanelGrid,
  panels: readonly Group[][],
  width: number,
): Drawing {
  if (result.factors.length === 0) {
    return { width, height: 20, body: textLine(0, 14, "no factors", { tone: "muted" }) };
  }
  const strongest = result.factors.map((_, factor) => strongestHeads(result, factor)[0]?.name);
  const body = panels.map((groups, index) =>
    at(index * (grid.panelWidth + PANEL_GAP), 0, panel(result, grid, groups, strongest)),
  );
  const height = grid.top + Math.max(...panels.map((groups) => heightOf(groups, grid)));
  return { width, height, body: body.join("") };
}

/** Some layers with all factors. Frames come last, so that no cell covers one. */
function panel(
  result: SelectivityResult,
  grid: PanelGrid,
  groups: readonly Group[],
  strongest: readonly (string | undefined)[],
): Drawing {
  let y = grid.top;
  let body = factorNames(result, grid);
  let frames = "";
  for (const group of groups) {
    for (const component of group) {
      body += row(result, grid, component, y);
      for (const [factor, name] of strongest.entries()) {
        if (component.isHead && name === component.name)
          frames += frame(grid.left + factor * grid.width, y, grid);
      }
      y += grid.height;
    }
    y += LAYER_GAP;
  }
  return { width: grid.panelWidth, height: y - LAYER_GAP, body: body + frames };
}

function factorNames({ factors }: SelectivityResult, grid: PanelGrid): string {
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

function row(result: SelectivityResult, grid: PanelGrid, component: Row, y: number): string {
  const name = shorten(component.name, grid.left - NAME_GAP, widthOf(grid.text));
  const style = { size: grid.text, anchor: "end", tone: component.isHead ? "ink" : "muted" } as const;
  const label = textLine(grid.left - NAME_GAP, y + grid.height / 2 + grid.text * 0.36, name, style);
  const cells = result.factors.map(({ name: factor, values }, index) => {
    const { share } = component.factors[index];
    const above = isAboveChance(component.factors[index]);
    const sign = signInWords(component.factors[index], values);
    const verdict = above ? sign && `, ${sign}` : ", not above chance";
    const title = escapeXml(`${brief(component.name)}, ${brief(factor)}: ${percent(share)}${verdict}`);
    const away = writesAway(component.factors[index]);
    const x = grid.left + index * grid.width;
    return `<g class="cell"><title>${title}</title>${above ? strong(x, y, share, away, grid) : pale(x, y, grid)}</g>`;
  });
  return label + cells.join("");
}

/** A cell above chance: its colour and, where there is room, its share in per cent; hatched where it writes away. */
function strong(x: number, y: number, share: number, away: boolean, cell: CellStyle): string {
  const style = { size: cell.text, anchor: "middle", fill: shareInk(share) } as const;
  const number = cell.numbered
    ? textLine(
        x + cell.width / 2,
        y + cell.height / 2 + cell.text * 0.36,
        `${away ? "−" : ""}${wholePercent(share)}`,
        style,
      )
    : "";
  const strokes = away ? hatch(x, y, cell, shareInk(share)) : "";
  return box(x, y, cell, "gap", shareColour(share)) + strokes + number;
}

/** Per cent without decimals, for a small cell; what is there but rounds to nothing is `<1`. */
function wholePercent(share: number): string {
  const percent = 100 * share;
  return percent > 0 && percent < 0.5 ? "<1" : String(Math.round(percent));
}

/** How to read the cells: in words at left, the colour bar and the two special cells at right. */
function legend(result: SelectivityResult, { numbered }: CellStyle, width: number): Drawing {
  const bar = shareBar(300);
  const proseWidth = width - bar.width - 40;
  const meaning = paragraph(captionOf(result), proseWidth, { size: 13 });
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
    textLine(173, 67, "factor’s strongest head", { size: 11 }) +
    box(0.5, 76, sample, "gap", shareColour(0.5)) +
    hatch(0.5, 76, sample, shareInk(0.5)) +
    textLine(31, 87, "writes away from the text of what it sees", { size: 11 });
  const body =
    at(0, 2, meaning) +
    at(0, meaning.height + 8, note) +
    at(width - bar.width, 0, { ...bar, body: bar.body + key });
  return { width, height: Math.max(94, meaning.height + 8 + note.height), body };
}

/** One line a factor: what it is and its strongest heads. */
function summary(result: SelectivityResult, width: number): Drawing {
  const nameWidth = Math.min(
    180,
    result.factors.reduce((max, { name }) => Math.max(max, textWidth(cleanText(name), 12, true)), 0),
  );
  const sizes = result.factors.map(sizeOf);
  const sizeLeft = nameWidth + 20;
  const headsLeft = sizeLeft + Math.max(0, ...sizes.map((size) => textWidth(size, 11))) + 24;
  const lines = result.factors.map(({ name }, factor) => {
    const y = 38 + factor * 20;
    return (
      textLine(0, y, shorten(name, nameWidth + 1, widthOf(12, true)), { bold: true }) +
      textLine(sizeLeft, y, sizes[factor], { size: 11, tone: "muted" }) +
      textLine(headsLeft, y, strongestInWords(result, factor, width - headsLeft), { size: 12 })
    );
  });
  const title = textLine(0, 13, "Strongest heads of each factor", { size: 13, bold: true });
  return { width, height: 42 + Math.max(0, lines.length - 1) * 20, body: title + lines.join("") };
}

/** As many of a factor's five strongest heads as fit, with their shares. */
function strongestInWords(result: SelectivityResult, factor: number, width: number): string {
  const heads = strongestHeads(result, factor).slice(0, 5);
  const entries = heads.map(
    ({ name, factors }) =>
      `${writesAway(factors[factor]) ? "−" : ""}${name} ${percent(factors[factor].share)}`,
  );
  let words = entries[0] ?? "none above chance";
  for (const entry of entries.slice(1)) {
    if (textWidth(`${words}   ·   ${entry}`, 12) <= width) words += ` · ${entry}`;
  }
  return words;
}
