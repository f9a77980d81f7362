import { UPPER_HALVES } from "./tables.ts";

/** An encoding of one byte a character that a text may have been read in by mistake. */
export interface Charmap {
  readonly name: string;
  /**
   * Windows' own pages have gaps, which are read as Latin-1 here, and a byte 0x1a in the place of a lost character
   * (U+FFFD): ftfy calls them sloppy.
   */
  readonly sloppy: boolean;
  readonly bytes: ReadonlyMap<string, number>;
}

const ASCII = String.fromCharCode(...Array.from({ length: 0x80 }, (_, code) => code));
const LATIN_1 = String.fromCharCode(...Array.from({ length: 0x80 }, (_, i) => 0x80 + i));
const REPLACEMENT = "\ufffd";

/** In the order in which they are tried. */
export const CHARMAPS: readonly Charmap[] = Object.entries({ "latin-1": LATIN_1, ...UPPER_HALVES }).map(
  ([name, upper]) => {
    const sloppy = name.startsWith("sloppy");
    const bytes = new Map([...ASCII, ...upper].map((character, byte) => [character, byte]));
    if (sloppy) {
      bytes.delete("\x1a");
      bytes.set(REPLACEMENT, 0x1a);
    }
    return { name, sloppy, bytes };
  },
);

/** The bytes of a text, one character below U+0100 each; undefined if it has a character that the encoding has not. */
export function encode(text: string, { bytes }: Charmap): string | undefined {
  let encoded = "";
  for (const character of text) {
    const byte = bytes.get(character);
    if (byte === undefined) return undefined;
    encoded += String.fromCharCode(byte);
  }
  return encoded;
}

const WINDOWS_1252 = UPPER_HALVES["sloppy-windows-1252"];

/** The controls U+0080 to U+009F as Windows-1252 reads their bytes, as browsers do. */
export const fixC1Controls = (text: string): string =>
  text.replace(/[\x80-\x9f]/g, (control) => WINDOWS_1252[control.charCodeAt(0) - 0x80]!);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes read as UTF-8; undefined if they are not. */
export function decodeUtf8(bytes: string): string | undefined {
  try {
    return utf8.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

const SURROGATES = "\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]";
const VARIANTS = new RegExp(`(\xc0\x80|${SURROGATES})`);

/** The same for its variants too: surrogates encoded one by one (CESU-8), and Java's two bytes for U+0000. */
export function decodeUtf8Variants(bytes: string): string | undefined {
  let text = "";
  // Splitting by a group keeps what matched: every second piece.
  for (const [i, piece] of bytes.split(VARIANTS).entries()) {
    const decoded = i % 2 === 0 ? decodeUtf8(piece) : fromVariant(piece);
    if (decoded === undefined) return undefined;
    text += decoded;
  }
  return text;
}

function fromVariant(bytes: string): string {
  if (bytes.length === 2) return "\0";
  const bits = (at: number, mask: number) => bytes.charCodeAt(at) & mask;
  const high = (bits(1, 0x0f) << 16) | (bits(2, 0x3f) << 10);
  return String.fromCodePoint(0x10000 + high + (bits(4, 0x0f) << 6) + bits(5, 0x3f));
}
