import type { Origin } from "../../results/origin.ts";

/** Text as the views need it: safe in XML, short enough for its place, numbers written one way everywhere. */

/** Advance widths of U+0020–U+007E in Inter Regular, in fortieths of an em above 0, as characters from "0" on. */
const ADVANCES =
  ";<CIJWJ<??DJ<B<>I@HIJHIGII<<JJJDWLJMMHHNN;GKGTNOJOJJJNLWKKI?>?CB=FHGHG?IH::F:SHHHH?E=HFQFFFA=AJ";

/** No shortened text is longer than this, whatever its characters measure. */
const MAX_CHARACTERS = 300;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * One line of harmless text: what XML forbids, controls, bidirectional overrides (which would reorder the text around
 * them) and accents piled past the fourth are dropped; runs of white space become one space.
 */
export function cleanText(text: string): string {
  return (
    text
      .replace(/\s+/g, " ")
      .replace(/\p{Surrogate}/gu, "")
      .replace(/(\p{M}{4})\p{M}+/gu, "$1")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be removed
      .replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g, "")
      .trim()
  );
}

/** `text` cleaned and escaped for use as XML or HTML content or inside a quoted attribute. */
export function escapeXml(text: string): string {
  return cleanText(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Estimated width in pixels: measured for ASCII, a cautious guess for the rest. Bold is up to a tenth wider. */
export function textWidth(text: string, size: number, bold = false): number {
  let ems = 0;
  for (const character of text) ems += advance(character.codePointAt(0)!);
  return ems * size * (bold ? 1.1 : 1);
}

function advance(code: number): number {
  if (code >= 0x20 && code < 0x7f) return (ADVANCES.charCodeAt(code - 0x20) - 48) / 40;
  return code < 0x1100 || (code >= 0x2000 && code < 0x2190) ? 0.68 : 1.25;
}

/** `text` cleaned and cut between characters, with `…` where it was cut, so that it is at most `limit` wide. */
export function shorten(text: string, limit: number, widthOf: (part: string) => number): string {
  const clean = cleanText(text);
  const room = limit - widthOf("…");
  let kept = "";
  let cut = "";
  let width = 0;
  for (const { segment } of graphemes.segment(clean)) {
    width += widthOf(segment);
    if (width > limit || kept.length + segment.length > MAX_CHARACTERS) return `${cut.trimEnd()}…`;
    kept += segment;
    if (width <= room) cut = kept;
  }
  return clean;
}

/** Decimals that show a value of this size to three figures. */
export function decimalsFor(limit: number): number {
  if (!(limit > 0)) return 4;
  return Math.min(8, Math.max(2, 2 - Math.floor(Math.log10(limit))));
}

/** A contribution with its sign: `+0.0312`, `−0.0041`, `0.0000`. */
export function formatSigned(value: number, decimals: number): string {
  const digits = Math.abs(value).toFixed(decimals);
  if (Number(digits) === 0) return digits;
  return (value < 0 ? "−" : "+") + digits;
}

/** A cosine similarity: four decimals and a true minus sign. */
export function formatCosine(value: number): string {
  const digits = Math.abs(value).toFixed(4);
  return value < 0 && Number(digits) !== 0 ? `−${digits}` : digits;
}

/** The size of a rounding error: `3e-8`, or `0`. */
export function formatError(error: number): string {
  return error === 0 ? "0" : error.toExponential(0);
}

/** `1 image`, `2,000 images`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** What an image is called in a heading: what it shows, where that is known, else its file. */
export const imageTitle = ({ image: { label, name } }: Origin<"image">): string =>
  label ?? (name.startsWith("upload:") ? "an uploaded picture" : name.replace(/^.*[\\/]/, ""));
