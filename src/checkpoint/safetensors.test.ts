import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { goldenPath } from "../../test/support/goldens.ts";
import { safetensorsHeader } from "../../test/support/safetensors.ts";
import { disk } from "../support/disk-bytes.ts";
import { readSafetensors } from "./safetensors.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "safetensors-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a damaged or hostile safetensors file", () => {
  const refuse = (path: string) =>
    expect(readSafetensors(disk, path)).rejects.toMatchObject({ code: "CHECKPOINT_INVALID" });
  const write = (bytes: Uint8Array) => {
    const path = join(folder, "x.safetensors");
    writeFileSync(path, bytes);
    return path;
  };
  const withEntry = (entry: unknown, data = 16) =>
    write(Buffer.concat([safetensorsHeader({ a: entry }), Buffer.alloc(data)]));

  it("accepts a sound one, and leaves integers out", async () => {
    const entries = {
      a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
      position_ids: { dtype: "I64", shape: [1], data_offsets: [8, 16] },
      __metadata__: { format: "pt" },
    };
    const path = write(Buffer.concat([safetensorsHeader(entries), Buffer.alloc(16)]));
    expect([...(await readSafetensors(disk, path)).keys()]).toEqual(["a"]);
  });

  it.each([
    ["empty", Buffer.alloc(0)],
    ["a length alone", Buffer.alloc(8, 255)],
    [
      "a header longer than the file",
      Buffer.concat([Buffer.from([255, 0, 0, 0, 0, 0, 0, 0]), Buffer.from("{}")]),
    ],
    ["no JSON", Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from("{[")])],
    ["a list", safetensorsHeader([])],
    ["null", safetensorsHeader(null)],
  ])("refuses %s", (_what, bytes) => refuse(write(bytes)));

  it.each([
    ["data past the end", { dtype: "F32", shape: [5], data_offsets: [0, 20] }],
    ["a size that does not fit", { dtype: "F32", shape: [3], data_offsets: [0, 16] }],
    ["a huge shape", { dtype: "F32", shape: [2 ** 40, 2 ** 40], data_offsets: [0, 16] }],
    ["negative offsets", { dtype: "F32", shape: [4], data_offsets: [-16, 0] }],
    ["fractions", { dtype: "F32", shape: [0.5], data_offsets: [0, 2] }],
    ["an unknown type", { dtype: "F31", shape: [4], data_offsets: [0, 16] }],
    ["no shape", { dtype: "F32", data_offsets: [0, 16] }],
    ["no offsets", { dtype: "F32", shape: [4] }],
    ["text", "a"],
    ["null", null],
  ])("refuses %s", (_what, entry) => refuse(withEntry(entry)));

  it("never crashes or hangs on random bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(60), async (noise, length) => {
        const prefix = Buffer.alloc(8);
        prefix.writeUInt32LE(length);
        await refuse(write(Buffer.concat([prefix, noise])));
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a file that was cut off", async () => {
    const golden = readFileSync(goldenPath("gelu-p8/open_clip/open_clip_model.safetensors"));
    await refuse(write(golden.subarray(0, 100_000)));
  });
});
