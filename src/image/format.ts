import { Binary } from "../support/binary.ts";

/** What kind of picture a file is. */
export interface ImageFormat {
  /** As people call it: `JPEG`, `HEIC`, `JPEG 2000`. */
  readonly name: string;
  /** False for what `decodeImage` refuses by this name. */
  readonly readable: boolean;
}

/** As many bytes of a file's beginning as {@link imageFormat} looks at. */
export const FORMAT_HEAD = 1024;

/** Bytes, in latin1, that stand at a place. */
type Mark = readonly [at: number, bytes: string];

// Those whose beginning is another's too come first.
const SIGNATURES: readonly (readonly [name: string, readable: boolean, ...marks: readonly Mark[]])[] = [
  ["JPEG", true, [0, "\xff\xd8\xff"]],
  ["PNG", true, [0, "\x89PNG\r\n\x1a\n"]],
  ["GIF", true, [0, "GIF87a"]],
  ["GIF", true, [0, "GIF89a"]],
  ["WebP", true, [0, "RIFF"], [8, "WEBP"]],
  ["BMP", true, [0, "BM"], [15, "\0\0\0"]],
  ["Canon raw", false, [0, "II*\0"], [8, "CR"]],
  ["Canon raw", false, [4, "ftypcrx "]],
  ["TIFF", true, [0, "II*\0"]],
  ["TIFF", true, [0, "MM\0*"]],
  ["TIFF", true, [0, "II+\0"]],
  ["TIFF", true, [0, "MM\0+"]],
  ["JPEG 2000", false, [0, "\0\0\0\x0cjP  \r\n\x87\n"]],
  ["JPEG 2000", false, [0, "\xff\x4f\xff\x51"]],
  ["JPEG XL", false, [0, "\0\0\0\x0cJXL \r\n\x87\n"]],
  ["JPEG XL", false, [0, "\xff\x0a"]],
  ["JPEG XR", false, [0, "II\xbc\x01"]],
  ["PAM", false, [0, "P7\n"]],
  ["PFM", false, [0, "PF\n"]],
  ["PFM", false, [0, "Pf\n"]],
  ["Photoshop", false, [0, "8BPS\0"]],
  ["GIMP", false, [0, "gimp xcf"]],
  ["ICO", false, [0, "\0\0\x01\0"], [9, "\0"]],
  ["OpenEXR", false, [0, "\x76\x2f\x31\x01"]],
  ["Radiance HDR", false, [0, "#?RADIANCE"]],
  ["Radiance HDR", false, [0, "#?RGBE"]],
  ["DDS", false, [0, "DDS \x7c\0\0\0"]],
  ["QOI", false, [0, "qoif"]],
  ["Olympus raw", false, [0, "IIRO"]],
  ["Olympus raw", false, [0, "IIRS"]],
  ["Panasonic raw", false, [0, "IIU\0"]],
  ["Fujifilm raw", false, [0, "FUJIFILMCCD-RAW"]],
  ["DICOM", false, [128, "DICM"]],
  ["FITS", false, [0, "SIMPLE  ="]],
];

const NETPBM = ["PBM", "PGM", "PPM"];
const HEVC = /^(hei[cmsx]|hev[cmsx])$/;
const AV1 = /^avi[fs]$/;
const HEIF = /^(mif1|msf1|miaf)$/;

/**
 * What kind of picture a file is, by how it begins and never by its name.
 * @param head the file's first {@link FORMAT_HEAD} bytes, or all of it
 * @returns undefined for what is no picture, or has no beginning of its own to know it by
 */
export function imageFormat(head: Uint8Array): ImageFormat | undefined {
  const bytes = Binary.over(head.subarray(0, FORMAT_HEAD));
  const text = bytes.latin1();
  const found = SIGNATURES.find(([, , ...marks]) => marks.every(([at, mark]) => text.startsWith(mark, at)));
  if (found) return { name: found[0], readable: found[1] };
  if (text.startsWith("ftyp", 4)) return heifFormat(bytes.readUInt32BE(), text);
  if (/^P[1-6][\s#]/.test(text)) return { name: NETPBM[(Number(text[1]) - 1) % 3]!, readable: true };
  return isSvg(text) ? { name: "SVG", readable: false } : undefined;
}

/** True where the first element is `svg`; a declaration, comments and a document type may come before it. */
function isSvg(text: string): boolean {
  return /^(\xef\xbb\xbf)?\s*</.test(text) && /<[a-z][^\s>]*/i.exec(text)?.[0] === "<svg";
}

/** The kind of a HEIF: its brands, four letters each, stand in its first box and say with which codec. */
function heifFormat(length: number, text: string): ImageFormat | undefined {
  const [main, , ...others] = text.slice(8, length).match(/[\s\S]{4}/g) ?? [];
  const brands = [main ?? "", ...others];
  if (AV1.test(brands[0])) return { name: "AVIF", readable: true };
  if (HEVC.test(brands[0])) return { name: "HEIC", readable: true };
  if (!HEIF.test(brands[0])) return undefined;
  if (brands.some((brand) => AV1.test(brand))) return { name: "AVIF", readable: true };
  const hevc = brands.some((brand) => HEVC.test(brand));
  return { name: hevc ? "HEIC" : "HEIF", readable: hevc };
}
