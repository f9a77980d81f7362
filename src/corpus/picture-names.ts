/** What a file is as far as its name and its beginning say: the same on a disk, in a store and in a page. */
import { FORMAT_HEAD, imageFormat } from "../image/format.ts";
import type { ErrorCode } from "../support/errors.ts";
import { nameIn } from "../support/paths.ts";

export { FORMAT_HEAD };

/** Why a file is not taken in, as a line of `rejected.jsonl` says it. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What is known of a file before it is decoded. */
export interface SeenFile {
  /** 0 where it is not known. */
  readonly bytes: number;
  /** When it was last written, in whole milliseconds since 1970. */
  readonly mtime?: number;
  /** Why it is no picture that can be read: a verdict about the file. */
  readonly refused?: Refusal;
  /** Why it cannot be reached: no verdict, since the next run may find it. */
  readonly unread?: Refusal;
}

const READABLE = new Set(
  "jpg jpeg jpe jfif png webp gif tif tiff avif heic heics hif heif heifs bmp dib ppm pgm pbm pnm"
    .split(" ")
    .map((name) => `.${name}`),
);

/** Formats of pictures that are not read, by extension; a file that begins as one that is read is taken all the same. */
const UNREAD = extensions({
  "JPEG 2000": "jp2 j2k jpf jpx jpm j2c jpc",
  "JPEG XL": "jxl",
  "JPEG XR": "jxr wdp hdp",
  Photoshop: "psd psb",
  GIMP: "xcf",
  ICO: "ico cur",
  SVG: "svg svgz",
  PostScript: "eps",
  TGA: "tga",
  OpenEXR: "exr",
  "Radiance HDR": "hdr",
  DDS: "dds",
  QOI: "qoi",
  Netpbm: "pam pfm",
  DICOM: "dcm",
});
/** They begin as a TIFF, and what that holds is a small preview at best. */
const CAMERA_RAW = extensions({
  "camera raw":
    "dng cr2 cr3 crw nef nrw arw srf sr2 raf orf rw2 pef srw raw rwl x3f 3fr fff iiq erf kdc dcr mrw mef mos",
});

function extensions(formats: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(formats).flatMap(([format, list]) =>
      list.split(" ").map((name) => [`.${name}`, format] as const),
    ),
  );
}

/** Files and folders in which other programs keep thumbnails, snapshots and what was deleted. */
const OTHERS = new Set([
  ...["@eadir", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot"],
  ...["$recycle.bin", "recycler", "system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini"],
  ...["lost+found", "node_modules", "__macosx", "__pycache__", "network trash folder", "temporary items"],
]);

/** Whether a file or folder is hidden, or kept by another program for itself. */
export const isOthers = (name: string): boolean => name.startsWith(".") || OTHERS.has(name.toLowerCase());

/** Whether a name is that of a format that is read: what lies below it is seen when it is decoded. */
export const isReadableName = (path: string): boolean => READABLE.has(extensionOf(path).toLowerCase());

/** Archives that can only be read from their start. */
const COMPRESSED = /\.(tar\.(gz|bz2|xz|zst)|tgz)$/i;

/** Why a file is not read, as far as its name says. */
export function refusalOf(path: string): { readonly refused?: Refusal } {
  const extension = extensionOf(path).toLowerCase();
  if (COMPRESSED.test(path)) {
    const message = `${path} is a compressed archive: its pictures cannot be read one by one`;
    return { refused: { code: "ARCHIVE_DAMAGED", message } };
  }
  const name = CAMERA_RAW.get(extension) ?? UNREAD.get(extension);
  if (name === undefined) return {};
  const message = `${path} is in a format that is not read: ${name}`;
  return { refused: { code: "IMAGE_UNSUPPORTED", message } };
}

/** Whether a file holds images, or is an archive that might, by its name. */
export const isContainer = (path: string) => /\.(tar|parquet)$/i.test(path) || COMPRESSED.test(path);

/** Whether a name without an extension that is known may still be that of a picture: one has to look. */
export function mayBePicture(path: string): boolean {
  const extension = extensionOf(path);
  return extension === "" || READABLE.has(extension) || UNREAD.has(extension) || CAMERA_RAW.has(extension);
}

/** The extension that files are counted by; names that only look as if they had one are counted together. */
export function kindOf(name: string): string {
  const extension = extensionOf(name).toLowerCase();
  if (extension === "") return "without extension";
  return /^\.[a-z0-9_-]{1,12}$/.test(extension) ? extension : "other";
}

/** `.jpg`, in lower case; empty for a name without one. */
export function extensionOf(path: string): string {
  const name = nameIn(path);
  const at = name.lastIndexOf(".");
  return at > 0 ? name.slice(at).toLowerCase() : "";
}

/** Whether only the beginning of a file says what it is. */
export const needsHead = (path: string): boolean => !isReadableName(path) && !isContainer(path);

/**
 * What a file is that may be a picture.
 * @param seen its size and time
 * @param head how it begins, where {@link needsHead}
 * @param named whether it was named as a picture: then it is one, whatever it is called, until it is decoded
 */
export function judge(
  path: string,
  seen: SeenFile,
  head: Uint8Array | undefined,
  named = false,
): SeenFile | { readonly kind: string } {
  const extension = extensionOf(path);
  if (READABLE.has(extension)) return seen;
  if (isContainer(path)) return { ...seen, ...refusalOf(path) };
  const format = head && !CAMERA_RAW.has(extension) ? imageFormat(head) : undefined;
  if (format?.readable) return seen;
  const name = format?.name ?? CAMERA_RAW.get(extension) ?? UNREAD.get(extension);
  if (name === undefined) return named ? seen : { kind: kindOf(path) };
  const message = `${path} is in a format that is not read: ${name}`;
  return { ...seen, refused: { code: "IMAGE_UNSUPPORTED", message } };
}
