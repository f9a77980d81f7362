import type { FromWeightsResult, WrittenHead } from "../../results/from-weights.ts";
import { panelSheet } from "../kit/panel-sheet.ts";
import { type Drawing, paragraph, round, svgDocument, TONES, textLine } from "../kit/svg.ts";
import { counted, shorten, textWidth } from "../kit/text.ts";
import { TEXT_COLOUR } from "../textspan/curve.ts";
import { aboveChance, captionOf, nameOf, shareOf, sumOf, titleOf, verdictOf } from "./words.ts";

const WIDTH = 1416;
const GAP = 36;
const ROW = 36;
const BAR_WIDTH = 72;
/** A picture of more heads than this would be too long to look at. */
const MOST_PANELS = 64;
/** Directions a head of many; one alone has all. */
const MOST_ROWS = 4;

const widthOf =
  (size: number, bold = false) =>
  (part: string) =>
    textWidth(part, size, bold);

/**
 * Every head with its first directions and both ends of each in texts, as an SVG document.
 *
 * @example
 * ```ts
 * import { openModel, parseHeads } from "clip-interpret";
 * import { defaultPool, describeFromWeights, loadPool } from "clip-interpret/labeling";
 * import { fromWeightsSvg } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const pool = await loadPool(defaultPool(model.name));
 * const described = await describeFromWeights(model, pool, { set: parseHeads(model, "L3.H1") });
 * console.log(fromWeightsSvg(described).slice(0, 4)); // → <svg
 * ```
 */
export function fromWeightsSvg(result: FromWeightsResult): string {
  const { heads, origin } = result;
  const panels = heads.slice(0, MOST_PANELS);
  const columns = panels.length === 1 ? 1 : 2;
  const panelWidth = columns === 1 ? WIDTH : (WIDTH - GAP) / 2;
  const most = columns === 1 ? Number.POSITIVE_INFINITY : MOST_ROWS;
  const largest = Math.max(0, ...panels.flatMap(({ directions }) => directions.map(shareOf)));
  const title = titleOf(result, WIDTH, widthOf(20, true));
  const sheet = panelSheet({
    ...{ width: WIDTH, title, notice: origin.model.notice, columns, gap: GAP },
    lead: paragraph(captionOf(result), WIDTH, { size: 13 }),
    panels: panels.map((head) => panel(result, head, panelWidth, most, largest)),
    left: heads.length - panels.length,
  });
  return svgDocument(sheet, `${title}. ${captionOf(result)}`, origin);
}

/** Columns of a panel: name, bar and share, cosine, texts; the other end below in gray. */
function panel(
  result: FromWeightsResult,
  head: WrittenHead,
  width: number,
  most: number,
  largest: number,
): Drawing {
  const name = shorten(head.name, 150, widthOf(14, true));
  const heading =
    textLine(0, 14, name, { size: 14, bold: true }) +
    textLine(textWidth(name, 14, true) + 14, 14, verdictOf(head, result), { size: 12, tone: "muted" });
  const rule = `<path class="frame" d="M0 22.5H${width}" stroke="${TONES.line}"/>`;
  const [bar, percent, cosine, words] = [76, 76 + BAR_WIDTH + 38, 76 + BAR_WIDTH + 80, 76 + BAR_WIDTH + 90];
  const shown = head.directions.slice(0, most);
  const names =
    textLine(percent, 36, "share", { size: 10, tone: "muted", anchor: "end" }) +
    textLine(cosine, 36, "cosine", { size: 10, tone: "muted", anchor: "end" });
  const rows = shown.map((direction, i) => {
    const base = 53 + i * ROW;
    const share = shareOf(direction);
    const length = largest > 0 ? (BAR_WIDTH * share) / largest : 0;
    const tone = aboveChance(direction, result) ? "ink" : "muted";
    const ends = direction.ends.map((end, e) => {
      const y = base + e * 15;
      const text = shorten(sumOf(end), width - words, widthOf(12));
      return (
        textLine(cosine, y, end.cosine.toFixed(2), { anchor: "end", tone: e === 0 ? tone : "muted" }) +
        textLine(words, y, text, { tone: e === 0 ? tone : "muted" })
      );
    });
    return (
      `<g class="cell">${textLine(0, base, shorten(nameOf(head, direction), 72, widthOf(12)))}` +
      `<rect x="${bar}" y="${base - 9}" width="${round(Math.max(0.5, length))}" height="11" fill="${TEXT_COLOUR}"/>` +
      `${textLine(percent, base, `${Math.round(100 * share)} %`, { anchor: "end" })}${ends.join("")}</g>`
    );
  });
  const end = 40 + shown.length * ROW;
  const more = head.directions.length - shown.length;
  const rest =
    more > 0
      ? textLine(0, end + 12, `and ${counted(more, "more direction")}`, { size: 10, tone: "muted" })
      : "";
  return {
    width,
    height: end + (more > 0 ? 16 : 0),
    body: heading + rule + (shown.length > 0 ? names : "") + rows.join("") + rest,
  };
}
