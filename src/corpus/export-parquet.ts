import type { ColumnSource } from "hyparquet-writer";
import { fillWhole } from "../support/files.ts";
import type { Index } from "./open-index.ts";
import type { ImageRow } from "./rows.ts";
import type { FactorValue } from "./source.ts";

/**
 * Writes what an index knows of its images as a Parquet file: one row an image, in the order of the index's arrays.
 *
 * Columns: `row` (INT32: the image's place in the arrays of the whole index, shards one after another), `id`, `path`
 * (strings), `width`, `height` (INT32, pixels), `bytes` (INT64, size of the file), `sha256`, `label` (string, null
 * where an image has none), and one column a factor, null where an image has none. A factor has its own name, or
 * `factor_` before it where another column has that name. Where all its values are numbers it is INT32, or DOUBLE if
 * one is no 32-bit integer; else it is a string. (From a `.csv`, every factor is text.)
 *
 * The file appears under its name when it is complete.
 * @throws `OUTPUT_UNWRITABLE`, `DISK_FULL`
 */
export async function exportParquet({ images }: Index, file: string): Promise<void> {
  // Loaded here: it takes long, and few commands write this format.
  const { parquetWriteFile } = await import("hyparquet-writer");
  await fillWhole(file, async (filename) => parquetWriteFile({ filename, columnData: columnsOf(images) }));
}

function columnsOf(images: readonly ImageRow[]): ColumnSource[] {
  const text = (name: "id" | "path" | "sha256"): ColumnSource => {
    return { name, type: "STRING", nullable: false, data: images.map((image) => image[name]) };
  };
  const pixels = (name: "width" | "height"): ColumnSource => {
    return { name, type: "INT32", nullable: false, data: Int32Array.from(images, (image) => image[name]) };
  };
  const sizes = BigInt64Array.from(images, ({ bytes }) => BigInt(bytes));
  const own: ColumnSource[] = [
    { name: "row", type: "INT32", nullable: false, data: Int32Array.from(images.keys()) },
    text("id"),
    text("path"),
    pixels("width"),
    pixels("height"),
    { name: "bytes", type: "INT64", nullable: false, data: sizes },
    text("sha256"),
    { name: "label", type: "STRING", data: images.map(({ label }) => label) },
  ];
  const taken = own.map(({ name }) => name);
  const factors = [...new Set(images.flatMap((image) => Object.keys(image.factors)))];
  const names = factorNames(taken, factors);
  const values = (factor: string) =>
    images.map((image) => (Object.hasOwn(image.factors, factor) ? image.factors[factor] : null));
  return [...own, ...factors.map((factor, i) => factorColumn(names[i], values(factor)))];
}

/** A column name for every factor: its own, or a prefixed one where that is taken or empty. */
function factorNames(taken: readonly string[], factors: readonly string[]): string[] {
  const used = new Set([...taken, ...factors]);
  return factors.map((factor) => {
    if (!taken.includes(factor) && factor !== "") return factor;
    let name = `factor_${factor}`;
    while (used.has(name)) name = `factor_${name}`;
    used.add(name);
    return name;
  });
}

/** The narrowest column that holds a factor's values. */
function factorColumn(name: string, values: readonly FactorValue[]): ColumnSource {
  const known = values.filter((value) => value !== null);
  const numbers = known.filter((value) => typeof value === "number");
  if (numbers.length === 0 || numbers.length < known.length) {
    const texts = values.map((value) => (value === null ? null : String(value)));
    return { name, type: "STRING", data: texts };
  }
  const whole = numbers.every((value) => (value | 0) === value);
  return { name, type: whole ? "INT32" : "DOUBLE", data: [...values] };
}
