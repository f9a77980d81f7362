/*
 * The drawings of the atlas, each from plain numbers: the same on a page from disk and in the app.
 */
import type {
  AtlasDirection,
  AtlasEntry,
  AtlasFactor,
  AtlasHeadResult,
  AtlasMetricWords,
} from "../../results/atlas.ts";
import { shareBar as scaleBar, shareColour, signedScale } from "../kit/colour.ts";
import { at, type Drawing, FONT_FAMILY, round, TONES, textLine } from "../kit/svg.ts";
import { escapeXml, formatSigned, shorten, textWidth } from "../kit/text.ts";
import { spanCurve } from "../textspan/curve.ts";
import { metricValue, percent } from "./words.ts";

/** Towards, and away from: the ends of the signed scale. */
const { colour } = signedScale(1);
export const TOWARDS = colour(0.75);
export const AWAY = colour(-0.75);

/** A drawing as an SVG element that grows with its place. @param label read to people who cannot see it */
export const svgElement = ({ width, height, body }: Drawing, label: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" font-family="${FONT_FAMILY}" role="img" aria-label="${escapeXml(label)}">${body}</svg>`;

const fitted = (text: string, width: number, size = 11) =>
  shorten(text, width, (part) => textWidth(part, size));

/** How many images have which score; what lies above the mean is of the colour of a high score. */
export function histogram(
  { from, to, counts }: AtlasDirection["histogram"],
  width = 320,
  height = 64,
): Drawing {
  const most = Math.max(1, ...counts);
  const bar = width / counts.length;
  const foot = 14;
  const zero = to > from ? (width * (0 - from)) / (to - from) : 0;
  const bars = counts.map((count, i) => {
    const middle = from + ((i + 0.5) * (to - from)) / counts.length;
    const tall = ((height - foot) * count) / most;
    const fill = middle > 0 ? TOWARDS : AWAY;
    return count === 0
      ? ""
      : `<rect x="${round(i * bar)}" y="${round(height - foot - Math.max(1, tall))}" width="${round(Math.max(0.5, bar - 0.5))}" height="${round(Math.max(1, tall))}" fill="${fill}"/>`;
  });
  const axis = `<path class="frame" d="M0 ${height - foot + 0.5}H${width}" stroke="${TONES.line}"/><path class="tick" d="M${round(zero)} ${height - foot}v4" stroke="${TONES.muted}"/>`;
  const numbers =
    textLine(0, height - 2, formatSigned(from, 3), { size: 10, tone: "muted" }) +
    textLine(width, height - 2, formatSigned(to, 3), { size: 10, tone: "muted", anchor: "end" });
  return { width, height, body: bars.join("") + axis + numbers };
}

/** Where a head looks on average: patches from pale to dark, with the scale below. */
export function lookMap(
  { values }: NonNullable<AtlasHeadResult["look"]>,
  { rows, columns }: AtlasHeadResult["grid"],
  side = 208,
): Drawing {
  const most = Math.max(...values, Number.MIN_VALUE);
  const [width, height] = [side, (side * rows) / Math.max(1, columns)];
  const [w, h] = [width / Math.max(1, columns), height / Math.max(1, rows)];
  const cells = values.map((value, i) => {
    const [x, y] = [(i % columns) * w, Math.floor(i / columns) * h];
    // Half a pixel of overlap keeps the page from shining through.
    return `<rect x="${round(x)}" y="${round(y)}" width="${round(w + 0.5)}" height="${round(h + 0.5)}" fill="${shareColour(value / most)}"/>`;
  });
  const scale = scaleBar(
    side,
    "share of the attention, a patch",
    [0, most / 2, most].map((share) => `${Number((100 * share).toPrecision(2))} %`),
  );
  const below = height + 10;
  return {
    ...{ width: width + 0.5, height: below + scale.height },
    body: cells.join("") + at(0, below, scale),
  };
}

const BAR_ROW = 22;

/** Shares of factors as bars: to the right where the head writes towards what it sees, to the left where away from it. */
export function factorBars(factors: readonly AtlasFactor[], width = 420): Drawing {
  if (factors.length === 0) return { width, height: 0, body: "" };
  const names = 92;
  const notes = 44;
  const signed = factors.some(({ sign }) => sign !== null && sign < 0);
  const room = width - names - notes - 12;
  const zero = names + 12 + (signed ? room / 2 : 0);
  const length = signed ? room / 2 : room;
  const rows = factors.map(({ factor, share, sign, beyondChance }, i) => {
    const y = i * BAR_ROW;
    const long = Math.max(1, length * share);
    const left = sign === -1 ? zero - long : zero;
    const fill = colourOf(sign);
    const pale = beyondChance ? "" : ' opacity="0.4"';
    return (
      textLine(names, y + 15, fitted(factor, names), { size: 11, anchor: "end" }) +
      `<rect x="${round(left)}" y="${y + 4}" width="${round(long)}" height="14" fill="${fill}"${pale}/>` +
      textLine(width, y + 15, percent(share), { size: 11, anchor: "end", tone: "muted" })
    );
  });
  const height = factors.length * BAR_ROW + (signed ? 18 : 0);
  const axis = `<path class="frame" d="M${round(zero)} 0V${factors.length * BAR_ROW}" stroke="${TONES.muted}"/>`;
  const ends = signed
    ? textLine(zero - 6, height - 4, "← away from what it sees", { size: 10, tone: "muted", anchor: "end" }) +
      textLine(zero + 6, height - 4, "towards it →", { size: 10, tone: "muted" })
    : "";
  return { width, height, body: rows.join("") + axis + ends };
}

/** One share on a track of its own, in the colour of its sign. */
export function shareBar({ share, sign }: Pick<AtlasFactor, "share" | "sign">, width = 260): Drawing {
  const height = 8;
  const long = round(Math.max(1, width * share));
  return {
    ...{ width, height },
    body:
      `<rect class="track" width="${width}" height="${height}" rx="4" fill="#e4e8ed"/>` +
      `<rect width="${long}" height="${height}" rx="4" fill="${colourOf(sign)}"/>`,
  };
}

const colourOf = (sign: AtlasFactor["sign"]) => (sign === null ? "#8c959f" : sign > 0 ? TOWARDS : AWAY);

/** Shares that the texts of a page explain together, beside the control and the most that is possible. */
export function textCurve(
  { texts, control }: Pick<AtlasHeadResult, "texts" | "control">,
  width = 380,
  height = 200,
): Drawing {
  return spanCurve(
    {
      explainedVariance: texts.map(({ explained }) => explained),
      control: control && {
        rotated: { mean: control.mean, low: control.low, high: control.high },
        ceiling: control.ceiling,
      },
    },
    width,
    height,
  );
}

/** What a scatter needs of a metric. */
export type ScatterAxis = Pick<AtlasMetricWords, "key" | "name" | "unit">;

/** The place of a scatter's points, for whoever moves them. */
export const SCATTER = { width: 640, height: 400, left: 58, right: 50, top: 12, bottom: 42 } as const;
/** The same on a phone: its words are as large as on a wide screen. */
export const NARROW_SCATTER = { ...SCATTER, width: 358, height: 340 } as const;

/** Size of the names of points, and where a name may stand beside its point, the best first. */
const NAME = 10;
const RADIUS = 6;
const BESIDE = [
  [9, 4, "start"],
  [-9, 4, "end"],
  [0, -10, "middle"],
  [0, 17, "middle"],
] as const;

/** Finds places for names that cover no other name or point; one that has none is said when its point is pointed at. */
function besidePoints(
  points: readonly { readonly name: string; readonly x: number; readonly y: number }[],
  width: number,
): Map<string, (typeof BESIDE)[number]> {
  const taken: (readonly [left: number, top: number, right: number, bottom: number])[] = [];
  const dots = points.map(({ x, y }) => [x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS] as const);
  const found = new Map<string, (typeof BESIDE)[number]>();
  for (const [i, { name, x, y }] of points.entries()) {
    const wide = textWidth(name, NAME);
    for (const place of BESIDE) {
      const [dx, dy, anchor] = place;
      const left = x + dx - { start: 0, middle: wide / 2, end: wide }[anchor];
      const box = [left, y + dy - NAME + 1, left + wide, y + dy + 2] as const;
      const meets = (other: (typeof taken)[number]) =>
        box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3];
      if (box[0] < 0 || box[2] > width || taken.some(meets)) continue;
      if (dots.some((dot, other) => other !== i && meets(dot))) continue;
      taken.push(box);
      found.set(name, place);
      break;
    }
  }
  return found;
}

/**
 * Heads as points over two metrics; those without a value of both are left out.
 * @param href where a head's point leads
 * @param room its size, with what is left free for names and numbers
 */
export function scatter(
  heads: readonly Pick<AtlasEntry, "name" | "layer" | "label" | "metrics">[],
  x: ScatterAxis,
  y: ScatterAxis,
  href: (name: string) => string,
  room: typeof SCATTER | typeof NARROW_SCATTER = SCATTER,
): Drawing {
  const { width, height, left, right, top, bottom } = room;
  const known = heads.filter(({ metrics }) => metrics[x.key] !== null && metrics[y.key] !== null);
  const range = (key: ScatterAxis["key"]) => {
    const values = known.map(({ metrics }) => metrics[key] ?? 0);
    const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
    return most > least ? ([least, most] as const) : ([least, least + 1] as const);
  };
  const [rangeX, rangeY] = [range(x.key), range(y.key)];
  const placeX = (value: number) =>
    left + ((value - rangeX[0]) / (rangeX[1] - rangeX[0])) * (width - left - right);
  const placeY = (value: number) =>
    height - bottom - ((value - rangeY[0]) / (rangeY[1] - rangeY[0])) * (height - top - bottom);
  const layers = Math.max(1, ...heads.map(({ layer }) => layer));
  const places = heads.map(({ name, metrics }) => {
    const [a, b] = [metrics[x.key], metrics[y.key]];
    return { name, hidden: a === null || b === null, x: placeX(a ?? 0), y: placeY(b ?? 0) };
  });
  const nameAt = besidePoints(
    places.filter(({ hidden }) => !hidden),
    width,
  );
  const points = heads.map(({ name, layer, label }, i) => {
    const { hidden, x: px, y: py } = places[i];
    const at = nameAt.get(name);
    const [dx, dy, anchor] = at ?? BESIDE[0];
    const title = `${name}${label ? ` · ${label.label}` : ""}`;
    return (
      `<a href="${escapeXml(href(name))}" data-head="${escapeXml(name)}"${hidden ? ' visibility="hidden"' : ""} ` +
      `transform="translate(${round(px)} ${round(py)})">` +
      `<title>${escapeXml(title)}</title><circle r="6" class="gap" fill="${shareColour(0.25 + (0.65 * layer) / layers)}" stroke="${TONES.paper}"/>` +
      `${textLine(dx, dy, name, { size: NAME, tone: "muted", anchor }).replace("<text ", at ? "<text " : '<text visibility="hidden" ')}</a>`
    );
  });
  const frame =
    `<path class="frame" d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="${TONES.line}"/>` +
    `<path class="frame" data-zero="x" d="M${round(placeX(0))} ${top}V${height - bottom}" stroke="${TONES.line}"/>` +
    `<path class="frame" data-zero="y" d="M${left} ${round(placeY(0))}H${width - right}" stroke="${TONES.line}"/>`;
  const end = (
    name: string,
    px: number,
    py: number,
    value: number,
    of: ScatterAxis,
    anchor: "start" | "end",
  ) =>
    textLine(px, py, metricValue(value, of.unit), { size: 10, tone: "muted", anchor }).replace(
      "<text ",
      `<text data-end="${name}" `,
    );
  const numbers =
    end("x0", left, height - bottom + 15, rangeX[0], x, "start") +
    end("x1", width - right, height - bottom + 15, rangeX[1], x, "end") +
    end("y0", left - 6, height - bottom, rangeY[0], y, "end") +
    end("y1", left - 6, top + 10, rangeY[1], y, "end");
  const names =
    textLine((left + width - right) / 2, height - 8, x.name, { size: 12, anchor: "middle" }).replace(
      "<text ",
      '<text data-axis="x" ',
    ) +
    `<g transform="translate(14 ${round((top + height - bottom) / 2)}) rotate(-90)">${textLine(0, 0, y.name, {
      size: 12,
      anchor: "middle",
    }).replace("<text ", '<text data-axis="y" ')}</g>`;
  return { width, height, body: frame + numbers + names + points.join("") };
}
