import type { SegmentationAnswer, SegmentationEvaluation } from "../../results/segmentation-evaluation.ts";
import { percent } from "../kit/chart.ts";
import {
  at,
  banner,
  type Drawing,
  framedPicture,
  paragraph,
  round,
  stack,
  svgDocument,
  TONES,
  textLine,
} from "../kit/svg.ts";
import { shorten, textWidth } from "../kit/text.ts";
import { AGREEMENT, type AnswerPictures } from "./panels.ts";
import { COLUMNS, isControl, sheetNotice, sheetTitle } from "./words.ts";

/** The pictures of a sheet. */
export interface SheetPictures {
  /** Of every answer of the result, in its order. */
  readonly answers: readonly AnswerPictures[];
}

const WIDTH = 1240;
const NAMES = 210;
const THUMB = 88;
const GAP = 4;
const PER_ROW = 4;

/** The whole sheet as an SVG document. */
export function segmentationSheetSvg(result: SegmentationEvaluation, { answers }: SheetPictures): string {
  const widthOf = (part: string) => textWidth(part, 20, true);
  const room = WIDTH - widthOf(sheetTitle("", result));
  const title = shorten(sheetTitle(shorten(result.origin.model.name, room, widthOf), result), WIDTH, widthOf);
  const notice = sheetNotice(result);
  const shown = result.answers.map((answer, i) => ({ ...answer, pictures: answers[i] }));
  const ranks = [...new Set(shown.map(({ rank }) => rank))];
  const blocks: [gap: number, drawing: Drawing][] = [
    [0, { width: WIDTH, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(notice === null ? [] : [[14, banner(notice, WIDTH)] as [number, Drawing]]),
    [20, dots(result)],
    [12, paragraph(READING, WIDTH, { size: 12, tone: "muted" })],
    ...(ranks.length > 0 ? [[30, keyOf(result)] as [number, Drawing]] : []),
    ...ranks.map((rank, i): [number, Drawing] => [
      i === 0 ? 14 : 22,
      ranked(
        rank,
        shown.filter((answer) => answer.rank === rank),
      ),
    ]),
  ];
  return svgDocument(stack(WIDTH, blocks), `${title}. ${READING}`, result.origin);
}

const READING =
  "Dots are values, lines their 95\u00a0% intervals over images (bootstrap). The dotted line marks the first method. Gray methods do not look at the image: what they reach is chance. Where things are small pixel accuracy is high for finding nothing, and mAP for any map that is low in most places.";

const KEY =
  "Each: what the model saw; the map, pale to dark; the map above its mean. “Named”: what the whole image is taken for.";

const ROW = 24;
const TOP = 48;

/** A row a method, a column a measure, from 0 to 100 %. */
function dots({ methods }: SegmentationEvaluation): Drawing {
  const room = (WIDTH - NAMES) / COLUMNS.length;
  const plot = room - 62;
  const bottom = TOP + methods.length * ROW;
  const parts: string[] = [];
  for (const [c, { group, title, of }] of COLUMNS.entries()) {
    const left = NAMES + c * room;
    const x = (share: number) => round(left + Math.min(1, Math.max(0, share)) * plot);
    if (COLUMNS.findIndex((column) => column.group === group) === c)
      parts.push(textLine(left, 13, group, { size: 13, bold: true }));
    parts.push(textLine(left, 32, title, { size: 12, tone: "muted" }));
    for (const mark of [0, 0.5, 1]) {
      parts.push(`<path class="frame" d="M${x(mark)} ${TOP - 6}V${bottom}" stroke="${TONES.line}"/>`);
      parts.push(
        textLine(x(mark), bottom + 13, `${100 * mark}`, { size: 10, tone: "muted", anchor: "middle" }),
      );
    }
    const first = x(of(methods[0]).value);
    parts.push(
      `<path class="tick" d="M${first} ${TOP - 6}V${bottom}" stroke="${TONES.muted}" stroke-dasharray="2 2"/>`,
    );
    const best = Math.max(...methods.map((method) => of(method).value));
    for (const [m, method] of methods.entries()) {
      const { value, low, high } = of(method);
      const y = TOP + (m + 0.5) * ROW;
      const tone = isControl(method) ? "muted" : "ink";
      parts.push(
        `<path class="tick" d="M${x(low)} ${y}H${x(high)}" stroke="${TONES[tone]}" stroke-width="2"/>`,
      );
      parts.push(`<circle class="${tone}" cx="${x(value)}" cy="${y}" r="3.5" fill="${TONES[tone]}"/>`);
      parts.push(
        textLine(left + plot + 38, y + 4, percent(value), {
          size: 12,
          bold: value === best,
          tone,
          anchor: "end",
        }),
      );
    }
  }
  const names = methods.map((method, m) =>
    textLine(
      0,
      TOP + (m + 0.5) * ROW + 4,
      shorten(method.name, NAMES - 12, (part) => textWidth(part, 12)),
      { size: 12, tone: isControl(method) ? "muted" : "ink" },
    ),
  );
  return { width: WIDTH, height: bottom + 18, body: names.join("") + parts.join("") };
}

/** What the pictures below show. */
function keyOf({ methods }: SegmentationEvaluation): Drawing {
  const title = textLine(0, 14, `Best, middle and worst of “${methods[0].name}”, each with the true class`, {
    size: 14,
    bold: true,
  });
  const swatches: [string, string][] = [
    [AGREEMENT.both, "mask and map"],
    [AGREEMENT.missed, "mask alone (missed)"],
    [AGREEMENT.wrong, "map alone (wrong)"],
    [AGREEMENT.ignored, "not labelled"],
  ];
  let x = textWidth(`${KEY} `, 12);
  let body = textLine(0, 36, KEY, { size: 12, tone: "muted" });
  for (const [colour, words] of swatches) {
    body += `<rect x="${round(x + 6)}" y="26" width="12" height="12" fill="${colour}"/>${textLine(x + 23, 36, words, { size: 12 })}`;
    x += 36 + textWidth(words, 12);
  }
  return { width: WIDTH, height: 42, body: title + body };
}

/** An answer with its pictures. */
type ShownAnswer = SegmentationAnswer & { readonly pictures: AnswerPictures };

function ranked(rank: string, items: readonly ShownAnswer[]): Drawing {
  const cell = WIDTH / PER_ROW;
  const height = THUMB + 40;
  const body = items.map((item, i) =>
    at((i % PER_ROW) * cell, 24 + Math.floor(i / PER_ROW) * (height + 8), answer(item, cell - 16)),
  );
  const lines = Math.ceil(items.length / PER_ROW);
  return {
    width: WIDTH,
    height: 24 + lines * (height + 8),
    body: textLine(0, 14, rank, { size: 13, bold: true }) + body.join(""),
  };
}

function answer({ name, predicted, iou, pictures }: ShownAnswer, width: number): Drawing {
  const { image, map, agreement } = pictures;
  const drawn = [image, map, agreement].map(({ png, width: own }, i) =>
    framedPicture(png, `x="${i * (THUMB + GAP)}" width="${THUMB}" height="${THUMB}"`, THUMB / own),
  );
  const taken = predicted === name ? "named right" : `named ${predicted}`;
  const words = (text: string, size: number) => shorten(text, width, (part) => textWidth(part, size));
  const body =
    drawn.join("") +
    textLine(0, THUMB + 16, words(`${name}, IoU ${(100 * iou).toFixed(0)}\u00a0%`, 12)) +
    textLine(0, THUMB + 32, words(taken, 11), { size: 11, tone: "muted" });
  return { width, height: THUMB + 40, body };
}
