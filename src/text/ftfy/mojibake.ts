import { isBad } from "./badness.ts";
import { CHARMAPS, decodeUtf8, decodeUtf8Variants, encode, fixC1Controls } from "./encodings.ts";
import { CLUES } from "./tables.ts";

/** What was read in the wrong encoding, read again in the right one; again until nothing changes. */
export function fixEncoding(text: string): string {
  for (let before = text; ; before = text) {
    text = fixEncodingOnce(before);
    if (text === before) return text;
  }
}

/** UTF-8 in a text that is not all UTF-8: two to four characters that may be its bytes, as many times as they follow. */
const EMBEDDED = new RegExp(
  `(?<![${CLUES.continuation_strict}])(?:[${CLUES.first_of_2}][${CLUES.continuation}]|` +
    `[${CLUES.first_of_3}][${CLUES.continuation}]{2}|[${CLUES.first_of_4}][${CLUES.continuation}]{3})+`,
  "gu",
);

function fixEncodingOnce(text: string): string {
  if (!isBad(text)) return text;
  let latin1: string | undefined;
  for (const charmap of CHARMAPS) {
    const bytes = encode(text, charmap);
    if (bytes === undefined) continue;
    if (charmap.name === "latin-1") latin1 = bytes;
    const fixed = readAsUtf8(bytes, charmap);
    if (fixed !== undefined) return fixed;
  }
  const embedded = text.replace(EMBEDDED, (part) =>
    part.length < text.length && isBad(part) ? fixEncoding(part) : part,
  );
  if (embedded !== text) return embedded;
  // Latin-1's controls were meant to be Windows-1252; in Python's strict form, which has no character for five of them.
  if (latin1 !== undefined && !/[\x81\x8d\x8f\x90\x9d]/.test(latin1)) {
    const fixed = fixC1Controls(latin1);
    if (fixed !== text) return fixed;
  }
  return fixC1Controls(text);
}

function readAsUtf8(encoded: string, { name, sloppy }: { name: string; sloppy: boolean }) {
  // In MacRoman it would take an en dash before a space for one of them.
  let bytes = name === "macroman" ? encoded : restoreByteA0(encoded);
  if (sloppy) bytes = bytes.replace(LOSSY, "\xef\xbf\xbd");
  return /[\xc0\xed]/.test(bytes) ? decodeUtf8Variants(bytes) : decodeUtf8(bytes);
}

/** UTF-8 with a space where the byte 0xa0 must have been: lead bytes for which that is likely. */
const ALTERED =
  /[\xc2\xc3\xc5\xce\xd0\xd9] |[\xe2\xe3] [\x80-\x84\x86-\x9f\xa1-\xbf]|[\xe0-\xe3][\x80-\x84\x86-\x9f\xa1-\xbf] |\xf0 [\x80-\xbf][\x80-\xbf]|\xf0[\x80-\xbf] [\x80-\xbf]|\xf0[\x80-\xbf][\x80-\xbf] /g;

/** "Ã la mode" is "à la mode" with its space; Portuguese "Ã s" and the like are one word. */
function restoreByteA0(bytes: string): string {
  if (bytes.search(ALTERED) < 0) return bytes;
  return bytes
    .replace(/\xc3 (?! |quele|quela|quilo|s )/g, "\xc3\xa0 ")
    .replace(ALTERED, (sequence) => sequence.replaceAll(" ", "\xa0"));
}

/** UTF-8 of which a byte was lost (0x1a here, at times a question mark): one lost character. */
const LOSSY = new RegExp(
  [
    "[\xc2-\xdf]\x1a",
    "[\xc2-\xc3]\\?",
    "\xed[\xa0-\xaf][\x1a?]\xed[\xb0-\xbf][\x1a?\x80-\xbf]",
    "\xed[\xa0-\xaf][\x1a?\x80-\xbf]\xed[\xb0-\xbf][\x1a?]",
    "[\xe0-\xef][\x1a?][\x1a\x80-\xbf]",
    "[\xe0-\xef][\x1a\x80-\xbf][\x1a?]",
    "[\xf0-\xf4][\x1a?][\x1a\x80-\xbf]{2}",
    "[\xf0-\xf4][\x1a\x80-\xbf][\x1a?][\x1a\x80-\xbf]",
    "[\xf0-\xf4][\x1a\x80-\xbf]{2}[\x1a?]",
    "\x1a",
  ].join("|"),
  "g",
);
