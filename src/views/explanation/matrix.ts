import type { Explanation } from "../../results/explain.ts";
import { colourBar, type SignedScale, signedScale } from "../kit/colour.ts";
import { at, type Drawing, quoted, round, TONES, textLine } from "../kit/svg.ts";
import { decimalsFor, escapeXml, formatCosine, formatError, formatSigned, textWidth } from "../kit/text.ts";
import { baseline, columnLeft, type MatrixGrid, matrixGrid, mlpTop, rowTop } from "./grid.ts";
import { anyBeyond, type RankedHead, rankHeads, sharedLimit, sumsExactly } from "./words.ts";

/** What the columns of heads take together, and about what stands beside them. */
const HEADS_WIDTH = 480;
const BESIDE_HEADS = 160;

/**
 * One text's matrix on a scale of its own, with its colour bar.
 * @param chosen names of heads that are framed instead of the strongest
 * @param room pixels that it should fit in
 */
export function contributionPanel(
  input: Explanation,
  chosen?: ReadonlySet<string>,
  room = Number.POSITIVE_INFINITY,
): Drawing {
  const scale = signedScale(sharedLimit([input]));
  const panel = contributionMatrix(input, scale, Math.min(HEADS_WIDTH, room - BESIDE_HEADS), chosen);
  const bar = colourBar(scale, {
    clipped: anyBeyond([input], scale.limit),
    width: Math.min(320, panel.width),
  });
  const below = panel.height + 24;
  return { width: panel.width, height: below + bar.height, body: panel.body + at(0, below, bar) };
}

/**
 * The layers × heads matrix of one text, without a colour bar: rows are layers, the last on top as nearest to the
 * embedding; then a column of MLPs, with that of a pool of attention at its head and `embed`, where the model starts, at its foot; then each row's sum.
 * @param chosen names of heads that are framed instead of the strongest
 * @param headsWidth what the columns of heads should take together, in pixels; the rest adds about 160
 */
export function contributionMatrix(
  input: Explanation,
  scale: SignedScale,
  headsWidth = HEADS_WIDTH,
  chosen?: ReadonlySet<string>,
): Drawing {
  const grid = matrixGrid(input, headsWidth);
  const decimals = decimalsFor(scale.limit);
  const cosine = `cosine ${formatCosine(input.similarity)}`;
  const titleRoom = grid.width - textWidth(cosine, 14, true) - 16;
  const strongest = strongestFitting(input, grid, decimals);
  const foot = footer(input, strongest, grid, decimals);
  const body = [
    textLine(0, 14, quoted(input.text, titleRoom, 14, true), { size: 14, bold: true }),
    textLine(grid.width, 14, cosine, { size: 14, bold: true, anchor: "end" }),
    axes(grid),
    cells(input, grid, scale, decimals),
    rowSums(input, grid, decimals),
    chosen ? frames(input, chosen, grid) : outlines(strongest, grid, scale),
    foot.body,
  ].join("");
  return { width: grid.width, height: grid.bottom + foot.height, body };
}

function axes(grid: MatrixGrid): string {
  const style = { size: 10, tone: "muted" } as const;
  const labelled = Math.ceil((textWidth(`H${grid.heads - 1}`, 10) + 3) / grid.cellWidth);
  const parts: string[] = [];
  for (let head = 0; head < grid.heads; head += labelled) {
    const x = columnLeft(grid, head) + grid.cellWidth / 2;
    parts.push(textLine(x, (grid.poolTop ?? grid.top) - 6, `H${head}`, { ...style, anchor: "middle" }));
  }
  for (let layer = 0; layer < grid.layers; layer++) {
    const y = baseline(grid, rowTop(grid, layer));
    parts.push(textLine(grid.left - 6, y, `L${layer}`, { ...style, anchor: "end" }));
  }
  const axis = (grid.poolTop ?? grid.top) - 6;
  const beside = (top: number, name: string) =>
    textLine(grid.mlpLeft - 6, baseline(grid, top), name, { ...style, anchor: "end" });
  parts.push(
    textLine(grid.mlpLeft + grid.wide / 2, axis, "MLP", { ...style, anchor: "middle" }),
    textLine(grid.width, axis, "row sum", { ...style, anchor: "end" }),
    beside(grid.embedTop, "embed"),
  );
  if (grid.poolTop !== undefined) parts.push(beside(grid.poolTop, "pool"));
  return parts.join("");
}

/** All coloured cells, over a frame that shows where a head of the grid has no value. */
function cells(input: Explanation, grid: MatrixGrid, scale: SignedScale, decimals: number): string {
  const cell = (x: number, y: number, width: number, name: string, value: number, numbered: boolean) => {
    const number = numbered
      ? textLine(x + width / 2, baseline(grid, y), formatSigned(value, decimals), {
          size: 10,
          anchor: "middle",
          fill: scale.ink(value),
        })
      : "";
    const title = escapeXml(`${name} ${formatSigned(value, decimals + 2)}`);
    return `<g class="cell"><title>${title}</title><rect class="gap" x="${round(x)}" y="${round(y)}" width="${width}" height="${grid.cellHeight}" fill="${scale.colour(value)}" stroke="${TONES.paper}"/>${number}</g>`;
  };
  const frame = `<rect class="frame" x="${grid.left}" y="${grid.top}" width="${grid.heads * grid.cellWidth}" height="${grid.layers * grid.cellHeight}" fill="none" stroke="${TONES.line}"/>`;
  const heads = input.heads.map(({ layer, head, name, value }) =>
    cell(columnLeft(grid, head), rowTop(grid, layer), grid.cellWidth, name, value, grid.roomy),
  );
  const mlps = input.mlps.map(({ component, value }) => {
    return cell(grid.mlpLeft, mlpTop(grid, component), grid.wide, component, value, true);
  });
  return [frame, ...heads, ...mlps].join("");
}

/** The sum of every row, and the line under them. */
function rowSums(input: Explanation, grid: MatrixGrid, decimals: number): string {
  const rows = new Map<number, number>();
  const add = (top: number, value: number) => rows.set(top, (rows.get(top) ?? 0) + value);
  for (const { layer, value } of input.heads) add(rowTop(grid, layer), value);
  for (const { component, value } of input.mlps) add(mlpTop(grid, component), value);
  const lines = [...rows].map(([top, total]) => {
    return textLine(grid.width, baseline(grid, top), formatSigned(total, decimals), {
      size: 10,
      tone: "muted",
      anchor: "end",
    });
  });
  const rule = `<path class="tick" d="M${grid.sumLeft} ${grid.bottom + 4}H${grid.width}" stroke="${TONES.muted}"/>`;
  return lines.join("") + rule;
}

/** Frames around the strongest heads; a small cell has its rank, a roomy one has its number already. */
function outlines(strongest: readonly RankedHead[], grid: MatrixGrid, scale: SignedScale): string {
  const parts = strongest.map(({ layer, head, value }, index) => {
    const x = columnLeft(grid, head);
    const y = rowTop(grid, layer);
    const style = { size: 10, bold: true, anchor: "middle", fill: scale.ink(value) } as const;
    const rank = grid.roomy ? "" : textLine(x + grid.cellWidth / 2, baseline(grid, y), `${index + 1}`, style);
    return `<rect class="outline" x="${x}" y="${y}" width="${grid.cellWidth}" height="${grid.cellHeight}" fill="none" stroke="${TONES.ink}" stroke-width="2"/>${rank}`;
  });
  return parts.join("");
}

/** Frames around heads that were chosen, as on the page: black within white, which shows on every fill. */
function frames({ heads }: Explanation, chosen: ReadonlySet<string>, grid: MatrixGrid): string {
  const frame = (x: number, y: number, inset: number, stroke: string) =>
    `<rect class="chosen" x="${round(x + inset)}" y="${round(y + inset)}" width="${round(grid.cellWidth - 2 * inset)}" height="${round(grid.cellHeight - 2 * inset)}" fill="none" stroke="${stroke}" stroke-width="2"/>`;
  return heads
    .filter(({ name }) => chosen.has(name))
    .map(({ layer, head }) => [columnLeft(grid, head), rowTop(grid, layer)] as const)
    .map(([x, y]) => frame(x, y, 1, TONES.ink) + frame(x, y, 3, TONES.paper))
    .join("");
}

/** Between two entries of the line that names the strongest heads, and within one. */
const ENTRY_GAP = 16;
const NUMBER_GAP = 5;

/** Name and number of a strong head as that line gives them; ranks only where cells have them. */
function entryOf(strong: RankedHead, index: number, grid: MatrixGrid, decimals: number) {
  const name = grid.roomy ? strong.name : `${index + 1} ${strong.name}`;
  return { name, number: formatSigned(strong.value, decimals) };
}

/** The strongest heads: at most five, no more than one line can name, and none whose number is zero. */
function strongestFitting(input: Explanation, grid: MatrixGrid, decimals: number): RankedHead[] {
  let end = -ENTRY_GAP;
  return rankHeads(input)
    .slice(0, grid.roomy ? 3 : 5)
    .filter(({ value }) => Number(Math.abs(value).toFixed(decimals)) !== 0)
    .filter((strong, index) => {
      const { name, number } = entryOf(strong, index, grid, decimals);
      end += ENTRY_GAP + textWidth(name, 11, true) + NUMBER_GAP + textWidth(number, 11);
      return end <= grid.width;
    });
}

const STRONGEST = "strongest heads";

/** Whether the parts add up, and the names of the strongest heads; a narrow matrix has a line more. It is where the cells end. */
function footer(
  input: Explanation,
  strongest: readonly RankedHead[],
  grid: MatrixGrid,
  decimals: number,
): Drawing {
  const { width } = grid;
  const verdict = sumsExactly(input) ? "sums exactly" : "does not add up";
  const sum = `${verdict}: Σ = ${formatCosine(input.sum)}, error ${formatError(input.error)}`;
  const sumLine = textLine(width, grid.bottom + 19, sum, { size: 10, anchor: "end" });
  if (strongest.length === 0) return { width, height: 27, body: sumLine };
  const narrow = textWidth(sum, 10) + textWidth(STRONGEST, 10) + 12 > width;
  const y = narrow ? 36 : 19;
  // One flowing line: whatever font the page has, no entry runs into the next.
  const entries = strongest.map((strong, index) => {
    const { name, number } = entryOf(strong, index, grid, decimals);
    const gap = index === 0 ? 0 : ENTRY_GAP;
    return `<tspan dx="${gap}" font-weight="600">${name}</tspan><tspan dx="${NUMBER_GAP}">${number}</tspan>`;
  });
  const body =
    sumLine +
    textLine(0, grid.bottom + y, STRONGEST, { size: 10, tone: "muted" }) +
    `<text y="${grid.bottom + y + 19}" font-size="11" class="ink" fill="${TONES.ink}">${entries.join("")}</text>`;
  return { width, height: y + 27, body };
}
