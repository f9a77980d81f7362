import type { AtlasMetricWords, AtlasResult } from "../../results/atlas.ts";
import { shareColour, shareInk, signedScale } from "../kit/colour.ts";
import { at, banner, type Drawing, paragraph, round, stack, svgDocument, textLine } from "../kit/svg.ts";
import { shorten, textWidth } from "../kit/text.ts";
import { SCATTER, scatter } from "./drawings.ts";
import { captionOf, metricValue, titleOf } from "./words.ts";

/** What the picture of an atlas shows. */
export interface AtlasShownBy {
  /** What squares are coloured by. */
  readonly metric: AtlasMetricWords;
  readonly x: AtlasMetricWords;
  readonly y: AtlasMetricWords;
}

/** How a value is painted: signed ones red and blue, others pale to dark; null where a head has none. */
export function metricPaint(
  heads: AtlasResult["heads"],
  { key, unit }: AtlasMetricWords,
): (value: number | null) => { readonly fill: string; readonly ink: string } | null {
  const values = heads.flatMap(({ metrics }) => metrics[key] ?? []);
  const most = Math.max(...values.map(Math.abs), 0) || 1;
  const signed = signedScale(most);
  return (value) => {
    if (value === null) return null;
    if (unit.startsWith("signed")) return { fill: signed.colour(value), ink: signed.ink(value) };
    // A p that is small says more than one that is large.
    const share = 0.85 * (unit === "p" ? 1 - value : value / most);
    return { fill: shareColour(share), ink: shareInk(share) };
  };
}

const WIDTH = SCATTER.width;

/** Every head at a glance as an SVG document: a square each, rows by layer, and points over two metrics. */
export function atlasSvg(atlas: AtlasResult, { metric, x, y }: AtlasShownBy): string {
  const { notice } = atlas.origin.model;
  const title = shorten(titleOf(atlas), WIDTH, (part) => textWidth(part, 20, true));
  const heading = (text: string): Drawing => paragraph(text, WIDTH, { size: 13, bold: true });
  const drawing = stack(WIDTH, [
    [0, { width: WIDTH, height: 26, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(notice === null ? [] : [[12, banner(notice, WIDTH)] as const]),
    [10, paragraph(captionOf(atlas), WIDTH, { size: 13 })],
    [18, heading(`By layer: ${metric.name}`)],
    [6, squares(atlas, metric)],
    [22, heading(`${y.name} over ${x.name}`)],
    [6, scatter(atlas.heads, x, y, () => "#")],
  ]);
  // Links lead nowhere from a file.
  const body = drawing.body.replaceAll('<a href="#" ', "<g ").replaceAll("</a>", "</g>");
  return svgDocument({ ...drawing, body }, title, atlas.origin);
}

function squares({ layers, headsPerLayer, heads }: AtlasResult, metric: AtlasMetricWords): Drawing {
  const paint = metricPaint(heads, metric);
  const left = 34;
  const size = Math.min(64, (WIDTH - left) / headsPerLayer);
  const tall = Math.min(32, size);
  const cells = heads.map(({ layer, head, metrics }) => {
    const value = metrics[metric.key];
    const colours = paint(value);
    const [px, py] = [left + head * size, 16 + (layers - 1 - layer) * tall];
    const said = metricValue(value, metric.unit);
    const fits = textWidth(said, 11) < size - 4;
    const square = `<rect class="gap" x="${round(px)}" y="${round(py)}" width="${round(size)}" height="${round(tall)}" fill="${colours?.fill ?? "none"}" stroke="#ffffff"/>`;
    if (!fits) return square;
    const style = { size: 11, anchor: "middle", ...(colours && { fill: colours.ink }) } as const;
    return square + textLine(px + size / 2, py + tall / 2 + 4, said, style);
  });
  const columns = Array.from({ length: headsPerLayer }, (_, head) =>
    textLine(left + (head + 0.5) * size, 11, `H${head}`, { size: 10, tone: "muted", anchor: "middle" }),
  );
  const rows = Array.from({ length: layers }, (_, layer) =>
    textLine(left - 6, 16 + (layers - 0.5 - layer) * tall + 4, `L${layer}`, {
      size: 10,
      tone: "muted",
      anchor: "end",
    }),
  );
  const body = [...cells, ...columns, ...rows].join("");
  return { width: WIDTH, height: 16 + layers * tall, body: at(0, 0, { width: 0, height: 0, body }) };
}
