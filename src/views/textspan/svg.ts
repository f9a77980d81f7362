import type { Span } from "../../results/textspan.ts";
import { panelSheet } from "../kit/panel-sheet.ts";
import { at, type Drawing, paragraph, round, svgDocument, TONES, textLine } from "../kit/svg.ts";
import { counted, shorten, textWidth } from "../kit/text.ts";
import { curveKey, spanCurve, TEXT_COLOUR } from "./curve.ts";
import {
  type AnyTextspan,
  captionOf,
  isResampled,
  noticeOf,
  percent,
  spansOf,
  titleOf,
  verdictOf,
} from "./words.ts";

const WIDTH = 1416;
const PANEL_GAP = 36;
const ROW = 19;
/** A picture of more heads than this would be too long to look at. */
const MOST_PANELS = 64;
const BAR_WIDTH = 72;

/** How a head is drawn: its width, how many texts, how wide the curve. The page has all texts. */
interface PanelStyle {
  readonly width: number;
  readonly rows: number;
  readonly curve: number;
}
/** One head has the whole width, more have half of it each. */
const ALONE: PanelStyle = { width: WIDTH, rows: 24, curve: 560 };
const BESIDE: PanelStyle = { width: (WIDTH - PANEL_GAP) / 2, rows: 8, curve: 190 };

/**
 * Every head with its first texts and the curve of what they explain, as an SVG document.
 *
 * @example
 * ```ts
 * import { describeHeads, openIndex, openModel, parseHeads } from "clip-interpret";
 * import { defaultPool, loadPool } from "clip-interpret/labeling";
 * import { textspanSvg } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const pool = await loadPool(defaultPool(model.name));
 * const described = await describeHeads(model, index, parseHeads(model, "L1.H0,L3.H3"), pool, { iterations: 5 });
 * const svg = textspanSvg(described);
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function textspanSvg(result: AnyTextspan): string {
  const spans = spansOf(result);
  const panels = spans.slice(0, MOST_PANELS);
  const [style, columns] = panels.length === 1 ? [ALONE, 1] : [BESIDE, 2];
  const width = WIDTH;
  const title = titleOf(result, width, widthOf(20, true));
  const largest = Math.max(
    0,
    ...panels.flatMap(([, { explainedVariance }]) => explainedVariance.slice(0, style.rows)),
  );
  const sheet = panelSheet({
    ...{ width, title, notice: noticeOf(result), columns, gap: PANEL_GAP },
    lead: legend(captionOf(result), width),
    panels: panels.map(([name, span]) => panelDrawing(name, span, style, largest, isResampled(result))),
    left: spans.length - panels.length,
  });
  return svgDocument(sheet, `${title}. ${captionOf(result)}`, result.origin);
}

const widthOf =
  (size: number, bold = false) =>
  (part: string) =>
    textWidth(part, size, bold);

function legend(caption: string, width: number): Drawing {
  const key = curveKey();
  const meaning = paragraph(caption, width - key.width - 40, { size: 13 });
  return {
    width,
    height: Math.max(key.height, meaning.height),
    body: at(0, 2, meaning) + at(width - key.width, 0, key),
  };
}

/** Columns of a panel: text, bar, per cent, kept; then the curve. */
function panelDrawing(
  name: string,
  span: Span,
  style: PanelStyle,
  largest: number,
  resampled: boolean,
): Drawing {
  const list = style.width - style.curve - 18;
  const keptRight = list;
  const percentRight = resampled ? keptRight - 48 : list;
  const barLeft = percentRight - 40 - BAR_WIDTH;
  const shown = span.descriptions.slice(0, style.rows);
  const head = textLine(0, 14, shorten(name, 150, widthOf(14, true)), { size: 14, bold: true });
  const verdict = verdictOf(span);
  const nameWidth = Math.min(150, textWidth(name, 14, true)) + 14;
  const heading = head + textLine(nameWidth, 14, verdict, { size: 12, tone: "muted" });
  const rule = `<path class="frame" d="M0 22.5H${style.width}" stroke="${TONES.line}"/>`;
  if (shown.length === 0) {
    const none = textLine(0, 40, "no texts", { tone: "muted" });
    return { width: style.width, height: 46, body: heading + rule + none };
  }
  const names =
    (resampled ? textLine(keptRight, 36, "kept", { size: 10, tone: "muted", anchor: "end" }) : "") +
    textLine(percentRight, 36, "adds", { size: 10, tone: "muted", anchor: "end" });
  const rows = shown.map(({ text, property, explainedVariance: share, chosenShare }, i) => {
    const y = 40 + i * ROW;
    const base = y + 13;
    const tag = property === null ? "" : shorten(property, 90, widthOf(10));
    const tagWidth = tag === "" ? 0 : textWidth(tag, 10) + 10;
    const words = shorten(text, barLeft - 12 - tagWidth, widthOf(12));
    const length = largest > 0 ? (BAR_WIDTH * share) / largest : 0;
    return (
      `<g class="cell">${textLine(0, base, words)}` +
      (tag === "" ? "" : textLine(barLeft - 8, base, tag, { size: 10, tone: "muted", anchor: "end" })) +
      `<rect x="${round(barLeft)}" y="${y + 4}" width="${round(Math.max(0.5, length))}" height="11" fill="${TEXT_COLOUR}"/>` +
      textLine(percentRight, base, percent(share), { anchor: "end" }) +
      (resampled ? keptCell(keptRight, base, chosenShare) : "") +
      "</g>"
    );
  });
  const more = span.descriptions.length - shown.length;
  const end = 40 + shown.length * ROW;
  const rest =
    more > 0 ? textLine(0, end + 12, `and ${counted(more, "more text")}`, { size: 10, tone: "muted" }) : "";
  const curve = at(
    style.width - style.curve,
    28,
    spanCurve(span, style.curve, Math.max(110, Math.min(300, end - 24))),
  );
  return {
    width: style.width,
    height: Math.max(end + (more > 0 ? 16 : 0), 150),
    body: heading + rule + names + rows.join("") + rest + curve,
  };
}

/** What few resamples keep is pale. */
function keptCell(x: number, y: number, share: number | null): string {
  return share === null
    ? ""
    : textLine(x, y, percent(share), { anchor: "end", tone: share < 0.5 ? "muted" : "ink" });
}
