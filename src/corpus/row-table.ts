import { textOf } from "../support/binary.ts";
import { createSha256 } from "../support/hash.ts";
import { once, sharedCache } from "../support/shared.ts";
import { inTurn } from "../support/turns.ts";
import { hashStart } from "./hash-start.ts";
import type { Manifest, ShardEntry } from "./manifest.ts";
import type { ReadableStore } from "./plain-store.ts";
import { NEWLINE, readRowBytes } from "./read-shard.ts";
import { type ImageRow, parseImageRow, parseImageRows } from "./rows.ts";

/** The rows of an index, looked up when they are asked for. Damaged ones are refused: `INDEX_CORRUPT`. */
export interface RowTable {
  /** Some images, in the order asked for. */
  rows(which: readonly number[]): Promise<ImageRow[]>;
  /** All of them, a shard at a time. */
  eachShardRows(): AsyncGenerator<readonly ImageRow[], void, undefined>;
  /** Where the images of an id, or of a file's SHA-256 (hex), are: ascending. The first question reads every row. */
  find(by: "id" | "sha256", value: string): Promise<number[]>;
  /** What `hashIndex` makes of all rows. The first question reads them. */
  hash(): Promise<string>;
}

/** Bytes of `images.jsonl` that are kept for further questions. */
const LINES_BYTES = 2 ** 25;

const AHEAD = 2;

/** Opens the rows of the shards that a manifest lists. */
export function openRowTable(store: ReadableStore, manifest: Manifest): RowTable {
  const { shards } = manifest;
  const starts: number[] = [];
  let images = 0;
  for (const shard of shards) {
    starts.push(images);
    images += shard.images;
  }
  const kept = sharedCache<Lines>(LINES_BYTES);
  const linesOf = (shard: ShardEntry) =>
    kept.get(shard.name, () => readLines(store, shard), shard.files["images.jsonl"].bytes + shard.images * 4);
  const fingerprints = once(() => readFingerprints(store, shards, images));

  const table: RowTable = {
    async rows(which) {
      const found = new Array<ImageRow>(which.length);
      const asked = new Map<number, number[]>();
      for (const [i, row] of which.entries()) {
        const at = shardAt(starts, row);
        asked.set(at, [...(asked.get(at) ?? []), i]);
      }
      for await (const [[at, positions], lines] of inTurn([...asked], AHEAD, ([at]) => linesOf(shards[at])))
        for (const i of positions) found[i] = lines.row(which[i] - starts[at]);
      return found;
    },
    async *eachShardRows() {
      for await (const [, [bytes, where]] of inTurn(shards, AHEAD, (shard) => readRowBytes(store, shard)))
        yield parseImageRows(textOf(bytes), where);
    },
    async find(by, value) {
      const rows = (await fingerprints())[by].find(value);
      const found = await table.rows(rows);
      return rows.filter((_, i) => found[i][by] === value);
    },
    hash: once(async () => {
      const hash = createSha256();
      // The lines are what the rows are as JSON.
      hash.update(hashStart(manifest));
      for await (const [, [bytes]] of inTurn(shards, AHEAD, (shard) => readRowBytes(store, shard)))
        hash.update(bytes);
      return hash.digest();
    }),
  };
  return table;
}

/** The last shard that starts at or before a row. */
function shardAt(starts: readonly number[], row: number): number {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= row) low = middle;
    else high = middle;
  }
  return low;
}

/** `images.jsonl` of a shard, a line at a time. */
interface Lines {
  row(line: number): ImageRow;
}

async function readLines(store: ReadableStore, shard: ShardEntry): Promise<Lines> {
  const [bytes, where] = await readRowBytes(store, shard);
  const ends = new Uint32Array(shard.images);
  for (let line = 0, at = 0; line < shard.images; line++) {
    at = bytes.indexOf(NEWLINE, at);
    ends[line] = at++;
  }
  return {
    row: (line) =>
      parseImageRow(
        textOf(bytes.subarray(line === 0 ? 0 : ends[line - 1] + 1, ends[line])),
        `${where}, line ${line + 1}`,
      ),
  };
}

/** The first 64 bits of ids and checksums: 16 bytes an image. */
type Fingerprints = Readonly<Record<"id" | "sha256", Column>>;

async function readFingerprints(
  store: ReadableStore,
  shards: readonly ShardEntry[],
  images: number,
): Promise<Fingerprints> {
  const [id, sha256] = [createColumn(images), createColumn(images)];
  let row = 0;
  for await (const [shard, [bytes]] of inTurn(shards, AHEAD, (entry) => readRowBytes(store, entry))) {
    // Quotes within a string are escaped, so that the first field of this name is the image's own.
    for (let line = 0, at = 0; line < shard.images; line++, row++) {
      at = behind(ID, bytes, at);
      id.set(row, bytes, at);
      at = behind(CHECKSUM, bytes, at);
      sha256.set(row, bytes, at);
      at = bytes.indexOf(NEWLINE, at) + 1;
    }
  }
  return { id, sha256 };
}

const [ID, CHECKSUM] = ['"id":"', '"sha256":"'].map((field) => new TextEncoder().encode(field));
const DIGITS = 16;

/** Where the first of these letters from a place on end. In bytes: decoding them takes longer than all else here. */
function behind(letters: Uint8Array, bytes: Uint8Array, from: number): number {
  const [first] = letters;
  const { length } = letters;
  for (let at = from; at + length <= bytes.length; at++) {
    if (bytes[at] !== first) continue;
    let same = 1;
    while (same < length && bytes[at + same] === letters[same]) same++;
    if (same === length) return at + length;
  }
  return bytes.length;
}

interface Column {
  set(row: number, bytes: Uint8Array, at: number): void;
  /** Rows that begin so. */
  find(value: string): number[];
}

function createColumn(images: number): Column {
  const halves = new Uint32Array(images * 2);
  /** Eight hex digits; of other letters some number or other. */
  const half = (bytes: Uint8Array, at: number) => {
    let value = 0;
    for (let i = at; i < at + DIGITS / 2; i++)
      value = (value << 4) | ((bytes[i] & 15) + (bytes[i] > 64 ? 9 : 0));
    return value >>> 0;
  };
  return {
    set(row, bytes, at) {
      halves[row * 2] = half(bytes, at);
      halves[row * 2 + 1] = half(bytes, at + DIGITS / 2);
    },
    find(value) {
      const padded = new TextEncoder().encode(value.padEnd(DIGITS));
      const [first, second] = [half(padded, 0), half(padded, DIGITS / 2)];
      const rows: number[] = [];
      for (let row = 0; row < images; row++)
        if (halves[row * 2] === first && halves[row * 2 + 1] === second) rows.push(row);
      return rows;
    },
  };
}
