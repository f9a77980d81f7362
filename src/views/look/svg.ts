import type { ExplainResult } from "../../results/explain.ts";
import type { SegmentResult } from "../../results/segment.ts";
import { contributionPanel } from "../explanation/matrix.ts";
import { colourBar, signedScale } from "../kit/colour.ts";
import { noticeOf } from "../kit/notice.ts";
import { type Cover, canvasOf, type EncodePng, type Pixels, pictureOf, shownSize } from "../kit/panel.ts";
import {
  banner,
  type Drawing,
  framedPicture,
  type Picture,
  paragraph,
  round,
  stack,
  svgDocument,
  textLine,
} from "../kit/svg.ts";
import { imageTitle, shorten, textWidth } from "../kit/text.ts";
import { segmentationPaints } from "../segmentation/pictures.ts";
import { limitsOf, scoreInWords, setInWords, sumInWords } from "../segmentation/words.ts";

/** One image looked at: what every component added to a text's score, and where some heads saw that text. */
export interface LookResult {
  readonly explanation: ExplainResult;
  /** Of one text of the explanation. */
  readonly segmentation: SegmentResult;
}

/** The pictures of a look. */
export interface LookPictures {
  /** The map on the image. */
  readonly map: Picture;
}

/** Draws the map of a look. @param pixels of the original, best of `pixelSize` */
export async function lookPictures(
  { segmentation }: LookResult,
  pixels: Pixels,
  encodePng: EncodePng,
  cover?: Cover,
): Promise<LookPictures> {
  const [paint] = segmentationPaints(segmentation, cover).texts;
  return { map: await pictureOf(canvasOf(pixels, segmentation), encodePng, paint, cover) };
}

const WIDTH = 720;
/** Below it a title is set smaller, so that both names fit. */
const NARROW = 480;

/**
 * A look as an SVG document: the map of the chosen heads, and the matrix of the same text.
 * @param room pixels that everything should fit in, for narrow pages; what is saved is as wide as it needs to be
 */
export function lookSvg(
  { explanation, segmentation }: LookResult,
  { map }: LookPictures,
  room = Number.POSITIVE_INFINITY,
): string {
  const { origin } = explanation;
  const notice = noticeOf(explanation);
  const [text] = segmentation.texts;
  const natural = shownSize(segmentation);
  const fitting = Math.min(1, room / natural.width);
  const shown = { width: natural.width * fitting, height: natural.height * fitting };
  const width = Math.min(room, Math.max(WIDTH, Math.ceil(shown.width)));
  const { heads } = segmentation.components;
  const isPart = heads.length < (explanation.texts[0]?.heads.length ?? 0);
  const chosen = isPart ? new Set(heads.map(({ name }) => name)) : undefined;
  const matrices = explanation.texts.filter((one) => one.text === text.text).slice(0, 1);
  const headSize = width < NARROW ? 14 : 20;
  const widthOf = (part: string) => textWidth(part, headSize, true);
  const by = ` seen by ${shorten(origin.model.name, width / 2, widthOf)}`;
  const title = `${shorten(imageTitle(origin), width - widthOf(by), widthOf)}${by}`;
  const caption = `Where ${setInWords(segmentation)} spoke for (red) or against (blue) “${text.text}”, and what every head and MLP added to its score.`;
  const size = `width="${round(shown.width)}" height="${round(shown.height)}"`;
  const line = (words: string, tone: "ink" | "muted") => paragraph(words, width, { size: 11, tone });
  const blocks: [gap: number, drawing: Drawing][] = [
    [0, { width, height: 26, body: textLine(0, 20, title, { size: headSize, bold: true }) }],
    ...(notice === null ? [] : [[12, banner(notice, width)] as [number, Drawing]]),
    [
      12,
      paragraph(
        shorten(caption, 3 * width, (part) => textWidth(part, 13)),
        width,
        { size: 13 },
      ),
    ],
    [16, { width, height: shown.height, body: framedPicture(map.png, size, shown.width / map.width) }],
    [14, colourBar(signedScale(limitsOf(segmentation)[0]), { width: Math.min(320, width) })],
    [8, line(sumInWords(text), "ink")],
    [3, line(scoreInWords(text), "muted")],
    ...matrices.map((one) => [24, contributionPanel(one, chosen, room)] as [number, Drawing]),
  ];
  return svgDocument(stack(width, blocks), `${title}. ${caption}`, origin);
}
