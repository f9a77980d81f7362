import { colourBar, signedScale } from "../kit/colour.ts";
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
import { decimalsFor, formatSigned, shorten, textWidth } from "../kit/text.ts";
import {
  type BaselinePanel,
  captionOf,
  type SegmentationInput,
  type SegmentedText,
  type ShownSize,
  scoreInWords,
  setInWords,
  sumInWords,
  type WinnerPanel,
} from "./words.ts";

/** Rows of panels are no wider than this, unless one panel is. */
const MAX_WIDTH = 1400;
/** Below this, titles and the legend would be cramped. */
const MIN_WIDTH = 720;
const GAP = 28;
/** The least width of a panel: what its lines of numbers need. */
const PANEL_WIDTH = 320;
/** Heads that are listed for a chosen patch. */
const LISTED = 6;

/** The whole picture of a segmentation as an SVG document. */
export function segmentationSvg(input: SegmentationInput): string {
  const panels = [
    originalPanel(input),
    ...input.texts.map((text) => textPanel(input, text)),
    ...(input.winners ? [winnerPanel(input, input.winners)] : []),
  ];
  const width = Math.max(MIN_WIDTH, flowWidth(panels.length, panels[0].width));
  const title = titleOf(input, width);
  const blocks: [gap: number, drawing: Drawing][] = [
    [0, { width, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    ...(input.notice === undefined ? [] : [[14, banner(input.notice, width)] as [number, Drawing]]),
    [14, paragraph(captionOf(input), width, { size: 13 })],
    [24, flow(panels, width)],
    ...(input.baselines ? baselineBlocks(input, input.baselines, width) : []),
  ];
  return svgDocument(stack(width, blocks), `${title}. ${captionOf(input)}`);
}

function titleOf(input: SegmentationInput, width: number): string {
  const widthOf = (part: string) => textWidth(part, 20, true);
  const what = input.mode === "topic" ? "Topics in " : "Contrasts in ";
  const through = `, through ${shorten(setInWords(input), width * 0.35, widthOf)} of ${input.model}`;
  return `${what}${shorten(input.imageName, width - widthOf(what) - widthOf(through), widthOf)}${through}`;
}

const panelWidth = ({ width }: ShownSize): number => Math.max(PANEL_WIDTH, width);

/** A picture of the image with its crop drawn, under a title and over some lines. */
function imagePanel(
  shown: ShownSize,
  picture: Picture,
  title: string,
  below: readonly Drawing[],
  marks = "",
): Drawing {
  const place = `width="${round(shown.width)}" height="${round(shown.height)}"`;
  const body = framedPicture(picture.png, place, shown.width / picture.width) + cropOutline(shown) + marks;
  const image = { width: shown.width, height: shown.height, body };
  const heading = {
    width: shown.width,
    height: 20,
    body: textLine(0, 14, title, { size: 14, bold: true }),
  };
  const width = panelWidth(shown);
  return stack(width, [
    [0, heading],
    [4, image],
    ...below.map((drawing, i) => [i === 0 ? 8 : 3, drawing] as [number, Drawing]),
  ]);
}

/** The border of what the model saw, where that is not the whole picture. */
function cropOutline({ width, height, covered }: ShownSize): string {
  if (covered.width >= width - 0.5 && covered.height >= height - 0.5) return "";
  const place = `x="${round(covered.x)}" y="${round(covered.y)}" width="${round(covered.width)}" height="${round(covered.height)}"`;
  // White under black: visible on any picture.
  return (
    `<rect ${place} fill="none" stroke="${TONES.paper}" stroke-width="2.5"/>` +
    `<rect ${place} fill="none" stroke="${TONES.ink}" stroke-width="1" stroke-dasharray="5 3"/>`
  );
}

const note = (text: string, width: number, tone: "ink" | "muted" = "muted"): Drawing =>
  paragraph(text, width, { size: 11, tone });

function originalPanel(input: SegmentationInput): Drawing {
  const { shown, original, width, height } = input;
  const whole = cropOutline(shown) === "";
  const seen = whole
    ? "The model sees all of it"
    : "The model sees what is inside the dashed line; it knows nothing of the rest";
  const lines = [note(`${width} × ${height} pixels. ${seen}.`, panelWidth(shown))];
  return imagePanel(shown, original, "the image", lines);
}

function textPanel(input: SegmentationInput, text: SegmentedText): Drawing {
  const { shown, mode } = input;
  const width = panelWidth(shown);
  const ends = mode === "topic" ? undefined : (["the other texts", "this text"] as const);
  const lines = [
    colourBar(signedScale(text.limit), {
      width: shown.width >= 200 ? shown.width : width,
      ...(ends && { ends }),
    }),
    note(sumInWords(text), width, "ink"),
    note(
      `${scoreInWords(text)}; the whole image’s cosine ${mode === "contrast" ? "contrast " : ""}${formatSigned(text.similarity, 4)}`,
      width,
    ),
    ...(text.patch ? [patchHeads(text.patch, width)] : []),
  ];
  const title = panelTitle(input, text, width);
  return imagePanel(shown, text.overlay, title, lines, text.patch ? patchMark(input, text.patch) : "");
}

/** The text; of a contrast, with what it is set against. */
function panelTitle({ mode, texts }: SegmentationInput, { text }: SegmentedText, width: number): string {
  if (mode === "topic") return quoted(text, width, 14, true);
  const others = texts.filter((other) => other.text !== text);
  if (others.length !== 1) {
    const against = " − the others’ mean";
    return `${quoted(text, width - textWidth(against, 14, true), 14, true)}${against}`;
  }
  const half = (width - textWidth(" − ", 14, true)) / 2;
  return `${quoted(text, half, 14, true)} − ${quoted(others[0].text, half, 14, true)}`;
}

/** The border of the chosen patch. */
function patchMark(
  { shown: { covered }, grid }: SegmentationInput,
  patch: { row: number; column: number },
): string {
  const [width, height] = [covered.width / grid, covered.height / grid];
  const place = `x="${round(covered.x + patch.column * width)}" y="${round(covered.y + patch.row * height)}" width="${round(width)}" height="${round(height)}"`;
  return (
    `<rect ${place} fill="none" stroke="${TONES.paper}" stroke-width="4"/>` +
    `<rect ${place} fill="none" stroke="${TONES.ink}" stroke-width="2"/>`
  );
}

/** What the strongest heads wrote at a patch, as bars from a line at zero. */
function patchHeads(patch: NonNullable<SegmentedText["patch"]>, width: number): Drawing {
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
function winnerPanel(input: SegmentationInput, winners: WinnerPanel): Drawing {
  const { shown, grid } = input;
  const width = panelWidth(shown);
  const key = winners.texts.map(({ text, colour, patches }, i) => {
    const share = `${((100 * patches) / grid ** 2).toFixed(0)} % of the patches`;
    const name = quoted(text, width - 30 - textWidth(share, 11), 11);
    return (
      `<rect x="0" y="${i * 18 + 2}" width="12" height="12" fill="${colour}"/>` +
      textLine(20, i * 18 + 12, name, { size: 11 }) +
      textLine(width, i * 18 + 12, share, { size: 11, tone: "muted", anchor: "end" })
    );
  });
  const legendOf: Drawing = { width, height: winners.texts.length * 18, body: key.join("") };
  const decimals = decimalsFor(winners.largestMargin);
  const margin = `Strong colour: the lead over the next text is ${formatSigned(winners.largestMargin, decimals).slice(1)}; pale: no lead.`;
  return imagePanel(shown, winners.overlay, "which text leads where", [legendOf, note(margin, width)]);
}

function baselineBlocks(
  input: SegmentationInput,
  baselines: readonly BaselinePanel[],
  width: number,
): [gap: number, drawing: Drawing][] {
  const title = textLine(0, 16, "What other methods make of it", { size: 16, bold: true });
  const meaning = paragraph(
    "Each on a scale of its own, from its lowest patch to its highest. They read the network’s attention or its last tokens; their patches do not add up to a score.",
    width,
    { size: 12, tone: "muted" },
  );
  return [
    [36, { width, height: 20, body: title }],
    [4, meaning],
    [
      16,
      flow(
        baselines.map((baseline) => baselinePanel(input, baseline)),
        width,
      ),
    ],
  ];
}

function baselinePanel({ shown }: SegmentationInput, baseline: BaselinePanel): Drawing {
  const { title, paper, text, overlay, low, high } = baseline;
  const width = panelWidth(shown);
  const decimals = decimalsFor(Math.max(Math.abs(low), Math.abs(high)));
  const range = `pale ${formatSigned(low, decimals)}, dark ${formatSigned(high, decimals)}`;
  const room = width - textWidth(`${title} `, 14, true);
  const heading = text === null ? title : `${title} ${quoted(text, room, 14, true)}`;
  return imagePanel(shown, overlay, heading, [note(`${range}. ${paper}`, width)]);
}

const perRow = (count: number, width: number, room: number): number =>
  Math.max(1, Math.min(count, Math.floor((room + GAP) / (width + GAP))));

const flowWidth = (count: number, width: number): number => {
  const columns = perRow(count, width, MAX_WIDTH);
  return columns * (width + GAP) - GAP;
};

/** Panels in rows, as many in each as there is room for; each row is as high as its highest. */
function flow(panels: readonly Drawing[], room: number): Drawing {
  const columns = perRow(panels.length, panels[0].width, room);
  let [height, body] = [0, ""];
  for (let start = 0; start < panels.length; start += columns) {
    const row = panels.slice(start, start + columns);
    const top = start === 0 ? 0 : height + GAP;
    body += row.map((panel, i) => at(i * (panel.width + GAP), top, panel)).join("");
    height = top + Math.max(...row.map((panel) => panel.height));
  }
  return { width: room, height, body };
}
