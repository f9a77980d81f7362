import type {
  SegmentationBaseline,
  SegmentationWinners,
  SegmentedText,
  SegmentResult,
} from "../../results/segment.ts";
import { colourBar, SWATCH, signedScale, swatch } from "../kit/colour.ts";
import { imagePanel, note, panelWidth, patchMark } from "../kit/image-panel.ts";
import { noticeOf } from "../kit/notice.ts";
import { type ShownSize, seesAll, shownSize } from "../kit/panel.ts";
import {
  at,
  banner,
  type Drawing,
  type Picture,
  paragraph,
  quoted,
  round,
  stack,
  svgDocument,
  TONES,
  textLine,
  tile,
} from "../kit/svg.ts";
import { decimalsFor, formatSigned, imageTitle, shorten, textWidth } from "../kit/text.ts";
import type { SegmentationPictures } from "./pictures.ts";
import {
  captionOf,
  cosineInWords,
  leadInWords,
  limitsOf,
  rangeOf,
  scoreInWords,
  setInWords,
  sumInWords,
} from "./words.ts";

/** Rows of panels are no wider than this, unless one panel is. */
const MAX_WIDTH = 1400;
/** Below this, titles and the legend would be cramped. */
const MIN_WIDTH = 720;
const TILES = [MAX_WIDTH, 28, 28] as const;
/** Heads that are listed for a chosen patch. */
const LISTED = 6;

/**
 * The whole picture of a segmentation as an SVG document.
 *
 * @example
 * ```ts
 * import { openModel, parseHeads, segmentImage } from "clip-interpret";
 * import { displayPicture, encodePng, pixelSize, segmentationPictures, segmentationSvg } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const result = await segmentImage(model, scene, ["a monkey"], { set: parseHeads(model, "last2") });
 * const { width, height } = pixelSize(result);
 * const pictures = await segmentationPictures(result, await displayPicture(scene, width, height), encodePng);
 * const svg = segmentationSvg(result, pictures);
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function segmentationSvg(result: SegmentResult, pictures: SegmentationPictures): string {
  const { origin, texts, winners, baselines } = result;
  const notice = noticeOf(result);
  const shown = shownSize(result);
  const limits = limitsOf(result);
  const panels = tile(
    [
      originalPanel(result, shown, pictures.original),
      ...texts.map((text, i) => textPanel(result, shown, text, limits[i], pictures.texts[i])),
      ...(winners && pictures.winners ? [winnerPanel(result, shown, winners, pictures.winners)] : []),
    ],
    ...TILES,
  );
  const width = Math.max(MIN_WIDTH, panels.width);
  const title = titleOf(result, width);
  const caption = captionOf(result);
  const blocks: [gap: number, drawing: Drawing][] = [
    [0, { width, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(notice === null ? [] : [[14, banner(notice, width)] as [number, Drawing]]),
    [14, paragraph(caption, width, { size: 13 })],
    [24, panels],
    ...(baselines ? baselineBlocks(shown, baselines, pictures.baselines, width) : []),
  ];
  return svgDocument(stack(width, blocks), `${title}. ${caption}`, origin);
}

function titleOf(result: SegmentResult, width: number): string {
  const { origin, mode } = result;
  const widthOf = (part: string) => textWidth(part, 20, true);
  const what = mode === "topic" ? "Topics in " : "Contrasts in ";
  const set = shorten(setInWords(result), width * 0.35, widthOf);
  const through = `, through ${set} of ${shorten(origin.model.name, width * 0.35, widthOf)}`;
  const room = Math.max(80, width - widthOf(what) - widthOf(through));
  return `${what}${shorten(imageTitle(origin), room, widthOf)}${through}`;
}

function originalPanel({ original }: SegmentResult, shown: ShownSize, picture: Picture): Drawing {
  const seen = seesAll(shown)
    ? "The model sees all of it"
    : "The model sees what is inside the dashed line; it knows nothing of the rest";
  const words = `${original.width} × ${original.height} pixels. ${seen}.`;
  return imagePanel(shown, picture, "the image", [note(words, panelWidth(shown))]);
}

function textPanel(
  result: SegmentResult,
  shown: ShownSize,
  text: SegmentedText,
  limit: number,
  picture: Picture,
): Drawing {
  const { mode } = result;
  const width = panelWidth(shown);
  const ends = mode === "topic" ? undefined : (["the other texts", "this text"] as const);
  const lines = [
    colourBar(signedScale(limit), { width: shown.width >= 200 ? shown.width : width, ...(ends && { ends }) }),
    note(sumInWords(text), width, "ink"),
    note(`${scoreInWords(text)}; ${cosineInWords(result, text)}`, width),
    ...(text.token ? [patchHeads(text.token, width)] : []),
  ];
  const mark = text.token ? patchMark(shown, result.grid, text.token) : "";
  return imagePanel(shown, picture, panelTitle(result, text, width), lines, mark);
}

/** The text; of a contrast, with what it is set against. */
function panelTitle({ mode, texts }: SegmentResult, { text }: SegmentedText, width: number): string {
  if (mode === "topic") return quoted(text, width, 14, true);
  const others = texts.filter((other) => other.text !== text);
  if (others.length !== 1) {
    const against = " − the others’ mean";
    return `${quoted(text, width - textWidth(against, 14, true), 14, true)}${against}`;
  }
  const half = (width - textWidth(" − ", 14, true)) / 2;
  return `${quoted(text, half, 14, true)} − ${quoted(others[0].text, half, 14, true)}`;
}

type Token = NonNullable<SegmentedText["token"]>;

/** What the strongest heads wrote at a patch, as bars from a line at zero. */
function patchHeads(patch: Token, width: number): Drawing {
  const listed = patch.heads.slice(0, LISTED);
  const rest = patch.heads.slice(LISTED).reduce((sum, { value }) => sum + value, 0);
  const largest = Math.max(...listed.map(({ value }) => Math.abs(value)), 1e-12);
  const decimals = decimalsFor(largest);
  const scale = signedScale(largest);
  const [zero, reach] = [width / 2, width / 2 - 70];
  const rows = listed.map(({ name, value }, i) => {
    const y = 24 + i * 17;
    const length = (Math.abs(value) / largest) * reach;
    const x = value < 0 ? zero - length : zero;
    return (
      textLine(0, y + 10, name, { size: 11 }) +
      `<rect x="${round(x)}" y="${y + 1}" width="${round(Math.max(1, length))}" height="11" fill="${scale.colour(Math.sign(value) * largest)}"/>` +
      textLine(width, y + 10, formatSigned(value, decimals), { size: 11, anchor: "end" })
    );
  });
  const end = 24 + listed.length * 17;
  const axis = `<path class="tick" d="M${round(zero)} 22V${end}" stroke="${TONES.muted}"/>`;
  const title = `strongest heads at patch ${patch.row},${patch.column} (${formatSigned(patch.value, decimals)})`;
  const others = patch.heads.length - listed.length;
  const last =
    others > 0
      ? textLine(0, end + 12, `${others} more, together`, { size: 11, tone: "muted" }) +
        textLine(width, end + 12, formatSigned(rest, decimals), { size: 11, tone: "muted", anchor: "end" })
      : "";
  const body = textLine(0, 13, title, { size: 12, bold: true }) + axis + rows.join("") + last;
  return { width, height: end + (others > 0 ? 18 : 4), body };
}

/** Which text leads where, with the key of its colours. */
function winnerPanel(
  { texts, grid }: SegmentResult,
  shown: ShownSize,
  winners: SegmentationWinners,
  picture: Picture,
): Drawing {
  const width = panelWidth(shown);
  const patches = grid.rows * grid.columns;
  const key = texts.map(({ text }, i) => {
    const share = `${((100 * winners.counts[i]) / patches).toFixed(0)} % of the patches`;
    const name = quoted(text, width - 30 - textWidth(share, 11), 11);
    return (
      at(0, i * 18 + 2, swatch(i)) +
      textLine(SWATCH + 8, i * 18 + 12, name, { size: 11 }) +
      textLine(width, i * 18 + 12, share, { size: 11, tone: "muted", anchor: "end" })
    );
  });
  const legend: Drawing = { width, height: texts.length * 18, body: key.join("") };
  return imagePanel(shown, picture, "which text leads where", [legend, note(leadInWords(winners), width)]);
}

function baselineBlocks(
  shown: ShownSize,
  baselines: readonly SegmentationBaseline[],
  pictures: readonly Picture[],
  width: number,
): [gap: number, drawing: Drawing][] {
  const title = textLine(0, 16, "What other methods make of it", { size: 16, bold: true });
  const meaning = paragraph(
    "Each on a scale of its own, from its lowest patch to its highest. They read the network’s attention or its last tokens; their patches do not add up to a score.",
    width,
    { size: 12, tone: "muted" },
  );
  const panels = baselines.map((baseline, i) => baselinePanel(shown, baseline, pictures[i]));
  return [
    [36, { width, height: 20, body: title }],
    [4, meaning],
    [16, tile(panels, Math.max(width, panels[0]?.width ?? 0), TILES[1], TILES[2])],
  ];
}

function baselinePanel(shown: ShownSize, baseline: SegmentationBaseline, picture: Picture): Drawing {
  const { title, paper, text, values } = baseline;
  const width = panelWidth(shown);
  const [low, high] = rangeOf(values);
  const decimals = decimalsFor(Math.max(Math.abs(low), Math.abs(high)));
  const range = `pale ${formatSigned(low, decimals)}, dark ${formatSigned(high, decimals)}`;
  const room = width - textWidth(`${title} `, 14, true);
  const heading = text === null ? title : `${title} ${quoted(text, room, 14, true)}`;
  return imagePanel(shown, picture, heading, [note(`${range}. ${paper}`, width)]);
}
