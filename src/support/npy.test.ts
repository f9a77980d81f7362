import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenPath } from "../../test/support/goldens.ts";
import { formatNpy, parseNpy, readNpy } from "./npy.ts";
import { createNpyWriter, openNpyRows } from "./npy-stream.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "npy-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const GOLDEN = goldenPath("gelu-p8/image_embedding.npy");

describe(".npy", () => {
  it("writes byte for byte what NumPy wrote", () => {
    const bytes = readFileSync(GOLDEN);
    expect(Buffer.from(formatNpy(parseNpy(bytes))).equals(bytes)).toBe(true);
  });

  it("reads back what it writes, of every type", () => {
    const ints = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(ints, fc.constantFrom([6], [2, 3], [3, 1, 2], [6, 1]), (values, shape) => {
        for (const Kind of [Float32Array, Float64Array, Int32Array, Uint8Array]) {
          const array = { shape, data: Kind.from(values) };
          expect(parseNpy(formatNpy(array))).toEqual(array);
        }
      }),
    );
  });

  const header = (text: string) => {
    const bytes = Buffer.alloc(10 + text.length);
    bytes.write("\x93NUMPY\x01\x00", 0, "latin1");
    bytes.writeUInt16LE(text.length, 8);
    bytes.write(text, 10, "latin1");
    return bytes;
  };

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("hello, this is text")],
    ["a cut header", readFileSync(GOLDEN).subarray(0, 40)],
    ["cut data", readFileSync(GOLDEN).subarray(0, 200)],
    ["a pickle", header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")],
    ["big-endian numbers", header("{'descr': '>f4', 'fortran_order': False, 'shape': (0,), }")],
    ["Fortran order", header("{'descr': '<f4', 'fortran_order': True, 'shape': (0,), }")],
    [
      "a huge shape",
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }"),
    ],
    ["a negative shape", header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }")],
    ["no shape", header("{'descr': '<f4', 'fortran_order': False}")],
  ])("refuses %s", (_what, bytes) => {
    expect(() => parseNpy(bytes)).toThrow(expect.objectContaining({ code: "NPY_INVALID" }));
  });

  it("says which file is not there", async () => {
    const missing = join(folder, "none.npy");
    await expect(readNpy(missing)).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
    await expect(readNpy(folder)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    await expect(openNpyRows(missing, 2)).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
    await expect(openNpyRows(folder, 2)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  });
});

describe("a .npy file by rows", () => {
  it("reads any rows, and only float32 of the rank asked for", async () => {
    const whole = parseNpy(readFileSync(GOLDEN));
    const rows = await openNpyRows(GOLDEN, 2);
    expect(await rows.read(1, 2)).toEqual(whole.data.slice(48, 144));
    await rows.close();
    await expect(openNpyRows(GOLDEN, 3)).rejects.toMatchObject({ code: "NPY_INVALID" });
    await expect(openNpyRows(goldenPath("gelu-p8/text_tokens.npy"), 2)).rejects.toMatchObject({
      code: "NPY_INVALID",
    });
  });

  it("appears under its name when it is complete, and equals the same array written at once", async () => {
    const path = join(folder, "new", "rows.npy");
    const writer = await createNpyWriter(path, [3, 2]);
    await writer.append(Float32Array.of(1, 2, 3, 4));
    expect(readdirSync(join(folder, "new"))).toEqual(["rows.npy.partial"]);
    await expect(writer.finish()).rejects.toThrow(/2 values missing/);
    await writer.append(Float32Array.of(5, 6));
    await writer.finish();
    await writer.discard();
    const expected = formatNpy({ shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    expect(readFileSync(path).equals(expected)).toBe(true);
    expect(readdirSync(join(folder, "new"))).toEqual(["rows.npy"]);
  });

  it("leaves nothing behind when it is discarded, and says when it cannot write", async () => {
    const path = join(folder, "gone.npy");
    const writer = await createNpyWriter(path, [3]);
    await writer.append(Float32Array.of(1));
    await writer.discard();
    expect(readdirSync(folder)).not.toContain("gone.npy.partial");
    if (existsSync("/dev/full")) {
      symlinkSync("/dev/full", `${path}.partial`);
      await expect(createNpyWriter(path, [3])).rejects.toMatchObject({ code: "DISK_FULL" });
      expect(readdirSync(folder)).not.toContain("gone.npy.partial");
    }
    writeFileSync(join(folder, "file"), "");
    await expect(createNpyWriter(join(folder, "file", "x.npy"), [1])).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
    });
  });
});
