import { figure, htmlPage } from "../kit/html.ts";
import {
  at,
  banner,
  type Drawing,
  framedPicture,
  type Picture,
  paragraph,
  round,
  stack,
  svgDocument,
  TONES,
  textLine,
} from "../kit/svg.ts";
import { counted, escapeXml, shorten, textWidth } from "../kit/text.ts";

/** A share with its interval. */
export interface MeasuredShare {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How well several methods find things, and what that looks like. */
export interface SegmentationSheetInput {
  readonly model: string;
  readonly source: string;
  readonly images: number;
  /** The columns: what was measured, and how a number of it is to be read. */
  readonly columns: readonly { readonly group: string; readonly title: string }[];
  readonly methods: readonly {
    readonly name: string;
    /** One for each column. */
    readonly measures: readonly MeasuredShare[];
    /** Drawn as a reference, not as a method. */
    readonly isControl: boolean;
  }[];
  /** Best, middle and worst answers of the first method. */
  readonly rows: readonly { readonly title: string; readonly items: readonly SheetItem[] }[];
  readonly notice?: string;
}

/** One class of one image: what the model saw, the map, and how that agrees with the mask. */
export interface SheetItem {
  readonly name: string;
  /** What the model takes the image for. */
  readonly predicted: string;
  readonly iou: number;
  readonly image: Picture;
  readonly map: Picture;
  readonly agreement: Picture;
}

/** Colours of the picture that compares map and mask: both, mask alone, map alone. */
export const AGREEMENT = { both: "#009e73", missed: "#d55e00", wrong: "#56b4e9" } as const;

const WIDTH = 1240;
const NAMES = 210;
const THUMB = 88;
const GAP = 4;
const PER_ROW = 4;

/** The whole sheet as an SVG document. */
export function segmentationSheetSvg(input: SegmentationSheetInput): string {
  const title = titleOf(input);
  const blocks: [gap: number, drawing: Drawing][] = [
    [
      0,
      {
        width: WIDTH,
        height: 24,
        body: textLine(
          0,
          20,
          shorten(title, WIDTH, (part) => textWidth(part, 20, true)),
          { size: 20, bold: true },
        ),
      },
    ],
    ...(input.notice === undefined ? [] : [[14, banner(input.notice, WIDTH)] as [number, Drawing]]),
    [20, dots(input)],
    [12, paragraph(READING, WIDTH, { size: 12, tone: "muted" })],
    [30, keyOf(input)],
    ...input.rows.map((row, i) => [i === 0 ? 14 : 22, answers(row)] as [number, Drawing]),
  ];
  return svgDocument(stack(WIDTH, blocks), `${title}. ${READING}`);
}

/** The sheet as one HTML page that needs nothing beside it, with its numbers as a table. */
export function segmentationSheetHtml(input: SegmentationSheetInput): string {
  const title = escapeXml(titleOf(input));
  const head = input.columns.map(
    ({ group, title: column }) => `<th scope="col" class="n">${escapeXml(`${group}: ${column}`)}</th>`,
  );
  const rows = input.methods.map(({ name, measures }) => {
    const cells = measures.map((measured) => `<td class="n">${inWords(measured)}</td>`);
    return `<tr><th scope="row">${escapeXml(name)}</th>${cells.join("")}</tr>`;
  });
  const table = `<div class="wide"><table><caption>per cent, with 95 % intervals</caption><thead><tr><th scope="col">method</th>${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
  return htmlPage(
    title,
    `${figure(segmentationSheetSvg(input), "Picture of the evaluation; the table below holds its numbers")}
<h2>Numbers</h2>
${table}`,
    "lists",
  );
}

const READING =
  "Dots are values, lines their 95 % intervals over images (bootstrap). The dotted line marks the first method. Gray methods do not look at the image: what they reach is chance. Where things are small pixel accuracy is high for finding nothing, and mAP for any map that is low in most places.";

const KEY =
  "Each: what the model saw; the map, pale to dark; the map above its mean. “Named”: what the whole image is taken for.";

const titleOf = ({ model, source, images }: SegmentationSheetInput): string =>
  `How well maps of ${model} find things: ${counted(images, "image")} of ${source}`;

const percent = (share: number): string => (100 * share).toFixed(1);

/** `68.4 [66.5, 70.1]`. */
export const inWords = ({ value, low, high }: MeasuredShare): string =>
  `${percent(value)} [${percent(low)}, ${percent(high)}]`;

const ROW = 24;
const TOP = 48;

/** A row a method, a column a measure, from 0 to 100 %. */
function dots({ columns, methods }: SegmentationSheetInput): Drawing {
  const room = (WIDTH - NAMES) / columns.length;
  const plot = room - 62;
  const bottom = TOP + methods.length * ROW;
  const parts: string[] = [];
  for (const [c, { group, title }] of columns.entries()) {
    const left = NAMES + c * room;
    const x = (share: number) => round(left + Math.min(1, Math.max(0, share)) * plot);
    if (columns.findIndex((column) => column.group === group) === c)
      parts.push(textLine(left, 13, group, { size: 13, bold: true }));
    parts.push(textLine(left, 32, title, { size: 12, tone: "muted" }));
    for (const mark of [0, 0.5, 1]) {
      parts.push(`<path class="frame" d="M${x(mark)} ${TOP - 6}V${bottom}" stroke="${TONES.line}"/>`);
      parts.push(
        textLine(x(mark), bottom + 13, `${100 * mark}`, { size: 10, tone: "muted", anchor: "middle" }),
      );
    }
    const first = x(methods[0].measures[c].value);
    parts.push(
      `<path class="tick" d="M${first} ${TOP - 6}V${bottom}" stroke="${TONES.muted}" stroke-dasharray="2 2"/>`,
    );
    const best = Math.max(...methods.map(({ measures }) => measures[c].value));
    for (const [m, { measures, isControl }] of methods.entries()) {
      const { value, low, high } = measures[c];
      const y = TOP + (m + 0.5) * ROW;
      const tone = isControl ? "muted" : "ink";
      parts.push(
        `<path class="tick" d="M${x(low)} ${y}H${x(high)}" stroke="${TONES[tone]}" stroke-width="2"/>`,
      );
      parts.push(`<circle class="${tone}" cx="${x(value)}" cy="${y}" r="3.5" fill="${TONES[tone]}"/>`);
      parts.push(
        textLine(left + plot + 46, y + 4, percent(value), {
          size: 12,
          bold: value === best,
          tone,
          anchor: "end",
        }),
      );
    }
  }
  const names = methods.map(({ name, isControl }, m) =>
    textLine(
      0,
      TOP + (m + 0.5) * ROW + 4,
      shorten(name, NAMES - 12, (part) => textWidth(part, 12)),
      { size: 12, tone: isControl ? "muted" : "ink" },
    ),
  );
  return { width: WIDTH, height: bottom + 18, body: names.join("") + parts.join("") };
}

/** What the pictures below show. */
function keyOf({ methods }: SegmentationSheetInput): Drawing {
  const title = textLine(0, 14, `Best, middle and worst of “${methods[0].name}”, each with the true class`, {
    size: 14,
    bold: true,
  });
  const swatches: [string, string][] = [
    [AGREEMENT.both, "mask and map"],
    [AGREEMENT.missed, "mask alone (missed)"],
    [AGREEMENT.wrong, "map alone (wrong)"],
  ];
  let x = textWidth(`${KEY} `, 12);
  let body = textLine(0, 36, KEY, { size: 12, tone: "muted" });
  for (const [colour, words] of swatches) {
    body += `<rect x="${round(x + 6)}" y="26" width="12" height="12" fill="${colour}"/>${textLine(x + 23, 36, words, { size: 12 })}`;
    x += 36 + textWidth(words, 12);
  }
  return { width: WIDTH, height: 42, body: title + body };
}

function answers({ title, items }: SegmentationSheetInput["rows"][number]): Drawing {
  const cell = WIDTH / PER_ROW;
  const height = THUMB + 40;
  const body = items.map((item, i) =>
    at((i % PER_ROW) * cell, 24 + Math.floor(i / PER_ROW) * (height + 8), answer(item, cell - 16)),
  );
  const lines = Math.ceil(items.length / PER_ROW);
  return {
    width: WIDTH,
    height: 24 + lines * (height + 8),
    body: textLine(0, 14, title, { size: 13, bold: true }) + body.join(""),
  };
}

function answer({ name, predicted, iou, image, map, agreement }: SheetItem, width: number): Drawing {
  const pictures = [image, map, agreement].map(({ png, width: own }, i) =>
    framedPicture(png, `x="${i * (THUMB + GAP)}" width="${THUMB}" height="${THUMB}"`, THUMB / own),
  );
  const taken = predicted === name ? "named right" : `named ${predicted}`;
  const words = (text: string, size: number) => shorten(text, width, (part) => textWidth(part, size));
  const body =
    pictures.join("") +
    textLine(0, THUMB + 16, words(`${name}, IoU ${(100 * iou).toFixed(0)} %`, 12)) +
    textLine(0, THUMB + 32, words(taken, 11), { size: 11, tone: "muted" });
  return { width, height: THUMB + 40, body };
}
