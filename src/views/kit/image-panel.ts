import { type ShownSize, seesAll } from "./panel.ts";
import {
  type Drawing,
  framedPicture,
  type Picture,
  paragraph,
  round,
  stack,
  TONES,
  textLine,
} from "./svg.ts";

/** The least width of a panel: what its lines of numbers need. */
const PANEL_WIDTH = 320;

export const panelWidth = ({ width }: Pick<ShownSize, "width">): number => Math.max(PANEL_WIDTH, width);

/** A picture of the image with its crop drawn, under a title and over some lines. */
export function imagePanel(
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
  if (seesAll({ width, height, covered })) return "";
  const place = `x="${round(covered.x)}" y="${round(covered.y)}" width="${round(covered.width)}" height="${round(covered.height)}"`;
  // White under black: visible on any picture.
  return (
    `<rect ${place} fill="none" stroke="${TONES.paper}" stroke-width="2.5"/>` +
    `<rect ${place} fill="none" stroke="${TONES.ink}" stroke-width="1" stroke-dasharray="5 3"/>`
  );
}

/** A small line below a picture. */
export const note = (text: string, width: number, tone: "ink" | "muted" = "muted"): Drawing =>
  paragraph(text, width, { size: 11, tone });

/** The border of the chosen patch. */
export function patchMark(
  { covered }: ShownSize,
  grid: { readonly rows: number; readonly columns: number },
  patch: { readonly row: number; readonly column: number },
): string {
  const [width, height] = [covered.width / grid.columns, covered.height / grid.rows];
  const place = `x="${round(covered.x + patch.column * width)}" y="${round(covered.y + patch.row * height)}" width="${round(width)}" height="${round(height)}"`;
  return (
    `<rect ${place} fill="none" stroke="${TONES.paper}" stroke-width="4"/>` +
    `<rect ${place} fill="none" stroke="${TONES.ink}" stroke-width="2"/>`
  );
}
