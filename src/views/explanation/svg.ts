import type { ExplainResult, Explanation } from "../../results/explain.ts";
import { colourBar, type SignedScale, signedScale } from "../kit/colour.ts";
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
  tile,
} from "../kit/svg.ts";
import { formatCosine, imageTitle, shorten, textWidth } from "../kit/text.ts";
import { POOL } from "./grid.ts";
import { contributionMatrix } from "./matrix.ts";
import { anyBeyond, rankTexts, sharedLimit, sumsExactly } from "./words.ts";

/** The pictures of an explanation. */
export interface ExplanationPictures {
  /** The image as the model saw it. */
  readonly image: Picture;
}

/** What a stranger needs to read the picture; {@link explanationSvg} says otherwise where a sum does not hold. */
const CAPTION =
  "Each square is one attention head: red pushed the image towards the text, blue away from it; all squares, with the MLPs and embed beside them, add up exactly to the score.";
const BROKEN_CAPTION =
  "Each square is one attention head: red pushed the image towards the text, blue away from it. The parts do NOT add up to the score: these numbers must not be used.";

/** Below this width the image, the ranking and the caption would crowd each other. */
const MIN_WIDTH = 760;
const MAX_WIDTH = 1480;
const IMAGE_SIDE = 224;

/**
 * The whole picture of an explanation as an SVG document. Texts are drawn in the order of their similarity.
 *
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { explainImage, openModel } from "clip-interpret";
 * import { explanationSvg } from "clip-interpret/views";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const scene = "examples/scenes/images/0067-monkey.png";
 * const result = await explainImage(model, scene, ["a monkey", "a palm tree"]);
 * const pictures = { image: { png: await readFile(scene), width: 256, height: 256 } };
 * const svg = explanationSvg(result, pictures);
 * console.log(svg.slice(0, 4)); // → <svg
 * ```
 */
export function explanationSvg(result: ExplainResult, { image }: ExplanationPictures): string {
  const { origin, texts } = result;
  const ranked = rankTexts(texts);
  const scale = signedScale(sharedLimit(ranked));
  // One text may fill the width; from three on, smaller cells keep them side by side, where they can be compared.
  const headsWidth = [0, 600, 400][ranked.length] ?? 270;
  const matrices = tile(
    ranked.map((text) => contributionMatrix(text, scale, headsWidth)),
    ...([MAX_WIDTH, 44, 36] as const),
  );
  const width = Math.max(MIN_WIDTH, matrices.width);
  const title = titleOf(origin, width);
  const caption = ranked.every(sumsExactly) ? CAPTION : BROKEN_CAPTION;
  const blocks: [gap: number, drawing: Drawing][] = [
    [0, { width, height: 24, body: textLine(0, 20, title, { size: 20, bold: true }) }],
    [20, overview(image, ranked, legend(ranked, scale, caption, width - IMAGE_SIDE - GUTTER), width)],
    [32, matrices],
  ];
  const notice = noticeOf(result);
  if (notice !== null) blocks.splice(1, 0, [16, banner(notice, width)]);
  return svgDocument(stack(width, blocks), `${title}. ${caption}`, origin);
}

function titleOf(origin: ExplainResult["origin"], width: number): string {
  const widthOf = (part: string) => textWidth(part, 20, true);
  const room = width - widthOf(" seen by ");
  const name = shorten(imageTitle(origin), room * 0.55, widthOf);
  return `${name} seen by ${shorten(origin.model.name, room - widthOf(name), widthOf)}`;
}

/** Between the image and what is on its right. */
const GUTTER = 40;

/** The image on the left; on its right the ranking and, level with the image's foot if there is room, the legend. */
function overview(image: Picture, ranked: readonly Explanation[], key: Drawing, width: number): Drawing {
  const picture = seenImage(image);
  const left = IMAGE_SIDE + GUTTER;
  const ranking = similarityBars(ranked, width - left);
  const height = Math.max(picture.height, ranking.height + 22 + key.height);
  const body = at(0, 0, picture) + at(left, 0, ranking) + at(left, height - key.height, key);
  return { width, height, body };
}

/** The caption and the colour bar, side by side where there is room. */
function legend(ranked: readonly Explanation[], scale: SignedScale, caption: string, width: number): Drawing {
  const clipped = anyBeyond(ranked, scale.limit);
  const notes = [
    "Rows are layers, last on top; MLP is a layer’s other half, embed the model’s start.",
    ranked.some(({ mlps }) => mlps.some(({ component }) => component === POOL))
      ? "This model pools its patches by attention; pool is the MLP behind that."
      : "",
    ranked.length > 1 ? "One colour scale for all texts." : "",
    clipped ? "MLPs beyond the scale have its end colour; their number says how much." : "",
  ];
  const bar = colourBar(scale, { clipped, width: 300 });
  const beside = width >= 760;
  const proseWidth = beside ? width - bar.width - GUTTER : width;
  const meaning = paragraph(caption, proseWidth, { size: 13 });
  const note = paragraph(notes.filter(Boolean).join(" "), proseWidth, { size: 11, tone: "muted" });
  const noteTop = meaning.height + 4;
  const proseHeight = noteTop + note.height;
  const barAt: [number, number] = beside ? [width - bar.width, 0] : [0, proseHeight + 12];
  return {
    width,
    height: Math.max(proseHeight, barAt[1] + bar.height),
    body: at(0, 0, meaning) + at(0, noteTop, note) + at(...barAt, bar),
  };
}

function seenImage({ png, width, height }: Picture): Drawing {
  const enlarge = IMAGE_SIDE / Math.max(width, height);
  const shownWidth = round(width * enlarge);
  const shownHeight = round(height * enlarge);
  const body =
    framedPicture(png, `width="${shownWidth}" height="${shownHeight}"`, enlarge) +
    textLine(0, shownHeight + 17, `as the model saw it, ${width} × ${height} pixels`, {
      size: 11,
      tone: "muted",
    });
  return { width: IMAGE_SIDE, height: shownHeight + 22, body };
}

/** Texts ranked by cosine similarity, with bars that all start at zero. */
function similarityBars(ranked: readonly Explanation[], width: number): Drawing {
  const top = 20;
  const rowHeight = 34;
  const room = width - 60;
  const values = ranked.map(({ similarity }) => similarity);
  const low = Math.min(0, ...values);
  const span = Math.max(0, ...values) - low || 1;
  const x = (value: number) => ((value - low) / span) * room;
  const rows = ranked.map(({ text, similarity }, index) => {
    const y = top + index * rowHeight;
    const best = index === 0 && ranked.length > 1;
    const from = Math.min(x(0), x(similarity));
    const length = Math.max(1, Math.abs(x(similarity) - x(0)));
    return (
      textLine(0, y + 13, quoted(text, room, 13, best), { size: 13, bold: best }) +
      `<rect class="track" y="${y + 19}" width="${round(room)}" height="7" fill="#eef1f4"/>` +
      `<rect class="${best ? "ink" : "bar"}" x="${round(from)}" y="${y + 19}" width="${round(length)}" height="7" fill="${best ? TONES.ink : "#8c959f"}"/>` +
      (low < 0 ? `<path class="tick" d="M${round(x(0))} ${y + 17}v11" stroke="${TONES.muted}"/>` : "") +
      textLine(width, y + 27, formatCosine(similarity), { size: 13, bold: best, anchor: "end" })
    );
  });
  const title = `cosine similarity of the image with ${ranked.length === 1 ? "the text" : "each text, highest first"}`;
  const body = textLine(0, 11, title, { size: 11, tone: "muted" }) + rows.join("");
  return { width, height: top + ranked.length * rowHeight - 6, body };
}
