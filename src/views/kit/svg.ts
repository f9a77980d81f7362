import { type AnyOrigin, originInWords } from "./origin.ts";
import { escapeXml, shorten, textWidth } from "./text.ts";

/** A piece of a picture: SVG elements drawn from (0, 0), and the room that they take. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly body: string;
}

/** A picture as PNG bytes, with its size in pixels. */
export interface Picture {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** How a line of text is drawn; the default is 12 px, regular, dark, starting at x. */
export interface TextStyle {
  readonly size?: number;
  readonly bold?: boolean;
  readonly tone?: Tone;
  readonly anchor?: "start" | "middle" | "end";
  /** A fill that overrides the tone's, for text that lies on a coloured cell. */
  readonly fill?: string;
}

/** A role whose colour the page may replace, through the class of the same name. */
export type Tone = keyof typeof TONES;

/** Colours of a light page; an HTML page overrides them through the classes, so the same SVG serves a dark one. */
export const TONES = { ink: "#1c2128", muted: "#59636e", line: "#d0d7de", paper: "#ffffff" } as const;

/** The font of png.ts first; where SVG is shown without it, others about as wide, so that the layout holds. */
export const FONT_FAMILY =
  "Inter, 'Helvetica Neue', Arial, 'Liberation Sans', 'Noto Sans', 'DejaVu Sans Condensed', sans-serif";

/** One line of text with its baseline at y. */
export function textLine(x: number, y: number, text: string, style: TextStyle = {}): string {
  const { size = 12, bold = false, tone = "ink", anchor = "start", fill } = style;
  const paint = fill === undefined ? `class="${tone}" fill="${TONES[tone]}"` : `fill="${fill}"`;
  const weight = bold ? ' font-weight="600"' : "";
  const align = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}"${weight}${align} ${paint}>${escapeXml(text)}</text>`;
}

/** `text` in typographic quotes, shortened so that it fits `width` pixels. */
export function quoted(text: string, width: number, size: number, bold = false): string {
  const widthOf = (part: string) => textWidth(part, size, bold);
  return `“${shorten(text, width - widthOf("“”"), widthOf)}”`;
}

/** Prose broken into lines of at most `width` pixels; the room they take includes the line spacing. */
export function paragraph(text: string, width: number, style: TextStyle = {}): Drawing {
  const { size = 12, bold = false } = style;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer, size, bold) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  lines.push(line);
  const leading = Math.round(size * 1.5);
  const body = lines.map((part, index) => textLine(0, size + index * leading, part, style)).join("");
  return { width, height: lines.length * leading, body };
}

/** The elements of `drawing`, moved. */
export function at(x: number, y: number, drawing: Drawing): string {
  return `<g transform="translate(${round(x)} ${round(y)})">${drawing.body}</g>`;
}

/** Drawings below each other, each after a gap. */
export function stack(width: number, blocks: readonly (readonly [gap: number, drawing: Drawing])[]): Drawing {
  let height = 0;
  let body = "";
  for (const [gap, drawing] of blocks) {
    body += at(0, height + gap, drawing);
    height += gap + drawing.height;
  }
  return { width, height, body };
}

/**
 * Panels of one width in rows as even as the room allows: four become two and two rather than three and one. Each row
 * is as high as its highest.
 */
export function tile(panels: readonly Drawing[], room: number, gapX: number, gapY: number): Drawing {
  const width = Math.max(0, ...panels.map((panel) => panel.width));
  const fitting = Math.max(1, Math.floor((room + gapX) / (width + gapX)));
  const rows = Math.ceil(panels.length / fitting);
  const columns = rows === 0 ? 0 : Math.ceil(panels.length / rows);
  let [height, body] = [0, ""];
  for (let start = 0; start < panels.length; start += columns) {
    const row = panels.slice(start, start + columns);
    const top = start === 0 ? 0 : height + gapY;
    body += row.map((panel, i) => at(i * (width + gapX), top, panel)).join("");
    height = top + Math.max(...row.map((panel) => panel.height));
  }
  return { width: Math.max(0, columns * (width + gapX) - gapX), height, body };
}

/** Something the reader must know first. */
export function banner(notice: string, width: number): Drawing {
  const short = shorten(notice, 4 * width, (part) => textWidth(part, 12));
  const words = paragraph(short, width - 40);
  const height = words.height + 14;
  const body = `<rect class="notice" width="${width}" height="${height}" rx="4" fill="#fff4d6"/><rect width="4" height="${height}" fill="#c98a00"/>${at(18, 8, words)}`;
  return { width, height, body };
}

/** A picture in a thin frame, both with the attributes `place`; `enlarge`: screen pixels for each of its own. */
export function framedPicture(png: Uint8Array, place: string, enlarge: number): string {
  // Few pixels are shown as squares, not smoothed into detail that the picture does not have.
  const rendering = enlarge >= 2 ? ' class="pixels" image-rendering="optimizeSpeed"' : "";
  return (
    `<image ${place} preserveAspectRatio="none"${rendering} href="data:image/png;base64,${base64(png)}"/>` +
    `<rect class="frame" ${place} fill="none" stroke="${TONES.line}"/>`
  );
}

/** Base64 in chunks, with what both Node and browsers have. */
function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(binary);
}

/** White around a drawing. */
export const MARGIN = 24;
/** Room for the line at the foot that says where a picture comes from. */
const FOOT = 26;

/**
 * A complete SVG document with a margin around the drawing.
 * @param label read to people who cannot see the picture
 * @param origin where its numbers come from: a line at its foot for people, and all of it as metadata
 */
export function svgDocument(drawing: Drawing, label: string, origin?: AnyOrigin, margin = MARGIN): string {
  const width = Math.ceil(drawing.width + 2 * margin);
  const height = Math.ceil(drawing.height + 2 * margin) + (origin ? FOOT : 0);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
    ` font-family="${FONT_FAMILY}" role="img" aria-label="${escapeXml(label)}">` +
    (origin ? `<metadata>${escapeXml(JSON.stringify(origin))}</metadata>` : "") +
    `<rect class="paper" fill="${TONES.paper}" width="${width}" height="${height}"/>` +
    at(margin, margin, drawing) +
    (origin ? footLine(origin, margin, width, height) : "") +
    "</svg>\n"
  );
}

function footLine(origin: AnyOrigin, margin: number, width: number, height: number): string {
  const line = shorten(originInWords(origin), width - 2 * margin, (part) => textWidth(part, 11));
  return textLine(margin, height - 14, line, { size: 11, tone: "muted" });
}

/** A coordinate short enough to print. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
