import type { Neighbor, NeighborsResult } from "../../results/neighbors.ts";
import { noticeOf } from "../kit/notice.ts";
import {
  at,
  banner,
  type Drawing,
  framedPicture,
  type Picture,
  paragraph,
  quoted,
  round,
  stack,
  svgDocument,
  TONES,
  textLine,
} from "../kit/svg.ts";
import { cleanText, counted, escapeXml, shorten, textWidth } from "../kit/text.ts";
import {
  contextOf,
  fileName,
  formatPercentile,
  meanOf,
  type NeighborsPictures,
  queryName,
  readingOf,
  rowsOf,
  scoreFormat,
  shortenPath,
  titleOf,
} from "./words.ts";

/** Side of a thumbnail (twice a small model's picture, so that its pixels stay square), and of the query. */
const THUMB = 128;
const QUERY_SIDE = 192;
const GAP = 12;
const GUTTER = 36;
const PER_LINE = 8;
/** Where an item's text ends: score, label and file name are under its thumbnail. */
const ITEM_HEIGHT = THUMB + 48;
/** Below this the title and the line that says how to read it would be cramped. */
const MIN_WIDTH = 860;

/**
 * The query, rows of thumbnails with their scores, and where these lie among all, as an SVG document.
 *
 * @example
 * ```ts
 * import { findNeighbors, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { neighborsSvg, thumbnail } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const result = await findNeighbors(model, index, { text: "a red backdrop" }, parseHeads(model, "L1.H0"), { k: 2 });
 * const shown = [...result.neighbors, ...result.least, ...result.random];
 * const files = shown.map(async ({ id, path }) => [id, await thumbnail(`scenes/${path}`, 160)] as const);
 * const pictures = { query: null, pictureOf: new Map(await Promise.all(files)) };
 * const svg = neighborsSvg(result, pictures);
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function neighborsSvg(result: NeighborsResult, pictures: NeighborsPictures): string {
  const notice = noticeOf(result);
  const rows = rowsOf(result);
  const longest = Math.max(0, ...rows.map(([, items]) => items.length));
  const columns = Math.min(PER_LINE, longest);
  const left = QUERY_SIDE + GUTTER;
  const width = Math.max(MIN_WIDTH, left + columns * (THUMB + GAP) - GAP);
  const title = titleOf(result, width - 8, (part) => textWidth(part, 20, true));
  const isEmpty = result.searched === 0;
  const found = isEmpty
    ? { width, height: 44, body: textLine(0, 36, "No image was searched.", { tone: "muted" }) }
    : stack(
        width - left,
        rows.map(([name, items], index) => [
          index === 0 ? 0 : 22,
          rowOf(name, items, scoreFormat(result), pictures.pictureOf, width - left),
        ]),
      );
  const asked = queryOf(result, pictures.query);
  const height = Math.max(asked.height, found.height);
  const reading = readingOf(result);
  const drawing = stack(width, [
    [0, heading(title, result, width)],
    ...(notice === null ? [] : [[16, banner(notice, width)] as const]),
    [22, { width, height, body: at(0, 0, asked) + at(left, 0, found) }],
    ...(isEmpty ? [] : [[30, strip(result, left, width)] as const]),
    [16, paragraph(reading, width, { size: 13 })],
  ]);
  return svgDocument(drawing, `${title}. ${reading}`, result.origin);
}

function heading(title: string, result: NeighborsResult, width: number): Drawing {
  const context = contextOf(result, width, (part) => textWidth(part, 12));
  const body =
    textLine(0, 20, title, { size: 20, bold: true }) + textLine(0, 41, context, { size: 12, tone: "muted" });
  return { width, height: 44, body };
}

/** The picture that was asked about, or the text in quotes where a picture would be. */
function queryOf(result: NeighborsResult, picture: Picture | null): Drawing {
  const { query } = result;
  const title = textLine(0, 13, "query", { size: 13, bold: true });
  if ("image" in query) {
    const name = shorten(queryName(result), QUERY_SIDE, (part) => textWidth(part, 12));
    const body =
      title +
      at(0, 24, thumbnail(picture, QUERY_SIDE)) +
      textLine(0, 24 + QUERY_SIDE + 17, name, { size: 12 });
    return { width: QUERY_SIDE, height: 24 + QUERY_SIDE + 22, body };
  }
  const words = quotation(query.text, QUERY_SIDE - 28);
  const height = Math.max(64, words.height + 28);
  const body =
    title +
    `<rect class="frame" x="0.5" y="24.5" width="${QUERY_SIDE - 1}" height="${height}" rx="4" fill="none" stroke="${TONES.line}"/>` +
    at(14, 24 + (height - words.height) / 2, words);
  return { width: QUERY_SIDE, height: 26 + height, body };
}

/** A text in quotes over a few lines; a word that no line could hold is cut. */
function quotation(text: string, width: number): Drawing {
  const size = 16;
  const room = width - textWidth("“”", size);
  const words = cleanText(text).split(" ");
  const fitting = words.map((word) => shorten(word, room, (part) => textWidth(part, size)));
  return paragraph(quoted(fitting.join(" "), 8 * width, size), width, { size });
}

/** A picture in a square of `side`, whole and in its proportions, or a frame that says that it is gone. */
export function thumbnail(picture: Picture | null, side: number): Drawing {
  if (picture === null) return gone(side);
  const enlarge = side / Math.max(1, picture.width, picture.height);
  const width = round(picture.width * enlarge);
  const height = round(picture.height * enlarge);
  const place = `x="${round((side - width) / 2)}" y="${round((side - height) / 2)}" width="${width}" height="${height}"`;
  return { width: side, height: side, body: framedPicture(picture.png, place, enlarge) };
}

function gone(side: number): Drawing {
  const words = side < 96 ? "gone" : "the file is gone";
  const body =
    `<rect class="frame gone" x="0.5" y="0.5" width="${side - 1}" height="${side - 1}" fill="none" stroke="${TONES.line}" stroke-dasharray="5 4"/>` +
    textLine(side / 2, side / 2 + 4, words, { size: 11, tone: "muted", anchor: "middle" });
  return { width: side, height: side, body };
}

/** A titled row; from the ninth item on it goes on in the next line. */
function rowOf(
  name: string,
  items: readonly Neighbor[],
  format: (value: number) => string,
  pictureOf: NeighborsPictures["pictureOf"],
  width: number,
): Drawing {
  const title = textLine(0, 13, name, { size: 13, bold: true });
  if (items.length === 0) {
    return { width, height: 44, body: title + textLine(0, 36, "no images", { tone: "muted" }) };
  }
  const drawn = items.map((item, index) =>
    at(
      (index % PER_LINE) * (THUMB + GAP),
      24 + Math.floor(index / PER_LINE) * (ITEM_HEIGHT + GAP),
      itemOf(item, pictureOf.get(item.id) ?? null, index + 1, format),
    ),
  );
  const lines = Math.ceil(items.length / PER_LINE);
  return { width, height: 24 + lines * (ITEM_HEIGHT + GAP) - GAP, body: title + drawn.join("") };
}

/** A thumbnail; under it the score with the percentile, the label, and the file's name. */
function itemOf(
  { path, label, score, percentile }: Neighbor,
  picture: Picture | null,
  rank: number,
  format: (value: number) => string,
): Drawing {
  const cut = (text: string, size: number) => shorten(text, THUMB - 4, (part) => textWidth(part, size));
  const share = formatPercentile(percentile);
  const whole = [
    `${rank}. ${shortenPath(path, 200, (part) => part.length)}`,
    ...(label === null ? [] : [shorten(label, 160, () => 1)]),
    `score ${format(score)}, higher than ${share} of the images`,
  ];
  const file = cut(fileName(path), label === null ? 12 : 10);
  const words =
    label === null
      ? textLine(0, THUMB + 32, file, { size: 12, tone: "muted" })
      : textLine(0, THUMB + 32, cut(label, 12)) + textLine(0, THUMB + 46, file, { size: 10, tone: "muted" });
  const body =
    `<g class="item"><title>${escapeXml(whole.join(", "))}</title>${thumbnail(picture, THUMB).body}` +
    textLine(0, THUMB + 17, format(score), { bold: true }) +
    textLine(THUMB, THUMB + 17, share, { size: 11, tone: "muted", anchor: "end" }) +
    `${words}</g>`;
  return { width: THUMB, height: ITEM_HEIGHT, body };
}

/** Height of one row's lane in the strip. */
const LANE = 18;

/** One lane a row, with a tick for every score, over the band of mean ± deviation and the median's line. */
function strip(result: NeighborsResult, left: number, width: number): Drawing {
  const { mean, deviation, least, median, most } = result.distribution;
  const rows = rowsOf(result);
  const room = width - left;
  const x = (value: number) => left + positionOf(value, least, most) * room;
  const top = 44;
  const bottom = top + rows.length * LANE;
  const format = scoreFormat(result);
  const [from, to] = [x(mean - deviation), x(mean + deviation)];
  const key = `grey: mean ${meanOf(result)}; line: median ${format(median)}`;
  const half = textWidth(key, 11) / 2;
  const keyAt = Math.max(left + half, Math.min(width - half, (from + to) / 2));
  const lanes = rows.map(([title, items], index) =>
    lane(
      title,
      items.map(({ score }) => x(score)),
      { left, width, y: top + (index + 0.5) * LANE },
    ),
  );
  const body = [
    textLine(0, 13, `Where these scores lie among those of ${counted(result.searched, "image")}`, {
      size: 13,
      bold: true,
    }),
    `<rect class="track" x="${round(from)}" y="${top}" width="${round(Math.max(1, to - from))}" height="${bottom - top}" fill="#e4e8ed"/>`,
    textLine(keyAt, top - 8, key, { size: 11, tone: "muted", anchor: "middle" }),
    `<path class="tick median" d="M${round(x(median))} ${top}V${bottom}" stroke="${TONES.muted}"/>`,
    ...lanes,
    `<path class="tick" d="M${left + 0.5} ${bottom}v5M${width - 0.5} ${bottom}v5" stroke="${TONES.muted}"/>`,
    textLine(left, bottom + 18, `least ${format(least)}`, { size: 11 }),
    textLine(width, bottom + 18, `most ${format(most)}`, { size: 11, anchor: "end" }),
  ];
  return { width, height: bottom + 22, body: body.join("") };
}

/** Where `value` lies between the ends, 0–1; the middle where they are one. */
function positionOf(value: number, least: number, most: number): number {
  return most > least ? Math.min(1, Math.max(0, (value - least) / (most - least))) : 0.5;
}

function lane(
  title: string,
  ticks: readonly number[],
  { left, width, y }: { left: number; width: number; y: number },
): string {
  const axis = `<path class="frame" d="M${left} ${y}H${width}" stroke="${TONES.line}"/>`;
  const marks = ticks.map((x) => {
    const inside = Math.min(width - 2, Math.max(left, x - 1));
    return `<rect class="ink mark" x="${round(inside)}" y="${y - 6}" width="2" height="12" fill="${TONES.ink}"/>`;
  });
  return axis + marks.join("") + textLine(left - 12, y + 4, title, { size: 11, anchor: "end" });
}
