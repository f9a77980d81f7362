import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { openJournal } from "../../src/corpus/journal.ts";
import { type Manifest, requireModelOf } from "../../src/corpus/manifest.ts";
import { checkIndex, type Index, readIndex } from "../../src/corpus/open-index.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { preprocess } from "../../src/image/preprocess.ts";
import { Random } from "../../src/math/random.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { ClipInterpretError } from "../../src/support/errors.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";

/*
 * Over a thousand damaged inputs. For each one: a coded error, or a warning and the rest of the index as it was, or, for
 * the numbers of an array and for them alone, what only a check finds.
 */

const SEED = 7;
/** Most milliseconds that one damaged input may take. */
const BOUND = 60_000;
const SHARD_SIZE = 8;

let cases = 0;
let scratch: string;
let source: string;
let folder: string;
let model: ClipModel;
let whole: Reading;
/** What each shard holds, in the order of the manifest. */
let parts: Reading[];

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "index-damage-"));
  const corpus = join(scratch, "corpus");
  const indices = Array.from({ length: 20 }, (_, i) => i);
  await writeCorpus(corpus, await planCorpus({ split: "demo", size: 64, indices }));
  source = join(corpus, "images");
  writeFileSync(join(source, "0003-bad.png"), "no image");
  writeFileSync(join(source, "0011-bad.jpg"), "");
  folder = join(scratch, "index");
  const located = await locateModel(DEFAULT_MODEL);
  model = await loadClipModel(located.folder, DEFAULT_MODEL);
  await buildIndex(model, await scanSource(source), folder, { shardSize: SHARD_SIZE });
  const index = await readIndex(folder);
  whole = await readAll(index);
  parts = split(whole, await shardMoments(index));
}, 120_000);
afterAll(async () => {
  await model.release();
  rmSync(scratch, { recursive: true });
});

/** All that can be read of an index. */
interface Reading {
  readonly manifest: Manifest;
  readonly images: Index["images"];
  readonly rejected: Index["rejected"];
  readonly scalars: Float32Array;
  readonly embeddings: Float32Array;
  readonly heads: readonly Float32Array[];
  readonly moments: Float64Array;
}

async function readAll(index: Index): Promise<Reading> {
  const { manifest, images, rejected } = index;
  await requireModelOf(index, model);
  const heads: Float32Array[] = [];
  for (let layer = 0; layer < manifest.layers; layer++) {
    for (let head = 0; head < manifest.heads; head++) heads.push(await index.head(layer, head));
  }
  const [scalars, embeddings, moments] = [
    await index.scalars(),
    await index.embeddings(),
    await index.moments(),
  ];
  return { manifest, images, rejected, scalars, embeddings, heads, moments };
}

/** The moments of each shard alone, straight from its file. */
async function shardMoments({ manifest }: Index): Promise<Float64Array[]> {
  return manifest.shards.map(({ name }) => {
    const bytes = readFileSync(join(folder, "shards", name, "moments.npy"));
    return new Float64Array(Uint8Array.from(bytes.subarray(128)).buffer);
  });
}

/** What each shard has of a whole. */
function split(all: Reading, moments: readonly Float64Array[]): Reading[] {
  const { headDim, embedDim, shards } = all.manifest;
  const before = (i: number, key: "images" | "rejected") =>
    shards.slice(0, i).reduce((sum, shard) => sum + shard[key], 0);
  return shards.map((shard, i) => {
    const [first, last] = [before(i, "images"), before(i + 1, "images")];
    const rows = (array: Float32Array, width: number) => array.subarray(first * width, last * width);
    return {
      manifest: { ...all.manifest, shards: [shard] },
      images: all.images.slice(first, last),
      rejected: all.rejected.slice(before(i, "rejected"), before(i + 1, "rejected")),
      scalars: rows(all.scalars, 3),
      embeddings: rows(all.embeddings, embedDim),
      heads: all.heads.map((head) => rows(head, headDim)),
      moments: moments[i],
    };
  });
}

const bytesOf = (array: Float32Array | Float64Array) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

/** Whether a reading is what was written, of the shards that it has and of no others. */
function isTrue(read: Reading): boolean {
  const names = read.manifest.shards.map(({ name }) => name);
  const kept = parts.filter((part) => names.includes(part.manifest.shards[0].name));
  if (kept.length !== names.length) return false;
  const same = (array: Float32Array, wanted: (part: Reading) => Float32Array) =>
    bytesOf(array).equals(Buffer.concat(kept.map((part) => bytesOf(wanted(part)))));
  const moments = new Float64Array(whole.moments.length);
  for (const part of kept) for (let i = 0; i < moments.length; i++) moments[i] += part.moments[i];
  return (
    JSON.stringify(read.images) === JSON.stringify(kept.flatMap(({ images }) => images)) &&
    JSON.stringify(read.rejected) === JSON.stringify(kept.flatMap(({ rejected }) => rejected)) &&
    same(read.scalars, ({ scalars }) => scalars) &&
    same(read.embeddings, ({ embeddings }) => embeddings) &&
    read.heads.length === whole.heads.length &&
    read.heads.every((head, unit) => same(head, ({ heads }) => heads[unit])) &&
    bytesOf(read.moments).equals(bytesOf(moments))
  );
}

/** How a damaged index came out. */
type Outcome = "refused" | "left out" | "found by check" | "as it was" | "WRONG";

/** Opens and reads the index as it lies there now. */
async function examine(): Promise<Outcome> {
  const warnings: string[] = [];
  let read: Reading;
  try {
    read = await readAll(
      await readIndex(folder, {
        report: (event) => event.type === "warning" && warnings.push(event.code),
      }),
    );
  } catch (error) {
    expectCoded(error);
    return "refused";
  }
  const missing = parts.length - read.manifest.shards.length;
  const warned = warnings.length === missing && warnings.every((code) => code === "INDEX_CORRUPT");
  const found = async () => {
    const { corrupt, missing: gone } = await checkIndex(folder);
    return corrupt.length + gone.length > 0;
  };
  if (!warned) return "WRONG";
  if (!isTrue(read)) return missing === 0 && (await found()) ? "found by check" : "WRONG";
  if (missing > 0) return "left out";
  return sameManifest(read.manifest, whole.manifest) || (await found()) ? "as it was" : "WRONG";
}

/** Whether two manifests say the same; a model's name is a label, what counts is the checksum of its weights. */
function sameManifest(one: Manifest, other: Manifest): boolean {
  const [a, b] = [one, other].map((manifest) => ({ ...manifest, model: { ...manifest.model, name: "" } }));
  return JSON.stringify(a) === JSON.stringify(b);
}

function expectCoded(error: unknown): void {
  if (error instanceof ClipInterpretError && error.code !== "INTERNAL") return;
  throw new Error("an error without a code", { cause: error });
}

/** Runs one case, and says which it was if it fails or takes too long. */
async function oneCase<T>(name: string, run: () => Promise<T>): Promise<T> {
  cases++;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it hangs")), BOUND);
  });
  try {
    return await Promise.race([run(), late]);
  } catch (cause) {
    throw new Error(`seed ${SEED}, ${name}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** A way to damage a file's bytes, by name. */
type Damage = readonly [name: string, bytes: Uint8Array];

/** Puts each damaged version in a file's place, and counts how the index came out. Restores the file. */
async function damageEach(
  path: string,
  damages: readonly Damage[],
): Promise<Partial<Record<Outcome, number>>> {
  const file = join(folder, path);
  const before = readFileSync(file);
  const outcomes: Partial<Record<Outcome, number>> = {};
  try {
    for (const [name, bytes] of damages) {
      writeFileSync(file, bytes);
      const outcome = await oneCase(`${path}, ${name}`, examine);
      if (outcome === "WRONG") throw new Error(`seed ${SEED}, ${path}, ${name}: wrong, and nothing says so`);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  } finally {
    writeFileSync(file, before);
  }
  expect(await examine()).toBe("as it was");
  return outcomes;
}

/** Bits turned over, one to four a version, between two places of a file. */
function flips(bytes: Uint8Array, count: number, random: Random, from = 0, to = bytes.length): Damage[] {
  return Array.from({ length: count }, () => {
    const damaged = Uint8Array.from(bytes);
    const places = new Set(
      Array.from({ length: random.pick([1, 1, 2, 4]) }, () => from + random.below(to - from)),
    );
    const names: string[] = [];
    for (const place of places) {
      const bit = random.below(8);
      damaged[place] ^= 1 << bit;
      names.push(`${place}:${bit}`);
    }
    return [`flipped ${names.join(" ")}`, damaged];
  });
}

/** Files cut off anywhere. */
function cuts(bytes: Uint8Array, count: number, random: Random): Damage[] {
  const lengths = [
    0,
    bytes.length - 1,
    ...Array.from({ length: count - 2 }, () => random.below(bytes.length)),
  ];
  return lengths.map((length) => [`cut to ${length}`, bytes.subarray(0, length)]);
}

/** Files with something after their end. */
function tails(bytes: Uint8Array, count: number, random: Random): Damage[] {
  return Array.from({ length: count }, (_, i) => {
    const tail = Uint8Array.from({ length: 1 + random.below(64) }, () => random.below(256));
    return [`grown by ${tail.length} (${i})`, Buffer.concat([bytes, tail])];
  });
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Path = readonly (string | number)[];

/** Every place in a document. */
function placesOf(value: Json, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  const own = at.length > 0 ? [at] : [];
  return [...own, ...Object.entries(value).flatMap(([key, part]) => placesOf(part, [...at, key]))];
}

/** A copy of a document with another value, or none, at one place. */
function replaced(document: Json, [key, ...rest]: Path, value: Json | undefined): Json {
  const copy = structuredClone(document) as { [key: string]: Json };
  if (rest.length > 0) copy[key] = replaced(copy[key], rest, value);
  else if (value !== undefined) copy[key] = value;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

const textOf = (document: Json) => Buffer.from(`${JSON.stringify(document, null, 1)}\n`);

describe("a damaged manifest", () => {
  let bytes: Buffer;
  let document: Json;
  let places: Path[];
  beforeAll(() => {
    bytes = readFileSync(join(folder, "manifest.json"));
    document = JSON.parse(bytes.toString());
    places = placesOf(document);
  });

  it("gives no wrong number when bits are flipped", async () => {
    const outcomes = await damageEach("manifest.json", flips(bytes, 150, new Random(SEED, 1)));
    expect(outcomes.refused).toBeGreaterThan(50);
    expect(outcomes["left out"]).toBeGreaterThan(0);
  });

  it("is refused when it is cut off", async () => {
    const damages = cuts(bytes.subarray(0, -1), 40, new Random(SEED, 2));
    expect(await damageEach("manifest.json", damages)).toEqual({ refused: 40 });
  });

  it("is refused when a key is missing", async () => {
    // An index of an earlier version does not name its activation.
    const keyed = places.filter((place) => !/^\d+$|^activation$/.test(String(place.at(-1))));
    const damages = keyed.map(
      (place): Damage => [`without ${place.join("/")}`, textOf(replaced(document, place, undefined))],
    );
    expect(await damageEach("manifest.json", damages)).toEqual({ refused: damages.length });
    expect(damages.length).toBeGreaterThan(70);
  });

  it("is refused when a value has another type", async () => {
    const random = new Random(SEED, 3);
    const values: Json[] = [null, true, 3, "3", [], {}, [1, 2, 3], { bytes: 1 }, ""];
    const damages = Array.from({ length: 110 }, (): Damage => {
      const place = random.pick(places);
      const now = place.reduce<Json>((part, key) => (part as { [key: string]: Json })[key], document);
      const kind = (value: Json) => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);
      const value = random.pick(values.filter((other) => kind(other) !== kind(now)));
      const name = `${place.join("/")} is ${JSON.stringify(value)}`;
      return [name, textOf(replaced(document, place, value))];
    });
    expect(await damageEach("manifest.json", damages)).toEqual({ refused: 110 });
  });

  it("gives no wrong number, and takes no memory, when a number is huge, negative or off", async () => {
    const values = [2 ** 53 - 1, 2 ** 53, 1e308, 2 ** 31, 1e12, 65536, 1, 0, -1, 0.5];
    const numbers = places.filter((place) => {
      const now = place.reduce<Json>((part, key) => (part as { [key: string]: Json })[key], document);
      return typeof now === "number";
    });
    const random = new Random(SEED, 4);
    // Every number of the layout in every way, and some of the others.
    const layout = numbers.filter((place) => place.length === 1);
    const pairs = [
      ...layout.flatMap((place) => values.map((value) => [place, value] as const)),
      ...Array.from({ length: 70 }, () => [random.pick(numbers), random.pick(values)] as const),
    ];
    const damages = pairs.map(
      ([place, value]): Damage => [
        `${place.join("/")} is ${value}`,
        textOf(replaced(document, place, value)),
      ],
    );
    const { refused = 0, "left out": leftOut = 0 } = await damageEach("manifest.json", damages);
    expect(refused).toBeGreaterThan(70);
    expect(leftOut).toBeGreaterThan(10);
  });

  it("of an empty index takes no memory either", async () => {
    const keys = ["layers", "heads", "headDim", "embedDim"];
    const damages = keys.flatMap((key) =>
      [2 ** 53 - 1, 2 ** 31, 1e9].map((value): Damage => {
        const empty = replaced(document, ["shards"], []);
        return [`empty, ${key} is ${value}`, textOf(replaced(empty, [key], value))];
      }),
    );
    for (const [name, text] of damages) {
      const empty = join(scratch, "empty");
      mkdirSync(empty, { recursive: true });
      writeFileSync(join(empty, "manifest.json"), text);
      await oneCase(name, async () => {
        try {
          const index = await readIndex(empty);
          await index.moments();
          await index.embeddings();
        } catch (error) {
          expectCoded(error);
        }
      });
    }
  });

  it("gives no wrong number when a key stands twice", async () => {
    const random = new Random(SEED, 5);
    const lines = bytes.toString().split("\n");
    const scalars = lines.flatMap((line, i) => (/^ *"[\w.]+": [^{[]+$/.test(line) ? [i] : []));
    const damages = Array.from({ length: 70 }, (_, round): Damage => {
      const at = random.pick(scalars);
      const [, key, value, comma] = /^( *"[\w.]+": )(.*?)(,?)$/.exec(lines[at])!;
      const other = random.pick([
        value,
        "7",
        '"x"',
        "null",
        value.replace(/\d/, "1"),
        value.replace(/\d/, "8"),
      ]);
      const twice = round % 2 === 0 ? [value, other] : [other, value];
      const text = lines.toSpliced(at, 1, `${key}${twice[0]},`, `${key}${twice[1]}${comma}`).join("\n");
      return [`line ${at + 1} twice: ${twice.join(", ")}`, Buffer.from(text)];
    });
    const outcomes = await damageEach("manifest.json", damages);
    expect(outcomes.refused).toBeGreaterThan(10);
    expect(outcomes["as it was"]).toBeGreaterThan(10);
  });

  it("that tells of other rows or shapes than its shards have is what a check finds too", async () => {
    const { embedDim } = whole.manifest;
    const told: [Path, Json, string[]][] = [
      [["shards", 1, "images"], whole.manifest.shards[1].images + 1, ["000001"]],
      [["shards", 0, "rejected"], 0, ["000000"]],
      [["embedDim"], embedDim + 1, ["000000", "000001", "000002"]],
    ];
    try {
      for (const [place, value, shards] of told) {
        writeFileSync(join(folder, "manifest.json"), textOf(replaced(document, place, value)));
        const { corrupt } = await oneCase(place.join("/"), () => checkIndex(folder));
        expect(corrupt).toEqual(shards.map((name) => `shards/${name}`));
      }
    } finally {
      writeFileSync(join(folder, "manifest.json"), bytes);
    }
  });

  it("is refused when a shard stands twice, or under a name that leads elsewhere", async () => {
    const shards = (document as { shards: Json[] }).shards;
    const named = (name: string) => replaced(document, ["shards", 0, "name"], name);
    const damages: Damage[] = [
      ["a shard twice", textOf(replaced(document, ["shards"], [...shards, shards[0]]))],
      ...["../000000", "000000/../000001", "0", "", "000000\n"].map(
        (name): Damage => [name, textOf(named(name))],
      ),
      ["no object", Buffer.from("[]\n")],
      ["a number", Buffer.from("12\n")],
      ["nested without end", Buffer.from("[".repeat(100_000))],
    ];
    expect(await damageEach("manifest.json", damages)).toEqual({ refused: damages.length });
  });
});

describe("damaged rows", () => {
  it("of images leave their shard out, and every other as it was", async () => {
    const random = new Random(SEED, 6);
    for (const shard of ["000000", "000002"]) {
      const path = `shards/${shard}/images.jsonl`;
      const bytes = readFileSync(join(folder, path));
      const lines = bytes.toString().trimEnd().split("\n");
      const damages: Damage[] = [
        ...flips(bytes, 45, random),
        ...cuts(bytes, 15, random),
        ...tails(bytes, 3, random),
        ["lines in another order", Buffer.from(`${lines.toReversed().join("\n")}\n`)],
        [
          "a label of the same length",
          Buffer.from(bytes.toString().replace('"label":null', '"label":"d"  ')),
        ],
        ["a file of zeros", Buffer.alloc(bytes.length)],
      ];
      expect(await damageEach(path, damages)).toEqual({ "left out": damages.length });
    }
  });

  it("of rejected files leave their shard out too", async () => {
    const random = new Random(SEED, 7);
    for (const shard of ["000000", "000001"]) {
      const path = `shards/${shard}/rejected.jsonl`;
      const bytes = readFileSync(join(folder, path));
      expect(bytes.length).toBeGreaterThan(50);
      const damages = [...flips(bytes, 30, random), ...cuts(bytes, 10, random), ...tails(bytes, 3, random)];
      expect(await damageEach(path, damages)).toEqual({ "left out": damages.length });
    }
  });
});

describe("a damaged array", () => {
  const HEADER = 128;
  const FILES = ["heads.npy", "scalars.npy", "embedding.npy", "moments.npy"];
  const pathOf = (file: string, random: Random) => `shards/00000${random.below(3)}/${file}`;

  it.each(FILES)("%s of another length leaves its shard out", async (file) => {
    const random = new Random(SEED, 8);
    const path = pathOf(file, random);
    const bytes = readFileSync(join(folder, path));
    const damages = [...cuts(bytes, 15, random), ...tails(bytes, 4, random)];
    expect(await damageEach(path, damages)).toEqual({ "left out": 19 });
  });

  it.each(FILES)(
    "%s with a damaged header leaves its shard out, unless it still says the same",
    async (file) => {
      const random = new Random(SEED, 9);
      const path = pathOf(file, random);
      const bytes = readFileSync(join(folder, path));
      const text = bytes.toString("latin1", 0, HEADER);
      const { shape } = /'shape': \((?<shape>[\d, ]+)\)/.exec(text)!.groups!;
      const told = (other: string): Damage => {
        const header = text.replace(shape, other.padEnd(shape.length)).slice(0, HEADER);
        return [`shape ${other}`, Buffer.concat([Buffer.from(header, "latin1"), bytes.subarray(HEADER)])];
      };
      const reversed = shape.split(", ").reverse().join(", ");
      const damages = [
        ...flips(bytes, 35, random, 0, HEADER),
        told(reversed),
        told(shape.replace(/\d+/, "9")),
        told(""),
      ];
      const { "left out": leftOut = 0, ...others } = await damageEach(path, damages);
      // What is left is padding, and letters that the header does not need; the checksum of a whole file sees these too.
      expect(Object.keys(others)).toEqual([file === "heads.npy" ? "as it was" : "refused"]);
      expect(leftOut).toBeGreaterThan(12);
    },
  );

  it.each(FILES)("%s with a changed number is refused when it is read, every time", async (file) => {
    const random = new Random(SEED, 10);
    const path = pathOf(file, random);
    const bytes = readFileSync(join(folder, path));
    const damages = flips(bytes, 25, random, HEADER);
    expect(await damageEach(path, damages)).toEqual({ refused: 25 });
  });

  it.each(FILES)(
    "%s whose numbers are none or huge is refused by what reads it, and repaired as that says",
    async (file) => {
      const copy = join(scratch, "to-repair");
      cpSync(folder, copy, { recursive: true });
      const path = join(copy, "shards/000001", file);
      const bytes = readFileSync(path);
      // The numbers of the last image of the last head, or of all images: NaN, and then the largest there are.
      for (const fill of [0xff, 0x7b]) {
        writeFileSync(path, Buffer.from(bytes).fill(fill, Math.max(HEADER, bytes.length - 512)));
        const error = await readAll(await readIndex(copy)).catch((thrown) => thrown);
        expect(error).toMatchObject({ code: "INDEX_CORRUPT" });
        expect(error.message).toMatch(new RegExp(`shards/000001/.*${file}`));
        expect(error.hint).toContain("Remove shards/000001 there and run the `index` command again");
      }
      rmSync(join(copy, "shards/000001"), { recursive: true });
      await buildIndex(model, await scanSource(source), copy, { shardSize: SHARD_SIZE });
      const read = await readAll(await readIndex(copy));
      const paths = ({ images }: Reading) => images.map(({ path }) => path).sort();
      expect(paths(read)).toEqual(paths(whole));
      expect((await checkIndex(copy)).corrupt).toEqual([]);
      rmSync(copy, { recursive: true });
    },
  );
});

describe("a damaged journal", () => {
  const LABEL = "as another";
  let stopped: string;
  let fresh: string;
  let path: string;
  let bytes: Buffer;
  let work: string;
  let layout: Manifest;
  let batches: Awaited<ReturnType<typeof openJournal>>["batches"];
  beforeAll(async () => {
    [stopped, fresh] = [join(scratch, "stopped"), join(scratch, "fresh")];
    const controller = new AbortController();
    const found = await scanSource(source);
    await buildIndex(model, found, fresh);
    const stopping = buildIndex(model, found, stopped, {
      batch: 3,
      signal: controller.signal,
      report: (event) => event.type === "advance" && event.done >= 12 && controller.abort(),
    });
    await expect(stopping).rejects.toMatchObject({ code: "CANCELLED" });
    path = join(stopped, "journal/current");
    bytes = readFileSync(path);
    work = bytes.toString("utf8", 40, 40 + bytes.readUInt32LE(0));
    layout = JSON.parse(readFileSync(join(stopped, "manifest.json"), "utf8"));
    const journal = await openJournal(path, work, layout);
    batches = journal.batches;
    await journal.close();
    expect(batches.map(({ images, rejected }) => images.length + rejected.length)).toEqual([3, 3, 3, 3]);
  }, 120_000);

  /** The versions that are tried: bits flipped anywhere and in the records' heads, cuts, what follows the end. */
  function damages(count: number, random: Random): Damage[] {
    const head = 40;
    const second = head + bytes.readUInt32LE(0) + bytes.readUInt32LE(4);
    return [
      ...flips(bytes, 5 * count, random),
      ...flips(bytes, 2 * count, random, second, second + head),
      ...flips(bytes, count, random, 0, second),
      ...cuts(bytes, 4 * count, random),
      ...tails(bytes, count, random),
    ];
  }

  it("gives whole batches from its start and nothing else, and takes new ones", async () => {
    const kept: number[] = [];
    for (const [name, damaged] of damages(12, new Random(SEED, 11))) {
      await oneCase(`journal, ${name}`, async () => {
        writeFileSync(path, damaged);
        const journal = await openJournal(path, work, layout);
        const known = journal.batches.length;
        expect(journal.batches).toEqual(batches.slice(0, known));
        kept.push(known);
        await journal.append(batches[3]);
        await journal.close();
        const again = await openJournal(path, work, layout);
        expect(again.batches).toEqual([...batches.slice(0, known), batches[3]]);
        await again.close();
      });
    }
    for (const known of [0, 1, 2, 3, 4]) expect(kept).toContain(known);
  });

  it("of other work is not used", async () => {
    writeFileSync(path, bytes);
    const journal = await openJournal(path, LABEL, layout);
    expect(journal.batches).toEqual([]);
    await journal.close();
  });

  it("leads to the same index, byte for byte", async () => {
    const wanted = await shardFiles(fresh);
    const random = new Random(SEED, 12);
    for (const [name, damaged] of damages(1, random).filter((_, i) => i % 3 === 0)) {
      const copy = join(scratch, "copy");
      cpSync(stopped, copy, { recursive: true });
      writeFileSync(join(copy, "journal/current"), damaged);
      await oneCase(`journal and build, ${name}`, async () => {
        await buildIndex(model, await scanSource(source), copy);
        expect(await shardFiles(copy)).toEqual(wanted);
      });
      rmSync(copy, { recursive: true });
    }
  });
});

/** The bytes of every file of every shard. */
async function shardFiles(index: string): Promise<Record<string, string>> {
  const names = (await readdir(join(index, "shards"), { recursive: true })).sort();
  const files: Record<string, string> = {};
  for (const name of names) {
    const path = join(index, "shards", name);
    if ((await stat(path)).isFile()) files[name] = readFileSync(path).toString("base64");
  }
  return files;
}

describe("a damaged image", () => {
  const KINDS = ["png", "jpeg", "webp", "gif"] as const;
  /** A picture in each format, large enough to have several blocks and chunks. */
  async function picture(kind: (typeof KINDS)[number]): Promise<Buffer> {
    const [name] = (await readdir(source)).filter((file) => !file.includes("bad")).sort();
    return sharp(join(source, name)).resize(150, 100, { fit: "fill" }).toFormat(kind).toBuffer();
  }
  const show = async (bytes: Uint8Array) => {
    const { preprocess: config } = model.config;
    try {
      const { rgb, bytes: length } = await preprocess(bytes, config);
      expect([rgb.length, length]).toEqual([3 * config.size ** 2, bytes.length]);
      return rgb;
    } catch (error) {
      expectCoded(error);
      return undefined;
    }
  };

  it.each(KINDS)("%s with flipped bits is rejected, or shown at the model's size", async (kind) => {
    const bytes = await picture(kind);
    const random = new Random(SEED, 13);
    // The head of a file says how large the image is, and so has the worst to offer.
    for (const [name, damaged] of [...flips(bytes, 30, random, 0, 64), ...flips(bytes, 30, random)]) {
      await oneCase(`${kind}, ${name}`, () => show(damaged));
    }
  });

  it.each(["png", "jpeg"] as const)("%s that was cut off is rejected", async (kind) => {
    const bytes = await picture(kind);
    const whole = bytes.subarray(0, bytes.length - 12);
    for (const [name, damaged] of cuts(whole, 25, new Random(SEED, 14))) {
      expect(await oneCase(`${kind}, ${name}`, () => show(damaged)), name).toBeUndefined();
    }
  });
});

it("these are a thousand damaged inputs, and more", () => {
  expect(cases).toBeGreaterThanOrEqual(1000);
});
