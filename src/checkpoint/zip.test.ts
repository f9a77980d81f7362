import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeZip, type ZipFile } from "../../test/support/zip.ts";
import { Binary } from "../support/binary.ts";
import { disk } from "../support/disk-bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { type WeightSource, withWeightSource } from "./weight-source.ts";
import { locateEntry, readZipDirectory } from "./zip.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "zip-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The contents of every entry, by name. */
async function readAll(archive: Buffer): Promise<Record<string, string>> {
  const path = join(folder, "x.zip");
  writeFileSync(path, archive);
  return withWeightSource(disk, path, async (source) => {
    const contents: Record<string, string> = {};
    for (const [name, entry] of await readZipDirectory(source)) {
      contents[name] = (await source.read(await locateEntry(source, entry), entry.size)).utf8();
    }
    return contents;
  });
}
const refuse = (archive: Buffer, named: RegExp = /./) =>
  expect(readAll(archive)).rejects.toMatchObject({
    code: "CHECKPOINT_INVALID",
    message: expect.stringMatching(named),
  });

const FILES: readonly ZipFile[] = [
  { name: "r/data.pkl", data: Buffer.from("pickle") },
  { name: "r/data/0", data: Buffer.from("numbers") },
  { name: "r/empty", data: Buffer.alloc(0) },
];
const CONTENTS = { "r/data.pkl": "pickle", "r/data/0": "numbers", "r/empty": "" };
const wide = FILES.map((file) => ({ ...file, wide: true }));

/** A sound archive with these bytes written at a place; negative ones count from the end. */
function patched(at: number, bytes: readonly number[], archive = writeZip(FILES)): Buffer {
  const copy = Buffer.from(archive);
  copy.set(bytes, at < 0 ? copy.length + at : at);
  return copy;
}
const directoryStart = writeZip(FILES).readUInt32LE(writeZip(FILES).length - 6);

describe("readZipDirectory", () => {
  it.each([
    ["a plain archive", writeZip(FILES)],
    ["one with a comment", writeZip(FILES, { comment: "PK\x05\x06 is not the end".padEnd(40) })],
    ["ZIP64 entries", writeZip(wide)],
    ["a ZIP64 directory", writeZip(FILES, { zip64: true })],
    ["both", writeZip(wide, { zip64: true })],
  ])("reads %s", async (_what, archive) => expect(await readAll(archive)).toEqual(CONTENTS));

  it("never hands out what is compressed, and says why", () =>
    refuse(writeZip([{ ...FILES[0], compressed: true }]), /r\/data\.pkl.* is compressed/));

  const { length } = writeZip(FILES);
  it.each<[string, Buffer, RegExp]>([
    ["an empty file", Buffer.alloc(0), /not a whole zip/],
    ["names that come twice", writeZip([FILES[0], FILES[0]]), /twice/],
    ["bytes before the archive", Buffer.concat([Buffer.from("x"), writeZip(FILES)]), /not where/],
    ["bytes behind it", Buffer.concat([writeZip(FILES), Buffer.from("x")]), /not a whole zip/],
    ["an entry past the file", patched(directoryStart + 42, [255, 255, 255, 0]), /overlaps/],
    ["an entry inside another", patched(directoryStart + 56 + 42, [8, 0, 0, 0]), /overlaps/],
    ["two entries at one place", patched(directoryStart + 56 + 42, [0, 0, 0, 0]), /overlaps/],
    ["an entry longer than its place", patched(directoryStart + 20, [99, 0, 0, 0, 99, 0, 0, 0]), /overlaps/],
    ["two sizes", patched(directoryStart + 24, [99]), /size/],
    ["a count too high", patched(-12, [4, 0]), /damaged/],
    ["a count too low", patched(-12, [2, 0]), /another length/],
    ["a directory elsewhere", patched(-6, [1, 0, 0, 0]), /not where/],
    ["a huge directory", patched(-10, [255, 255, 255, 255]), /not where/],
    ["a name past the directory", patched(directoryStart + 28, [255, 255]), /cut off/],
    ["a record that is none", patched(directoryStart, [0]), /damaged/],
    ["a local header that is none", patched(0, [0]), /header/],
    ["a local header of another name", patched(30, [120]), /header/],
    ["a local name of another length", patched(26, [3]), /header/],
    ["local padding past the entry", patched(28, [255, 255]), /header/],
    ["a ZIP64 size missing", writeZip([{ ...FILES[0], wide: [6, 6] }]), /no size or place/],
    ["a ZIP64 size past the file", writeZip([{ ...FILES[0], wide: [2 ** 40, 2 ** 40, 0] }]), /overlaps/],
    [
      "a ZIP64 size of 2^64",
      writeZip([{ ...FILES[0], wide: [2n ** 64n - 1n, 2n ** 64n - 1n, 0] }]),
      /overlaps/,
    ],
    ["a ZIP64 place past the file", writeZip([{ ...FILES[0], wide: [6, 6, 2n ** 63n] }]), /overlaps/],
    [
      "a ZIP64 directory of 2^60 entries",
      writeZip(FILES, { zip64: [2n ** 60n, length - directoryStart - 22, directoryStart] }),
      /contradicts/,
    ],
    [
      "a ZIP64 directory elsewhere",
      writeZip(FILES, { zip64: [3, length - directoryStart - 22, 0] }),
      /contradicts/,
    ],
    ["a ZIP64 end elsewhere", patched(-22 - 12, [0], writeZip(FILES, { zip64: true })), /contradicts/],
    ["a ZIP64 end past the file", patched(-22 - 9, [1], writeZip(FILES, { zip64: true })), /cut off/],
  ])("refuses %s", (_what, archive, named) => refuse(archive, named));

  it("refuses an archive cut off at every byte", async () => {
    const archive = writeZip(FILES);
    for (let end = 0; end < archive.length; end++) await refuse(archive.subarray(0, end));
  });

  it("with any byte changed, refuses or keeps inside the file", async () => {
    const archive = writeZip(wide, { zip64: true });
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), fc.nat(255), async (at, byte) => {
        const result = await readAll(patched(at, [byte], archive)).catch((error) => error);
        if (result instanceof Error) expect(result).toMatchObject({ code: "CHECKPOINT_INVALID" });
        else expect(Object.keys(result)).toHaveLength(3);
      }),
      { numRuns: 300 },
    );
  });

  it("does not read a directory of gigabytes", async () => {
    const size = 2 ** 33;
    const end = writeZip([], { zip64: [1, size - 98, 0] });
    end.writeBigUInt64LE(BigInt(size - 98), 56 + 8);
    end.fill(255, 76 + 8, 76 + 20);
    const source: WeightSource = {
      file: "",
      size,
      read: async (offset, length) => {
        if (length > 100_000) throw new Error(`${length} bytes are read`);
        const from = size - offset;
        const read = Buffer.concat([Buffer.alloc(Math.max(0, from - end.length)), end])
          .subarray(-from)
          .subarray(0, length);
        return Binary.over(read);
      },
      fail: (why) => new ClipInterpretError("CHECKPOINT_INVALID", why),
    };
    await expect(readZipDirectory(source)).rejects.toThrow(/directory claims \d+ bytes/);
  });

  it("refuses random bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (noise) => {
        await refuse(Buffer.concat([Buffer.from("PK\x03\x04"), noise]));
      }),
      { numRuns: 50 },
    );
  });
});
