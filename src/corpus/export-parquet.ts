import type { ColumnSource } from "hyparquet-writer";
import { choleskyFactor } from "../math/eigenvalues.ts";
import { dot } from "../math/linear.ts";
import { headName, type WeightedHead } from "../model/components.ts";
import type { HeadGeometry } from "../model/geometry.ts";
import { coordinateCount, headMetric } from "../model/head-space.ts";
import { fillWhole } from "../support/files.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { createHeadCache } from "./head-cache.ts";
import { layOut, MOST_LAID_OUT } from "./layout.ts";
import { missingPictures, spread } from "./root.ts";
import type { ImageRow } from "./rows.ts";
import { everyRow, hasRows, type OpenShard, type ShardedIndex } from "./sharded-index.ts";
import type { FactorValue } from "./source.ts";
import { thumbnailOf } from "./thumbnails.ts";

/** What a Parquet file holds beside what is known of the images. */
export interface ParquetOptions extends WorkOptions {
  /** The vectors of every image: e/‖e‖ as `embedding`. */
  readonly embedding?: boolean;
  /** Heads whose contributions are vectors too, `L3_H1`; needs the geometry of the model. */
  readonly heads?: readonly Pick<WeightedHead, "layer" | "head">[];
  readonly geometry?: HeadGeometry;
  /** How well each image fits a text, by the text: the product of e/‖e‖ and the text's unit embedding, as `score_a_dog`. */
  readonly texts?: ReadonlyMap<string, Float64Array>;
  /** Two columns more a vector, `…_x` and `…_y`: its place on a plane. */
  readonly layout?: boolean;
  /** Chooses the layout among many that are as good. */
  readonly seed?: number;
  /** Pictures that fit a square of so many pixels, as `image`. */
  readonly thumbnails?: number;
}

/** Rows of a row group: what is in memory at a time. */
const GROUP = 2048;

/** Pictures that are read at a time. */
const PICTURES_AT_ONCE = 4;

/**
 * Writes what an index knows of its images as a Parquet file: one row an image, in the order of the index's arrays, some
 * thousand at a time.
 *
 * Columns: `row` (INT32: the image's place in the arrays of the whole index, shards one after another), `id`, `path`
 * (strings), `width`, `height` (INT32, pixels), `bytes` (INT64, size of the file), `sha256`, `label` (string, null
 * where an image has none), and one column a factor, null where an image has none. A factor has its own name, or
 * `factor_` before it where another column has that name. Where all its values are numbers it is INT32, or DOUBLE if
 * one is no 32-bit integer; else it is a string. (From a `.csv`, every factor is text.)
 *
 * If they are asked for: lists of FLOAT, `embedding` and for each head `L3_H1`, what it wrote in coordinates whose dot products
 * are those of the contributions; their layouts (DOUBLE, null beyond {@link MOST_LAID_OUT} images); and `image`, {bytes, path},
 * a PNG as the `datasets` of Hugging Face know it, null where the file is gone. For each text a column `score_…` (DOUBLE); the
 * file's metadata `clip-interpret` says which column is of which text.
 *
 * The file appears under its name when it is complete.
 * @throws `OUTPUT_UNWRITABLE`, `DISK_FULL`, `INDEX_CORRUPT`, `CANCELLED`
 */
export async function exportParquet(
  index: ShardedIndex,
  file: string,
  options: ParquetOptions = {},
): Promise<void> {
  const { thumbnails, texts = new Map<string, Float64Array>(), report, signal } = options;
  // Loaded here: it takes long, and few commands write this format.
  const { fileWriter, ParquetWriter } = await import("hyparquet-writer");
  const vectors = vectorsOf(index, options);
  const scores = scoreColumns(texts);
  const factors = await findFactors(index);
  const columns: Column[] = [
    ...knownColumns(),
    ...scores.map(({ name }): Column => ({ name, kind: "SCORE", of: () => null })),
    ...vectors.map(({ name }): Column => ({ name, kind: "VECTOR", of: () => null })),
    ...(options.layout ? await layoutColumns(index, vectors, options) : []),
    ...(thumbnails === undefined ? [] : [{ name: "image", kind: "IMAGE", of: () => null } as const]),
  ];
  const taken = columns.map(({ name }) => name);
  for (const [i, name] of factorNames(
    taken,
    factors.map(({ factor }) => factor),
  ).entries())
    columns.push({ name, kind: factors[i].kind, of: (image) => factorOf(image, factors[i]) });
  const task = "exporting";
  const total = index.images.length;
  const gone: string[] = [];
  report?.({ type: "start", task, unit: "image", total });
  await fillWhole(file, async (filename) => {
    const writer = fileWriter(filename);
    const features = { info: { features: { image: { _type: "Image" } } } };
    const textsOf = Object.fromEntries(scores.map(({ name, text }) => [name, text]));
    const described = [
      ...(thumbnails === undefined ? [] : [{ key: "huggingface", value: JSON.stringify(features) }]),
      ...(scores.length === 0 ? [] : [{ key: "clip-interpret", value: JSON.stringify({ texts: textsOf }) }]),
    ];
    const parquet = new ParquetWriter({
      writer,
      schema: [{ name: "root", num_children: columns.length }, ...columns.flatMap(schemaOf)],
      createdBy: "clip-interpret",
      ...(described.length > 0 && { kvMetadata: described }),
    });
    for await (const { start, images, shard } of groupsOf(index)) {
      const read = await readVectors(shard, vectors);
      const embeddings = scores.length === 0 ? new Float32Array() : await shard.embeddings();
      const { embedDim } = index.manifest;
      const scoreOf = (probe: Float64Array, image: number) =>
        dot(embeddings.subarray(image * embedDim, (image + 1) * embedDim), probe);
      for (let from = 0; from < images.length; from += GROUP) {
        checkCancelled(signal);
        const group = images.slice(from, from + GROUP);
        const pictures = thumbnails === undefined ? [] : await picturesOf(index, group, thumbnails, gone);
        const columnData = columns.map(({ name, kind, of }): ColumnSource => {
          if (kind === "IMAGE") return { name, data: pictures, codec: "UNCOMPRESSED", statistics: false };
          const score = scores.find((one) => one.name === name);
          if (kind === "SCORE" && score)
            return { name, data: group.map((_, i) => scoreOf(score.probe, from + i)) };
          if (kind !== "VECTOR")
            return { name, data: group.map((image, i) => of(image, start + from + i)) as never };
          const rows = read.get(name)!;
          return {
            ...{ name, data: group.map((_, i) => rows(from + i)) as never },
            ...{ codec: "UNCOMPRESSED", encoding: "PLAIN", statistics: false },
          };
        });
        await parquet.write({ columnData, rowGroupSize: GROUP });
        report?.({ type: "advance", task, done: start + from + group.length, total });
      }
    }
    await parquet.finish();
  });
  report?.({ type: "end", task, done: total });
  const message = missingPictures(index, gone);
  if (message) report?.({ type: "warning", code: "IMAGES_MISSING", message });
}

/** Kinds of columns: what Parquet calls them, lists of floats, and pictures. */
type Kind =
  | "INT32"
  | "INT64"
  | "DOUBLE"
  | "STRING"
  | "NULLABLE STRING"
  | "NULLABLE INT32"
  | "VECTOR"
  | "SCORE"
  | "IMAGE";

interface Column {
  readonly name: string;
  readonly kind: Kind;
  /** The value of an image; of vectors and pictures it is read apart. */
  of(image: ImageRow, row: number): FactorValue | bigint;
}

const knownColumns = (): Column[] => [
  { name: "row", kind: "INT32", of: (_, row) => row },
  { name: "id", kind: "STRING", of: ({ id }) => id },
  { name: "path", kind: "STRING", of: ({ path }) => path },
  { name: "width", kind: "INT32", of: ({ width }) => width },
  { name: "height", kind: "INT32", of: ({ height }) => height },
  { name: "bytes", kind: "INT64", of: ({ bytes }) => BigInt(bytes) },
  { name: "sha256", kind: "STRING", of: ({ sha256 }) => sha256 },
  { name: "label", kind: "NULLABLE STRING", of: ({ label }) => label },
];

type Elements = ConstructorParameters<typeof import("hyparquet-writer").ParquetWriter>[0]["schema"];

function schemaOf({ name, kind }: Column): Elements {
  const text = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;
  switch (kind) {
    case "VECTOR":
      return [
        {
          ...{ name, repetition_type: "REQUIRED", num_children: 1 },
          ...{ converted_type: "LIST", logical_type: { type: "LIST" } },
        },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", type: "FLOAT", repetition_type: "REQUIRED" },
      ];
    case "IMAGE":
      return [
        { name, repetition_type: "OPTIONAL", num_children: 2 },
        { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
        { name: "path", ...text, repetition_type: "OPTIONAL" },
      ];
    case "STRING":
      return [{ name, ...text, repetition_type: "REQUIRED" }];
    case "NULLABLE STRING":
      return [{ name, ...text, repetition_type: "OPTIONAL" }];
    case "NULLABLE INT32":
      return [{ name, type: "INT32", repetition_type: "OPTIONAL" }];
    case "SCORE":
      return [{ name, type: "DOUBLE", repetition_type: "REQUIRED" }];
    case "DOUBLE":
      return [{ name, type: kind, repetition_type: "OPTIONAL" }];
    default:
      return [{ name, type: kind, repetition_type: "REQUIRED" }];
  }
}

/** A shard and its rows. */
interface Group {
  readonly start: number;
  readonly images: readonly ImageRow[];
  readonly shard: OpenShard;
}

async function* groupsOf(index: ShardedIndex): AsyncGenerator<Group, void, undefined> {
  const { shards } = index;
  if (hasRows(index)) {
    for (const shard of shards) {
      const images = index.images.slice(shard.start, shard.start + shard.images);
      yield { start: shard.start, images, shard };
    }
    return;
  }
  let at = 0;
  for await (const images of index.eachShardRows()) {
    if (images.length > 0) yield { start: shards[at].start, images, shard: shards[at++] };
  }
}

/** A factor, and the narrowest column that holds its values. */
interface Factor {
  readonly factor: string;
  readonly kind: "NULLABLE INT32" | "DOUBLE" | "NULLABLE STRING";
}

async function findFactors(index: ShardedIndex): Promise<Factor[]> {
  const found = new Map<string, { numbers: boolean; whole: boolean; texts: boolean }>();
  for await (const { images } of groupsOf(index)) {
    for (const { factors } of images) {
      for (const [factor, value] of Object.entries(factors)) {
        const kinds = found.get(factor) ?? { numbers: false, whole: true, texts: false };
        if (typeof value === "number") {
          kinds.numbers = true;
          kinds.whole &&= (value | 0) === value;
        } else if (value !== null) kinds.texts = true;
        found.set(factor, kinds);
      }
    }
  }
  return [...found].map(([factor, { numbers, whole, texts }]) => ({
    factor,
    kind: texts || !numbers ? "NULLABLE STRING" : whole ? "NULLABLE INT32" : "DOUBLE",
  }));
}

function factorOf({ factors }: ImageRow, { factor, kind }: Factor): FactorValue {
  const value = Object.hasOwn(factors, factor) ? factors[factor] : null;
  return value !== null && kind === "NULLABLE STRING" ? String(value) : value;
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

/** A column of vectors: reads a shard, and gives the vector of one of its images. */
interface Vectors {
  readonly name: string;
  read(shard: OpenShard): Promise<(image: number) => number[]>;
}

function vectorsOf(index: ShardedIndex, { embedding, heads = [], geometry }: ParquetOptions): Vectors[] {
  const { embedDim } = index.manifest;
  const cache = createHeadCache(index, 0);
  return [
    ...(embedding
      ? [
          {
            name: "embedding",
            async read(shard: OpenShard) {
              const all = await shard.embeddings();
              return (image: number) => Array.from(all.subarray(image * embedDim, (image + 1) * embedDim));
            },
          },
        ]
      : []),
    ...heads.map(({ layer, head }): Vectors => {
      const width = coordinateCount(index.manifest);
      const metric = headMetric(geometry!, layer, head);
      const trace = metric ? Array.from({ length: width }, (_, i) => metric[i * width + i]) : [];
      // L with L·Lᵀ = M̃·M̃ᵀ: z̃·L has the lengths and angles of z̃·M̃.
      const factor =
        metric && choleskyFactor(metric, width, trace.reduce((sum, value) => sum + value, 0) * 1e-14);
      return {
        name: headName(layer, head).replace(".", "_"),
        async read(shard) {
          const block = await cache.part(shard, layer, head);
          return (image) => {
            const own = block.subarray(image * width, (image + 1) * width);
            return factor
              ? factor.map((column) => Math.fround(dot(own, column)))
              : Array.from(own.subarray(0, index.manifest.headDim));
          };
        },
      };
    }),
  ];
}

async function readVectors(shard: OpenShard, vectors: readonly Vectors[]) {
  const read = new Map<string, (image: number) => number[]>();
  for (const { name, read: open } of vectors) read.set(name, await open(shard));
  return read;
}

/** A column for each text, named by its letters and digits; a name that is taken gets a number. */
function scoreColumns(texts: ReadonlyMap<string, Float64Array>) {
  const taken = new Set<string>();
  return [...texts].map(([text, probe]) => {
    const words = `score_${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_")}`
      .replace(/_+$/, "")
      .slice(0, 60);
    let name = words;
    for (let n = 2; taken.has(name); n++) name = `${words}_${n}`;
    taken.add(name);
    return { name, text, probe };
  });
}

/** Where vectors lie on a plane: the columns of the places. Says so where there are too many. */
async function layoutColumns(
  index: ShardedIndex,
  vectors: readonly Vectors[],
  { seed = 0, report, signal }: ParquetOptions,
): Promise<Column[]> {
  const rows = spread(everyRow(index), MOST_LAID_OUT);
  if (rows.length < index.images.length) {
    const message = `${rows.length.toLocaleString("en")} of ${index.images.length.toLocaleString("en")} images, spread evenly, are laid out; the others have no place`;
    report?.({ type: "warning", code: "LAYOUT_SAMPLED", message });
  }
  const columns: Column[] = [];
  for (const { name, read } of vectors) {
    report?.({ type: "note", message: `laying out ${name}` });
    const picked: number[][] = [];
    let at = 0;
    for (const shard of index.shards) {
      const vectorOf = await read(shard);
      for (; at < rows.length && rows[at] < shard.start + shard.images; at++)
        picked.push(vectorOf(rows[at] - shard.start));
    }
    const laid = await layOut(picked, { seed, ...(signal && { signal }) });
    const places = new Map(rows.map((row, i) => [row, laid[i]]));
    for (const [axis, suffix] of ["x", "y"].entries())
      columns.push({
        name: `${name}_${suffix}`,
        kind: "DOUBLE",
        of: (_, row) => places.get(row)?.[axis] ?? null,
      });
  }
  return columns;
}

async function picturesOf(
  { manifest: { root } }: ShardedIndex,
  images: readonly ImageRow[],
  side: number,
  gone: string[],
): Promise<({ bytes: Uint8Array; path: string } | null)[]> {
  const found: ({ bytes: Uint8Array; path: string } | null)[] = [];
  for (let at = 0; at < images.length; at += PICTURES_AT_ONCE) {
    const some = images.slice(at, at + PICTURES_AT_ONCE).map(async ({ path }) => {
      const small = await thumbnailOf(root, path, side);
      if (!small) gone.push(path);
      return small && { bytes: small.png, path };
    });
    found.push(...(await Promise.all(some)));
  }
  return found;
}
