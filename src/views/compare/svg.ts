import type { CompareResult, HeadPair } from "../../results/compare.ts";
import type { Head } from "../../results/shapes.ts";
import { shareBar, shareColour, shareInk } from "../kit/colour.ts";
import { box, frame, pale } from "../kit/heat-cells.ts";
import { at, banner, type Drawing, paragraph, stack, svgDocument, TONES, textLine } from "../kit/svg.ts";
import { escapeXml, shorten, textWidth } from "../kit/text.ts";
import { thumbnail } from "../neighbors/svg.ts";
import {
  type ComparePictures,
  captionOf,
  factorsInWords,
  mutualPairs,
  noticeOf,
  score,
  titleOf,
  withInterval,
} from "./words.ts";

const MIN_WIDTH = 940;
const MAX_CELLS_WIDTH = 1080;
const MAX_CELLS_HEIGHT = 800;
const LAYER_GAP = 5;
/** Room for a head's name beside its row. */
const LEFT = 62;
const TOP = 56;
/** Fill of a cell that is not above chance, where cells are too small for a dot. */
const CHANCE = "#f0f2f5";
/** Beyond so many cells they are drawn by colour, without a name each. */
const MANY = 4096;

/**
 * Heads of one model × heads of the other, with the pairs that match best, as an SVG document.
 *
 * @example
 * ```ts
 * import { compareModels, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { compareSvg, thumbnail } from "clip-interpret/views";
 *
 * const sides = [["emoji-4x128-p8", "scenes.index"], ["emoji-6x192-p8", "other.index"]].map(async ([name, folder]) => {
 *   const model = await openModel(name);
 *   return { model, index: await openIndex(model, folder), components: parseHeads(model, "last2") };
 * });
 * const [a, b] = await Promise.all(sides);
 * const result = await compareModels(a, b, { permutations: 5, pairs: 1 });
 * const ends = result.pairs.flatMap(({ axis }) => [...axis.most, ...axis.least]);
 * const files = ends.map(async ({ id, path }) => [id, await thumbnail(`scenes/${path}`, 112)] as const);
 * const pictures = { pictureOf: new Map(await Promise.all(files)) };
 * const svg = compareSvg(result, pictures);
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function compareSvg(result: CompareResult, pictures: ComparePictures): string {
  const map = heatMap(result);
  const width = Math.max(MIN_WIDTH, map.width);
  const title = titleOf(result);
  const notice = noticeOf(result);
  const blocks: (readonly [gap: number, drawing: Drawing])[] = [
    [0, { width, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(notice === null ? [] : [[16, banner(notice, width)] as const]),
    [14, legend(result, width)],
    [18, map],
    [26, pairList(result, pictures, width)],
  ];
  const origin = { ...result.origin, sides: [result.a.origin, result.b.origin] };
  return svgDocument(stack(width, blocks), `${title}. ${captionOf(result)}`, origin);
}

/** Whether there are so many cells that they are drawn by colour, without a name each. */
const isCrowded = ({ a, b }: CompareResult) => a.components.heads.length * b.components.heads.length > MANY;

function legend(result: CompareResult, width: number): Drawing {
  const bar = shareBar(280, "linear CKA", ["0", "0.5", "1"]);
  const proseWidth = width - bar.width - 40;
  const meaning = paragraph(captionOf(result), proseWidth, { size: 13 });
  const sample = { width: 24, height: 14 };
  const key =
    (isCrowded(result) ? box(0.5, 58, sample, "gap", CHANCE) : pale(0.5, 58, sample)) +
    textLine(31, 69, "not above chance", { size: 11 }) +
    box(142, 58, sample, "gap", shareColour(0.5)) +
    frame(142, 58, sample) +
    textLine(173, 69, "each other’s best", { size: 11 });
  const body = at(0, 2, meaning) + at(width - bar.width, 0, { ...bar, body: bar.body + key });
  return { width, height: Math.max(76, meaning.height + 4), body };
}

/** Where heads are: positions of their cells, with a gap between layers. */
function places(heads: readonly Head[], cell: number): number[] {
  let gaps = 0;
  return heads.map((_, i) => {
    if (i > 0 && isFirst(heads, i)) gaps += LAYER_GAP;
    return i * cell + gaps;
  });
}

function heatMap(result: CompareResult): Drawing {
  const { similarity, chance } = result;
  const [headsA, headsB] = [result.a.components.heads, result.b.components.heads];
  const room = Math.min(MAX_CELLS_WIDTH / headsB.length, MAX_CELLS_HEIGHT / headsA.length);
  const cell = Math.max(2, Math.min(28, Math.floor(room)));
  const size = { width: cell, height: cell };
  const across = places(headsB, cell);
  // The first layer at the foot, so that equal depths lie on the rising diagonal.
  const up = places(headsA, cell);
  const height = (up.at(-1) ?? 0) + cell;
  const x = (b: number) => LEFT + across[b];
  const y = (a: number) => TOP + height - cell - up[a];
  let body = axisOf(result, cell, x, y);
  const byColour = new Map<string, string>();
  for (const [a, row] of similarity.entries()) {
    for (const [b, value] of row.entries()) {
      const above = value > chance.highest;
      if (isCrowded(result)) {
        const colour = above ? shareColour(Math.round(value * 48) / 48) : CHANCE;
        const path = `M${x(b)} ${y(a)}h${cell}v${cell}h-${cell}z`;
        byColour.set(colour, (byColour.get(colour) ?? "") + path);
        continue;
      }
      const title = `${headsA[a].name} and ${headsB[b].name}: ${score(value)}${above ? "" : ", not above chance"}`;
      body += `<g class="cell"><title>${escapeXml(title)}</title>${above ? strong(x(b), y(a), value, cell) : pale(x(b), y(a), size)}</g>`;
    }
  }
  for (const [colour, path] of byColour) body += `<path fill="${colour}" d="${path}"/>`;
  const placeOf = (heads: readonly Head[], { name }: Head) => heads.findIndex((head) => head.name === name);
  for (const pair of mutualPairs(result)) {
    const [left, top] = [x(placeOf(headsB, pair.b)), y(placeOf(headsA, pair.a))];
    body += cell < 8 ? ring(left, top, cell) : frame(left, top, size);
  }
  return { width: LEFT + (across.at(-1) ?? 0) + cell, height: TOP + height, body };
}

/** Around a cell that is too small for a frame. */
function ring(x: number, y: number, cell: number): string {
  const circle = (role: string, stroke: string, weight: number) =>
    `<circle class="${role}" cx="${x + cell / 2}" cy="${y + cell / 2}" r="${cell / 2 + 3}" fill="none" stroke="${stroke}" stroke-width="${weight}"/>`;
  return `<g class="outline">${circle("gap", TONES.paper, 4)}${circle("edge", TONES.ink, 1.5)}</g>`;
}

function strong(x: number, y: number, value: number, cell: number): string {
  const number =
    cell >= 24
      ? textLine(x + cell / 2, y + cell / 2 + 3.4, value.toFixed(2).replace(/^0/, ""), {
          ...{ size: 10, anchor: "middle", fill: shareInk(value) },
        })
      : "";
  return box(x, y, { width: cell, height: cell }, "gap", shareColour(value)) + number;
}

/** Names of the heads, or of the layers where cells are small; whose heads are where. */
function axisOf(
  { a, b }: CompareResult,
  cell: number,
  x: (index: number) => number,
  y: (index: number) => number,
): string {
  const muted = { size: 11, tone: "muted" } as const;
  const [headsA, headsB] = [a.components.heads, b.components.heads];
  const room = Math.max(MIN_WIDTH, LEFT + headsB.length * cell) / 2 - 40;
  const [rows, columns] = [a, b].map(({ origin }) => shorten(origin.model.name, room, widthOf(11)));
  let body = textLine(0, 11, `rows: heads of ${rows}   ·   columns: heads of ${columns}`, muted);
  let free = Number.POSITIVE_INFINITY;
  for (const [i, head] of headsA.entries()) {
    const middle = y(i) + cell / 2 + 3.6;
    if (cell >= 11) {
      body += textLine(LEFT - 7, middle, head.name, { size: Math.min(11, cell), anchor: "end" });
    } else if (isFirst(headsA, i) && y(i) + cell <= free) {
      body += textLine(LEFT - 7, y(i) + cell, layerName(head), { size: 11, anchor: "end" });
      free = y(i) + cell - 11;
    }
  }
  free = 0;
  for (const [i, head] of headsB.entries()) {
    // Where layers are narrower than their names, those that would run into the last one are left out.
    if (isFirst(headsB, i) && x(i) >= free) {
      const name = layerName(head);
      body += textLine(x(i), cell >= 18 ? 36 : TOP - 5, name, { size: 11, bold: true });
      free = x(i) + textWidth(name, 11, true) + 4;
    }
    if (cell >= 18)
      body += textLine(x(i) + cell / 2, TOP - 4, `H${head.head}`, { size: 10, anchor: "middle" });
  }
  return body;
}

const isFirst = (heads: readonly Head[], i: number) => i === 0 || heads[i].layer !== heads[i - 1].layer;
const layerName = ({ layer }: Head) => `L${layer}`;
const widthOf =
  (size: number, bold = false) =>
  (part: string) =>
    textWidth(part, size, bold);

const THUMB = 60;
const STEP = THUMB + 6;
const WORDS = 330;

/** One line a pair: its heads, how alike they are, what explains both, and images at the ends of what they share. */
function pairList({ pairs, mutual }: CompareResult, pictures: ComparePictures, width: number): Drawing {
  const title = textLine(0, 13, `The best of ${mutual} pairs that are each other’s best match`, {
    ...{ size: 13, bold: true },
  });
  if (pairs.length === 0) {
    const why = mutual === 0 ? "none is above chance" : "none listed";
    return { width, height: 40, body: title + textLine(0, 36, why, { tone: "muted" }) };
  }
  const note = paragraph(
    "In brackets: the 95 % interval over images. Shares: how much of the first and of the second head’s variance a factor explains, beyond chance. Pictures: the images at the two ends of the axis that both heads share; either end may stand on the left.",
    width,
    { size: 11, tone: "muted" },
  );
  const lines = pairs.map((pair) => [14, pairLine(pair, pictures, width)] as const);
  const list = stack(width, lines);
  return {
    width,
    height: 26 + note.height + list.height,
    body: title + at(0, 22, note) + at(0, 26 + note.height, list),
  };
}

function pairLine(pair: HeadPair, { pictureOf }: ComparePictures, width: number): Drawing {
  const heads = `${pair.a.name} and ${pair.b.name}`;
  const { least, most, share, correlation } = pair.axis;
  const percent = `${Math.round(100 * share)} %`;
  const words = stack(WORDS, [
    [
      0,
      {
        width: WORDS,
        height: 18,
        body:
          textLine(0, 13, heads, { size: 13, bold: true }) +
          textLine(textWidth(heads, 13, true) + 14, 13, withInterval(pair), { size: 13 }),
      },
    ],
    [2, paragraph(`both: ${factorsInWords(pair, 2)}`, WORDS, { size: 11 })],
    [
      0,
      paragraph(`axis: ${percent} of the likeness, r = ${correlation.toFixed(2).replace("-", "−")}`, WORDS, {
        size: 11,
        tone: "muted",
      }),
    ],
  ]);
  const start = WORDS + 20;
  const right = start + least.length * STEP + 34;
  const row = (images: typeof least, from: number) =>
    images.map(({ id }, i) => at(from + i * STEP, 0, thumbnail(pictureOf.get(id) ?? null, THUMB)));
  const pictures = [...row(least, start), ...row(most, right)];
  const line =
    least.length > 0 ? `<path class="tick" d="M${right - 32} ${THUMB / 2}h24" stroke="${TONES.muted}"/>` : "";
  return { width, height: Math.max(THUMB, words.height), body: words.body + pictures.join("") + line };
}
