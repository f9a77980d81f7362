import type { FineTuneResult, TunedHead } from "../../results/fine-tune.ts";
import { apart } from "../kit/colour.ts";
import { banner, type Drawing, paragraph, round, stack, svgDocument, textLine } from "../kit/svg.ts";
import { counted, shorten, textWidth } from "../kit/text.ts";
import { captionOf, changedHeads, changeInWords, noticeOf, percent, ratiosOf, titleOf } from "./words.ts";

const WIDTH = 1416;
const ROW = 20;
const BAR = 260;
/** A picture of more heads than this would be too long to look at. */
const MOST = 48;
/** Parts of a change, in the order of their bars. */
const PARTS = ["reweighted", "mixed", "new"] as const;

const widthOf =
  (size: number, bold = false) =>
  (part: string) =>
    textWidth(part, size, bold);

/**
 * The heads that changed most, each change with its three parts, as an SVG document.
 *
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { compareFineTune } from "clip-interpret/evaluation";
 * import { fineTuneSvg } from "clip-interpret/views";
 *
 * const base = await openModel("emoji-4x128-p16");
 * const svg = fineTuneSvg(await compareFineTune(base, await openModel("emoji-4x128-p16-s2")));
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function fineTuneSvg(result: FineTuneResult): string {
  const all = changedHeads(result);
  const shown = all.slice(0, MOST);
  const notice = noticeOf(result);
  const title = shorten(titleOf(result), WIDTH, widthOf(20, true));
  const line = (text: string): Drawing => ({
    ...{ width: WIDTH, height: 16 },
    body: textLine(0, 12, text, { tone: "muted" }),
  });
  const left = all.length - shown.length;
  const blocks: (readonly [gap: number, drawing: Drawing])[] = [
    [0, { width: WIDTH, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(notice === null ? [] : [[16, banner(notice, WIDTH)] as const]),
    [14, paragraph(captionOf(result), WIDTH, { size: 13 })],
    [18, key()],
    [10, shown.length > 0 ? bars(shown) : line("no head changed")],
    ...(left > 0
      ? [[12, line(`${counted(left, "more head")} changed; the HTML page has them.`)] as const]
      : []),
  ];
  return svgDocument(stack(WIDTH, blocks), `${title}. ${captionOf(result)}`, result.origin);
}

function key(): Drawing {
  let x = 0;
  const parts = PARTS.map((name, i) => {
    const drawn = `<rect x="${round(x)}" y="2" width="12" height="11" fill="${apart(i).colour}"/>${textLine(x + 18, 12, name)}`;
    x += 18 + textWidth(name, 12) + 24;
    return drawn;
  });
  return { width: x, height: 16, body: parts.join("") };
}

/** A row a head: name, bar in three parts, its size, the ratios of directions, the change in texts. */
function bars(heads: readonly TunedHead[]): Drawing {
  const largest = Math.max(...heads.map(({ change }) => change));
  const [bar, number, ratios, words] = [70, 70 + BAR + 56, 70 + BAR + 72, 70 + BAR + 330];
  const rows = heads.map((head, i) => {
    const base = 13 + i * ROW;
    const length = (BAR * head.change) / largest;
    let x = bar;
    const parts = PARTS.map((name, part) => {
      const width = length * head[name];
      const drawn = `<rect x="${round(x)}" y="${base - 10}" width="${round(width)}" height="12" fill="${apart(part).colour}"/>`;
      x += width;
      return drawn;
    });
    return (
      `<g class="cell">${textLine(0, base, shorten(head.name, 64, widthOf(12)))}${parts.join("")}` +
      textLine(number, base, percent(head.change), { anchor: "end" }) +
      textLine(ratios, base, shorten(ratiosOf(head, 3), words - ratios - 12, widthOf(12)), {
        tone: "muted",
      }) +
      `${textLine(words, base, shorten(changeInWords(head), WIDTH - words, widthOf(12)))}</g>`
    );
  });
  return { width: WIDTH, height: heads.length * ROW, body: rows.join("") };
}
