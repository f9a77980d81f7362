/**
 * Parquet tables with images, as data sets are published in: a column of bytes, or of addresses that are fetched. Texts and
 * labels are read when a source is looked through, pictures when their turn comes, a group of rows at a time.
 */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { AsyncBuffer, Compressors, FileMetaData, SchemaElement } from "hyparquet";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { fetchPublic } from "../support/public-fetch.ts";
import { sharedCache } from "../support/shared.ts";
import type { Store } from "./store.ts";

/** What a row says of an image, before it is read. */
export interface TableRow {
  readonly key: string;
  readonly label: string | null;
  readonly caption: string | null;
}

/** A table of images. */
interface Table {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  /** The column of the images: their bytes, or their addresses. */
  readonly image: { readonly column: string; readonly holds: "bytes" | "struct" | "address" };
  readonly key: string | undefined;
  readonly label: string | undefined;
  readonly caption: string | undefined;
}

/** Names that columns have in data sets, the likelier first. */
const IMAGES = ["image", "img", "jpg", "jpeg", "png", "webp", "image_bytes", "bytes"];
const ADDRESSES = ["url", "image_url", "image_link"];
const LABELS = ["label", "cls", "class", "class_name"];
const CAPTIONS = ["caption", "text", "txt"];
const KEYS = ["key", "id", "__key__", "filename", "file_name"];

/** Bytes of images that are kept, and that a group of rows may have at most: all of it is read for one. */
const GROUP_BYTES = 2 ** 30;
/** A page may not grow beyond that. */
const PAGE_BYTES = 2 ** 30;

const COMPRESSORS: Compressors = {
  GZIP: (input) => gunzipSync(input, { maxOutputLength: PAGE_BYTES }),
  BROTLI: (input) => brotliDecompressSync(input, { maxOutputLength: PAGE_BYTES }),
};

/** Tables that were opened last; what a file is called for changes with it. */
const tables = sharedCache<Table>(16);
const groups = sharedCache<readonly unknown[]>(GROUP_BYTES);

const nameOf = async (store: Store, file: string) => `${store.where}/${file} ${await store.version(file)}`;

async function openTable(store: Store, file: string): Promise<Table> {
  const { parquetMetadataAsync } = await import("hyparquet");
  const size = await store.size(file);
  if (size === undefined)
    throw new ClipInterpretError("INPUT_NOT_FOUND", `no such file: ${store.where}/${file}`);
  const buffer: AsyncBuffer = {
    byteLength: size,
    slice: async (start, end = size) => {
      const [from, to] = [start < 0 ? size + start : start, end < 0 ? size + end : end];
      const bytes = await store.readRange(file, from, to - from);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    },
  };
  const metadata = await parquetMetadataAsync(buffer).catch((cause) => Promise.reject(invalid(file, cause)));
  const columns = columnsOf(metadata);
  const find = (names: readonly string[], fits: (column: Column) => boolean) => {
    for (const name of names) {
      const found = columns.find((column) => column.name.toLowerCase() === name && fits(column));
      if (found) return found;
    }
    return undefined;
  };
  const bytes = find(IMAGES, ({ holds }) => holds === "bytes" || holds === "struct");
  const address = find(ADDRESSES, ({ holds }) => holds === "text" || holds === "bytes");
  const found = bytes ?? address;
  if (!found) {
    const message = `${file} has no column of images: it has ${columns.map(({ name }) => name).join(", ")}`;
    const hint = `Images are looked for in columns ${IMAGES.join(", ")} (bytes) and ${ADDRESSES.join(", ")} (addresses).`;
    throw new ClipInterpretError("LIST_INVALID", message, { hint });
  }
  const scalar = ({ holds }: Column) => holds === "text" || holds === "number" || holds === "bytes";
  return {
    file: buffer,
    metadata,
    image: { column: found.name, holds: !bytes ? "address" : bytes.holds === "struct" ? "struct" : "bytes" },
    key: find(KEYS, scalar)?.name,
    label: find(LABELS, scalar)?.name,
    caption: find(CAPTIONS, scalar)?.name,
  };
}

interface Column {
  readonly name: string;
  readonly holds: "bytes" | "text" | "number" | "struct" | "other";
}

/** The columns at the top of a schema. */
function columnsOf({ schema }: FileMetaData): Column[] {
  const columns: Column[] = [];
  for (let at = 1; at < schema.length; ) {
    const element = schema[at];
    const end = endOf(schema, at);
    const inner = schema.slice(at + 1, end).map(({ name }) => name);
    const holds =
      inner.length > 0
        ? inner.includes("bytes") && element.repetition_type !== "REPEATED"
          ? "struct"
          : "other"
        : element.type !== "BYTE_ARRAY"
          ? "number"
          : element.converted_type === "UTF8" || element.logical_type?.type === "STRING"
            ? "text"
            : "bytes";
    columns.push({ name: element.name, holds });
    at = end;
  }
  return columns;
}

/** Where the elements below one end. */
function endOf(schema: readonly SchemaElement[], at: number): number {
  let end = at + 1;
  for (let child = 0; child < (schema[at].num_children ?? 0); child++) end = endOf(schema, end);
  return end;
}

async function readColumns(table: Table, columns: readonly string[], rowStart: number, rowEnd: number) {
  const { parquetReadObjects } = await import("hyparquet");
  const { file, metadata } = table;
  // Pictures are no texts.
  const what = { columns: [...columns], rowStart, rowEnd, utf8: false, compressors: COMPRESSORS };
  return parquetReadObjects({ file, metadata, ...what });
}

const invalid = (file: string, cause: unknown): ClipInterpretError =>
  cause instanceof ClipInterpretError
    ? cause
    : new ClipInterpretError(
        "LIST_INVALID",
        `${file} cannot be read as a Parquet table: ${messageOf(cause)}`,
        {
          cause,
        },
      );

/** What the rows of a table say, without their images. @throws `LIST_INVALID` where it is no table of images; what reading a store throws */
export async function* tableRows(store: Store, file: string): AsyncGenerator<TableRow, void, undefined> {
  const table = await tables.get(await nameOf(store, file), () => openTable(store, file));
  const { key, label, caption } = table;
  const columns = [key, label, caption].filter((name) => name !== undefined);
  let start = 0;
  for (const group of table.metadata.row_groups) {
    const end = start + Number(group.num_rows);
    const rows =
      columns.length === 0
        ? Array.from({ length: end - start }, () => ({}) as Record<string, unknown>)
        : await readColumns(table, columns, start, end).catch((cause) =>
            Promise.reject(invalid(file, cause)),
          );
    if (rows.length !== end - start) throw invalid(file, new Error("a group has other rows than it says"));
    for (const [i, row] of rows.entries()) {
      const text = (name: string | undefined) => (name === undefined ? null : textOf(row[name]));
      yield { key: text(key) ?? String(start + i), label: text(label), caption: text(caption) };
    }
    start = end;
  }
}

function textOf(value: unknown): string | null {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "bigint" ? String(value) : null;
}

/** The bytes of the image of a row. @throws `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`, `LIST_INVALID`; what reading a store and fetching throw */
export async function readTableImage(store: Store, file: string, row: number): Promise<Buffer> {
  const name = await nameOf(store, file);
  const table = await tables.get(name, () => openTable(store, file));
  const { column, holds } = table.image;
  let start = 0;
  for (const group of table.metadata.row_groups) {
    const end = start + Number(group.num_rows);
    if (row >= end) {
      start = end;
      continue;
    }
    const own = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === column);
    const bytes = own.reduce((sum, { meta_data }) => sum + Number(meta_data!.total_uncompressed_size), 0);
    if (!(bytes <= GROUP_BYTES)) {
      const message = `${file} has ${bytes} bytes of images in one group of rows; at most ${GROUP_BYTES} are read at once`;
      throw new ClipInterpretError("IMAGE_TOO_LARGE", message, {
        hint: "Write it again with smaller row groups.",
      });
    }
    const read = async () =>
      (await readColumns(table, [column], start, end)).map((values) => values[column] as unknown);
    const values = await groups.get(`${name} ${column} ${start}`, read, bytes).catch((cause) => {
      throw invalid(file, cause);
    });
    return imageOf(values[row - start], holds, `${file}, row ${row}`);
  }
  throw new ClipInterpretError("IMAGE_UNREADABLE", `${file} has no row ${row}`);
}

async function imageOf(value: unknown, holds: Table["image"]["holds"], where: string): Promise<Buffer> {
  if (holds === "address") {
    const address = textOf(value);
    if (address === null) throw new ClipInterpretError("IMAGE_UNREADABLE", `${where}: no address`);
    return fetchPublic(address);
  }
  const bytes = holds === "struct" ? (value as { bytes?: unknown } | null)?.bytes : value;
  if (bytes instanceof Uint8Array) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  throw new ClipInterpretError("IMAGE_UNREADABLE", `${where}: no bytes of a picture`);
}
