import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenPath } from "../../test/support/goldens.ts";
import * as p from "../../test/support/pickle.ts";
import { readRawTensors } from "../../test/support/safetensors.ts";
import { writeZip, type ZipFile } from "../../test/support/zip.ts";
import { disk } from "../support/disk-bytes.ts";
import { DTYPE_BYTES, type TensorRef } from "./safetensors.ts";
import { readTorchFile } from "./torch-file.ts";

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "torch-"));
  path = join(folder, "x.bin");
});
afterAll(() => rmSync(folder, { recursive: true }));

const golden = (name: string) => goldenPath(`torch/${name}`);

/** The bytes a reference points to. */
function bytesOf({ file, offset, shape, dtype }: TensorRef): Buffer {
  const length = shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype]);
  return readFileSync(file).subarray(offset, offset + length);
}
const floatsOf = (ref: TensorRef | undefined) => {
  const bytes = Uint8Array.from(bytesOf(ref as TensorRef));
  return [...new Float32Array(bytes.buffer)];
};
/** 0, ½, 1, … from the `start`th on: what the files in `test/goldens/torch` hold. */
const ramp = (count: number, start = 0) => Array.from({ length: count }, (_, i) => (start + i) / 2);

/** Writes an archive as torch.save does: this pickle and storages of 4 float32 each, `data/0`, `data/1`, … */
function write(pickle: Uint8Array, more: readonly ZipFile[] = [], storages = 1): string {
  const data = Array.from({ length: storages }, (_, i) => ({
    name: `x/data/${i}`,
    data: Buffer.alloc(16, i),
  }));
  writeFileSync(path, writeZip([{ name: "x/data.pkl", data: pickle }, ...data, ...more]));
  return path;
}
const refuse = (file: string, named: RegExp = /./) =>
  expect(readTorchFile(disk, file)).rejects.toMatchObject({
    code: "CHECKPOINT_INVALID",
    message: expect.stringMatching(named),
  });
const one = (tensor: p.Piece) => p.pickle(p.dict(p.text("a"), tensor));
/** A pickle that begins with a class of a TorchScript archive. */
const script = (rest: string) => p.pickle(`c__torch__\nM\n${rest}`);
const four = p.storage("0", 4);

describe("files that torch.save wrote", () => {
  it("a whole checkpoint: every tensor's bytes equal its safetensors twin's", async () => {
    const tensors = await readTorchFile(
      disk,
      goldenPath("gelu-p8/open_clip_bin/open_clip_pytorch_model.bin"),
    );
    const twin = readRawTensors(goldenPath("gelu-p8/open_clip/open_clip_model.safetensors"));
    expect([...tensors.keys()].sort()).toEqual([...twin.keys()].sort());
    for (const [name, ref] of tensors) {
      const { dtype, shape, bytes } = twin.get(name)!;
      expect({ name, dtype: ref.dtype, shape: ref.shape }).toEqual({ name, dtype, shape });
      expect(bytesOf(ref).equals(bytes), name).toBe(true);
    }
  });

  it("weights of every type; other types and values that are no tensors are left out", async () => {
    const tensors = await readTorchFile(disk, golden("types.bin"));
    const found = [...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]);
    expect(found).toEqual([
      ["f32", "F32", [2, 3]],
      ["f16", "F16", [4]],
      ["bf16", "BF16", [5]],
      ["scalar", "F32", []],
      ["empty", "F32", [0, 3]],
      ["f64", "F64", [2]],
      ["parameter", "F32", [3]],
    ]);
    expect(floatsOf(tensors.get("f32"))).toEqual(ramp(6));
    expect(floatsOf(tensors.get("scalar"))).toEqual([2.5]);
    expect(floatsOf(tensors.get("parameter"))).toEqual(ramp(3));
    // 0, ½, 1, 1½ (and 2) in half precision.
    const halves = (name: string) => [
      ...new Uint16Array(Uint8Array.from(bytesOf(tensors.get(name)!)).buffer),
    ];
    expect(halves("f16")).toEqual([0, 0x3800, 0x3c00, 0x3e00]);
    expect(halves("bf16")).toEqual([0, 0x3f00, 0x3f80, 0x3fc0, 0x4000]);
  });

  it("views of one storage, each where it lies in it", async () => {
    const tensors = await readTorchFile(disk, golden("shared.bin"));
    const values = [...tensors].map(([name, ref]) => [name, ref.shape, floatsOf(ref)]);
    expect(values).toEqual([
      ["whole", [4, 3], ramp(12)],
      ["same", [4, 3], ramp(12)],
      ["rows", [2, 3], ramp(6, 3)],
      ["row", [3], ramp(3, 9)],
      ["tied", [2, 6], ramp(12)],
      ["column", [3, 1], ramp(3, 6)],
    ]);
  });

  it("a training run's checkpoint: the nested state dict, and not its optimizer", async () => {
    const leftOut = new Map();
    const tensors = await readTorchFile(disk, golden("nested.pt"), leftOut);
    const names = [
      "conv.weight",
      "conv.bias",
      "norm.weight",
      "norm.bias",
      "norm.running_mean",
      "norm.running_var",
    ];
    expect([...tensors.keys()]).toEqual(names.map((name) => `module.${name}`));
    expect([...leftOut]).toEqual([["module.norm.num_batches_tracked", "I64"]]);
    expect(floatsOf(tensors.get("module.conv.weight"))).toEqual(ramp(4));
    expect(floatsOf(tensors.get("module.conv.bias"))).toEqual(ramp(2, 2));
  });

  it.each([3, 4, 5])("protocol %i", async (protocol) => {
    const tensors = await readTorchFile(disk, golden(`protocol-${protocol}.bin`));
    expect([...tensors].map(([name, { dtype }]) => `${name} ${dtype}`)).toEqual(["a F32", "b F32", "c F16"]);
    expect(floatsOf(tensors.get("b"))).toEqual(ramp(3));
  });

  it("names the tensor that is not contiguous, and what to do", async () => {
    await refuse(golden("strided.bin"), /tensor turned \[3, 2\] is not contiguous \(strides 1, 3\)/);
    await expect(readTorchFile(disk, golden("strided.bin"))).rejects.toMatchObject({
      hint: expect.stringMatching(/contiguous\(\)/),
    });
  });

  it("explains the format of PyTorch before 1.6", () => refuse(golden("legacy.bin"), /before 1\.6/));
});

describe("which tensors a file holds", () => {
  const scalar = p.tensor(four, [], []);
  const names = async (pickle: Uint8Array, more?: ZipFile[]) => [
    ...(await readTorchFile(disk, write(pickle, more))).keys(),
  ];

  it("a tensor named state_dict is a tensor; keys that are no text are passed over", async () => {
    expect(await names(p.pickle(p.dict(p.text("state_dict"), scalar, "K\x01", scalar)))).toEqual([
      "state_dict",
    ]);
  });

  it("__proto__ is a name like any other", async () => {
    expect(await names(p.pickle(p.dict(p.text("__proto__"), scalar)))).toEqual(["__proto__"]);
  });

  it("strides along axes of one element, and of empty tensors, mean nothing", async () => {
    const odd = [p.tensor(four, [1, 4, 1], [77, 1, 99]), p.tensor(four, [0, 3], [5, 5])];
    expect(await names(p.pickle(p.dict(p.text("a"), odd[0], p.text("b"), odd[1])))).toEqual(["a", "b"]);
  });

  it("`byteorder` may be absent or little", async () => {
    const order = (data: string) => [{ name: "x/byteorder", data: Buffer.from(data) }];
    expect(await names(one(scalar), order("little"))).toEqual(["a"]);
    await refuse(write(one(scalar), order("big")), /little-endian/);
  });
});

describe("a damaged or hostile archive", () => {
  const notes = { name: "x/data/notes", data: Buffer.alloc(16) };
  it.each<[string, Uint8Array, RegExp]>([
    [
      "code",
      one(p.call(p.global("posix", "system"), p.text("true"))),
      /x\.bin: its pickle names posix\.system/,
    ],
    ["a list", p.pickle("]"), /no state dict/],
    ["a tensor alone", p.pickle(p.tensor(four, [4], [1])), /no state dict/],
    ["no tensors", p.pickle(p.dict(p.text("epoch"), "K\x01")), /no tensors/],
    [
      "a storage that is missing",
      one(p.tensor(p.storage("7", 4), [4], [1])),
      /tensor a \(data\/7\) are missing/,
    ],
    ["a key that is a path", one(p.tensor(p.storage("../../../../etc/passwd", 4), [4], [1])), /key/],
    ["a key that is a name", one(p.tensor(p.storage("notes", 4), [4], [1])), /key/],
    [
      "more numbers than its storage",
      one(p.tensor(four, [5], [1])),
      /needs 5 elements from 0 of a storage of 4/,
    ],
    ["a start past its storage", one(p.tensor(four, [1], [1], 4)), /needs 1 elements from 4/],
    ["a start past all numbers", one(p.tensor(four, [1], [1], Number.MAX_SAFE_INTEGER)), /needs/],
    ["a huge size", one(p.tensor(four, [2 ** 40, 2 ** 40], [2 ** 40, 1])), /needs/],
    [
      "a huge size times nothing",
      one(p.tensor(four, [...Array(31).fill(2 ** 52), 0], Array(32).fill(1))),
      /needs/,
    ],
    [
      "a storage longer than its bytes",
      one(p.tensor(p.storage("0", 5), [5], [1])),
      /claims 5 elements and has 16/,
    ],
    ["a storage shorter than its bytes", one(p.tensor(p.storage("0", 3), [3], [1])), /claims 3 elements/],
    ["a storage of another type", one(p.tensor(p.storage("0", 4, "HalfStorage"), [4], [1])), /has 16 bytes/],
    ["rows that overlap", one(p.tensor(four, [3, 2], [1, 1])), /not contiguous/],
    ["one number repeated", one(p.tensor(four, [4], [0])), /not contiguous/],
  ])("refuses %s", (_what, pickle, named) => refuse(write(pickle, [notes]), named));

  it("refuses integers past their storage too, though they are left out", () =>
    refuse(write(one(p.tensor(p.storage("0", 2, "LongStorage"), [3], [1]))), /needs 3/));

  it.each<[string, readonly ZipFile[], RegExp]>([
    ["without data.pkl", [{ name: "x/data/0", data: Buffer.alloc(4) }], /data\.pkl/],
    [
      "with two",
      [
        { name: "y/data.pkl", data: Buffer.alloc(4) },
        { name: "x/data.pkl", data: one("N") },
      ],
      /data\.pkl/,
    ],
    [
      "of TorchScript without modules",
      [
        { name: "x/data.pkl", data: one("N") },
        { name: "x/code/__torch__.py", data: Buffer.alloc(4), compressed: true },
      ],
      /state dict/,
    ],
    [
      "of TorchScript without weights",
      [
        { name: "x/data.pkl", data: script(")\x81}b") },
        { name: "x/constants.pkl", data: Buffer.alloc(4) },
      ],
      /without weights/,
    ],
    [
      "of TorchScript whose modules are made of something",
      [
        { name: "x/data.pkl", data: script("N\x85\x81") },
        { name: "x/constants.pkl", data: Buffer.alloc(4) },
      ],
      /NEWOBJ.*not part of a state dict/,
    ],
    [
      "of TorchScript whose modules have attributes of another kind",
      [
        { name: "x/data.pkl", data: script(")\x81Nb") },
        { name: "x/constants.pkl", data: Buffer.alloc(4) },
      ],
      /attributes that are not a dict/,
    ],
    [
      "of TorchScript that makes something else",
      [
        { name: "x/data.pkl", data: p.pickle("ctorch\nSize\n)\x81") },
        { name: "x/constants.pkl", data: Buffer.alloc(4) },
      ],
      /NEWOBJ.*not part of a state dict/,
    ],
    [
      "of TorchScript that names something else",
      [
        { name: "x/data.pkl", data: p.pickle("cos\nsystem\n") },
        { name: "x/constants.pkl", data: Buffer.alloc(4) },
      ],
      /os\.system/,
    ],
    [
      "with modules that is none of TorchScript",
      [{ name: "x/data.pkl", data: script(")\x81}b") }],
      /names .*__torch__\.M/,
    ],
    [
      "with a compressed pickle",
      [{ name: "x/data.pkl", data: one("N"), compressed: true }],
      /data\.pkl.* is compressed/,
    ],
    [
      "with a compressed tensor",
      [
        { name: "x/data.pkl", data: one(p.tensor(p.storage("0", 1), [1], [1])) },
        { name: "x/data/0", data: Buffer.alloc(4), compressed: true },
      ],
      /data\/0.* is compressed/,
    ],
  ])("refuses an archive %s", (_what, files, named) => {
    writeFileSync(path, writeZip(files));
    return refuse(path, named);
  });

  it("says that a file is missing, unreadable or of another kind", async () => {
    await expect(readTorchFile(disk, join(folder, "none.bin"))).rejects.toMatchObject({
      code: "INPUT_NOT_FOUND",
    });
    mkdirSync(join(folder, "folder.bin"));
    await expect(readTorchFile(disk, join(folder, "folder.bin"))).rejects.toMatchObject({
      code: "INPUT_UNREADABLE",
    });
    for (const text of ["", "PK"]) {
      writeFileSync(path, text);
      await refuse(path, /zip/);
    }
    writeFileSync(path, "version https://git-lfs.github.com/spec/v1\n");
    await refuse(path, /Git LFS pointer/);
  });

  it("refuses a pickle cut off at every byte", async () => {
    const pickle = one(p.tensor(four, [2, 2], [2, 1]));
    for (let length = 0; length < pickle.length; length++) await refuse(write(pickle.subarray(0, length)));
  });

  it("with any byte of the file changed, refuses or points inside the file", async () => {
    const sound = readFileSync(golden("shared.bin"));
    await fc.assert(
      fc.asyncProperty(fc.nat(sound.length - 1), fc.nat(255), async (at, byte) => {
        const bytes = Buffer.from(sound);
        bytes[at] = byte;
        writeFileSync(path, bytes);
        const result = await readTorchFile(disk, path).catch((error) => error);
        if (result instanceof Error) expect(result).toMatchObject({ code: "CHECKPOINT_INVALID" });
        else {
          for (const ref of result.values()) {
            const needed = ref.shape.reduce((product: number, size: number) => product * size, 4);
            expect(ref.offset + needed).toBeLessThanOrEqual(sound.length);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
