/** Lines, bands and dots over axes, drawn from plain numbers. Shares go from 0 to 1 and are written in per cent. */
import { apart } from "./colour.ts";
import { type Drawing, round, TONES, textLine } from "./svg.ts";
import { shorten, textWidth } from "./text.ts";

/** The grey of what is drawn at random. */
const BAND = "#8c959f";

/** A line over whole numbers; null where it has no value, and a gap. */
export interface Line {
  readonly name: string;
  readonly series: number;
  readonly values: readonly (number | null)[];
  /** Positions that are marked with a ring. */
  readonly marked?: readonly number[];
}

/** Values between which most random draws lie, at whole numbers; null where there are none. */
export type Band = readonly ({ readonly low: number; readonly mean: number; readonly high: number } | null)[];

/** A chart of shares over whole numbers from `from` on. */
export interface LineChart {
  readonly title: string;
  readonly xTitle: string;
  readonly from: number;
  readonly lines: readonly Line[];
  readonly band: Band;
  readonly bandName: string;
  /** A level that holds everywhere, such as chance. */
  readonly level?: { readonly name: string; readonly value: number };
  readonly width: number;
  readonly height: number;
}

const LEFT = 44;
const TOP = 46;
const LINE_KEY = 17;

/** Draws a chart with its legend below. */
export function lineChart(chart: LineChart): Drawing {
  const { title, xTitle, from, lines, band, bandName, level, width, height } = chart;
  const count = Math.max(2, ...lines.map(({ values }) => values.length), band.length);
  const right = width - 12;
  const x = (i: number) => LEFT + 10 + (i * (right - LEFT - 20)) / (count - 1);
  const y = (share: number) => TOP + (1 - share) * height;
  let body = textLine(0, 13, title, { size: 13, bold: true });
  body += textLine(0, 31, "accuracy", { size: 11, tone: "muted" });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    body += `<path class="frame" d="M${LEFT} ${round(y(share))}H${round(right)}" stroke="${TONES.line}" fill="none"/>`;
    body += textLine(LEFT - 6, y(share) + 4, `${100 * share} %`, { size: 11, anchor: "end", tone: "muted" });
  }
  const step = Math.ceil(count / 13);
  for (let i = 0; i < count; i += step) {
    body += textLine(x(i), TOP + height + 17, String(from + i), {
      size: 11,
      anchor: "middle",
      tone: "muted",
    });
  }
  body += textLine((LEFT + right) / 2, TOP + height + 34, xTitle, {
    size: 11,
    anchor: "middle",
    tone: "muted",
  });
  body += bandShape(band, x, y);
  if (level) {
    body += `<path class="tick" d="M${LEFT} ${round(y(level.value))}H${round(right)}" stroke="${TONES.muted}" stroke-dasharray="1 4" stroke-width="1.5" fill="none"/>`;
    body += textLine(LEFT + 4, y(level.value) - 4, level.name, { size: 10, tone: "muted" });
  }
  for (const line of lines) body += lineShape(line, x, y);
  const key = keyOf(lines, band.some((at) => at !== null) ? bandName : undefined, width);
  body += `<g transform="translate(0 ${TOP + height + 46})">${key.body}</g>`;
  return { width, height: TOP + height + 46 + key.height, body };
}

type Scale = (value: number) => number;

/** What follows on another without a gap, with the positions. */
function runs<T>(values: readonly (T | null)[]): { readonly at: number; readonly value: T }[][] {
  const found: { at: number; value: T }[][] = [[]];
  for (const [at, value] of values.entries()) {
    if (value === null) found.push([]);
    else found[found.length - 1].push({ at, value });
  }
  return found.filter((run) => run.length > 0);
}

function bandShape(band: Band, x: Scale, y: Scale): string {
  return runs(band)
    .map((run) => {
      const point = (at: number, share: number) => `${round(x(at))} ${round(y(share))}`;
      const up = run.map(({ at, value: { high } }) => point(at, high));
      const down = [...run].reverse().map(({ at, value: { low } }) => point(at, low));
      const mean = run.map(({ at, value }) => point(at, value.mean));
      const single =
        run.length === 1
          ? `<path d="M${up[0]}L${down[0]}" stroke="${BAND}" stroke-width="6" opacity="0.3"/>`
          : "";
      return `${single}<path d="M${[...up, ...down].join("L")}Z" fill="${BAND}" opacity="0.25"/><path d="M${mean.join("L")}" fill="none" stroke="${BAND}" stroke-width="1.5"/>`;
    })
    .join("");
}

function lineShape({ series, values, marked = [] }: Line, x: Scale, y: Scale): string {
  const { colour, dash } = apart(series);
  const path = runs(values).map((run) => {
    const points = run.map(({ at, value }) => `${round(x(at))} ${round(y(value))}`);
    return `<path d="M${points.join("L")}" fill="none" stroke="${colour}" stroke-width="2"${dash ? ` stroke-dasharray="${dash}"` : ""}/>`;
  });
  const dots = values.map((value, i) =>
    value === null
      ? ""
      : `<circle cx="${round(x(i))}" cy="${round(y(value))}" r="2.5" fill="${colour}"/>` +
        (marked.includes(i)
          ? `<circle cx="${round(x(i))}" cy="${round(y(value))}" r="${5 + 2 * series}" fill="none" stroke="${colour}" stroke-width="2"/>`
          : ""),
  );
  return [...path, ...dots].join("");
}

function keyOf(lines: readonly Line[], bandName: string | undefined, width: number): Drawing {
  const room = width - 36;
  const entries = lines.map(({ name, series }, i) => {
    const { colour, dash } = apart(series);
    const stroke = `<path d="M0 ${i * LINE_KEY + 8}h24" stroke="${colour}" stroke-width="2"${dash ? ` stroke-dasharray="${dash}"` : ""}/>`;
    const label = shorten(name, room, (part) => textWidth(part, 11));
    return stroke + textLine(32, i * LINE_KEY + 12, label, { size: 11 });
  });
  if (bandName !== undefined) {
    const at = lines.length * LINE_KEY;
    entries.push(
      `<rect y="${at + 3}" width="24" height="10" fill="${BAND}" opacity="0.25"/><path d="M0 ${at + 8}h24" stroke="${BAND}" stroke-width="1.5"/>` +
        textLine(
          32,
          at + 12,
          shorten(bandName, room, (part) => textWidth(part, 11)),
          { size: 11 },
        ),
    );
  }
  return { width, height: entries.length * LINE_KEY, body: entries.join("") };
}

/** One line of a dot chart: a share with its interval, perhaps what it was before, perhaps random draws behind. */
export interface DotRow {
  readonly name: string;
  readonly value: { readonly share: number; readonly low: number; readonly high: number };
  readonly before?: { readonly share: number };
  readonly random?: { readonly low: number; readonly mean: number; readonly high: number } | null;
  /** Written at the right. */
  readonly note: string;
  /** A head above this line. */
  readonly head?: string;
}

/** Rows of dots on one axis of shares. */
export function dotChart(
  rows: readonly DotRow[],
  { width, names, notes }: { readonly width: number; readonly names: number; readonly notes: number },
): Drawing {
  const [left, right] = [names + 12, width - notes - 12];
  const x = (share: number) => left + share * (right - left);
  const ROW = 19;
  let y = 20;
  let body = "";
  for (const { name, value, before, random, note, head } of rows) {
    if (head !== undefined) {
      body += textLine(0, y + 20, head, { size: 12, bold: true });
      y += 28;
    }
    const middle = y + ROW / 2;
    body += textLine(
      names,
      middle + 4,
      shorten(name, names, (part) => textWidth(part, 11)),
      { size: 11, anchor: "end" },
    );
    body += `<rect class="track" x="${round(left)}" y="${round(middle - 1)}" width="${round(right - left)}" height="2" fill="#eef1f4"/>`;
    if (random) {
      body += `<rect x="${round(x(random.low))}" y="${round(middle - 6)}" width="${round(Math.max(1, x(random.high) - x(random.low)))}" height="12" fill="${BAND}" opacity="0.25"/>`;
      body += `<path d="M${round(x(random.mean))} ${round(middle - 6)}v12" stroke="${BAND}" stroke-width="1.5"/>`;
    }
    const { colour } = apart(0);
    if (before) {
      body += `<path d="M${round(x(before.share))} ${round(middle)}H${round(x(value.share))}" stroke="${colour}" stroke-width="2" opacity="0.5"/>`;
      body += `<circle class="paper" cx="${round(x(before.share))}" cy="${round(middle)}" r="4" fill="${TONES.paper}" stroke="${apart(1).colour}" stroke-width="2"/>`;
    }
    body += `<path d="M${round(x(value.low))} ${round(middle)}H${round(x(value.high))}" stroke="${colour}" stroke-width="1.5"/>`;
    body += `<circle cx="${round(x(value.share))}" cy="${round(middle)}" r="4" fill="${colour}"/>`;
    body += textLine(
      right + 12,
      middle + 4,
      shorten(note, notes, (part) => textWidth(part, 11)),
      { size: 11, tone: "muted" },
    );
    y += ROW;
  }
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<path class="frame" d="M${round(x(share))} 16V${y}" stroke="${TONES.line}"/>` +
      textLine(x(share), 11, `${100 * share} %`, { size: 11, anchor: "middle", tone: "muted" }),
  );
  return { width, height: y, body: grid.join("") + body };
}

/** A share in per cent with one decimal and a true minus, without the sign for per cent: for tables. */
export function percent(share: number): string {
  const digits = Math.abs(100 * share).toFixed(1);
  return share < 0 && Number(digits) !== 0 ? `−${digits}` : digits;
}

/** A share in per cent with one decimal; the space before the sign is one that no line breaks at. */
export const percentOf = (share: number): string => `${percent(share)}\u00a0%`;
