import { readFileSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import type { ERRORS } from "../../src/support/errors.ts";
import { goldenPath } from "../support/goldens.ts";
import { safetensorsHeader } from "../support/safetensors.ts";
import { expectError, repositoryPath, runCli, sharedFolder } from "./cli.ts";

const shared = sharedFolder();
const SCENE = repositoryPath("examples/scenes/images/0067-monkey.png");
const PIXELS = goldenPath("gelu-p8/pixels.npy");
const GOLDEN = goldenPath("gelu-p8/open_clip");
const WEIGHTS = "open_clip_model.safetensors";
const CONFIG = "open_clip_config.json";
type Json = Record<string, unknown>;
type Config = { model_cfg: Json & { vision_cfg: Json; text_cfg: Json }; preprocess_cfg: Json };

/** Runs in the folder of bad files and expects this error, before what would be a hang. */
async function fails(args: readonly string[], code: keyof typeof ERRORS): Promise<string> {
  const result = await runCli(args, { cwd: shared(), timeout: 45_000 });
  expectError(result, code);
  expect(result.stderr).not.toMatch(/\n\s+at /);
  return result.stderr;
}

/** A chunk of a PNG file. */
function pngChunk(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from(type), data, Buffer.alloc(4)]);
  chunk.writeUInt32BE(data.length, 0);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
}

/** A PNG of a few bytes whose header claims a gray image of this size. */
function bomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const chunks = [
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(Buffer.alloc(1000))),
    pngChunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]);
}

beforeAll(async () => {
  const jpeg = readFileSync(goldenPath("preprocess/coco-000000000073.jpg"));
  await writeFile(shared("text.png"), "This is no image.\n");
  await writeFile(shared("cut.jpg"), jpeg.subarray(0, jpeg.length / 3));
  await writeFile(shared("bomb.png"), bomb(60_000, 60_000));
  await copyFile(SCENE, shared("own.png"));
  const nan = readFileSync(PIXELS);
  nan.writeFloatLE(Number.NaN, nan.length - 8);
  await writeFile(shared("nan.npy"), nan);
  await writeFile(shared("drawing.svg"), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  await mkdir(shared("empty folder"));
});

describe("words that are not understood", () => {
  it.concurrent.each([
    ["an unknown command", ["frobnicate"]],
    ["an unknown option", ["explain", "--frobnicate"]],
    ["an option without its value", ["explain", "x.png", "--text"]],
    ["an option that is required", ["decompose", "--pixels", "x.npy"]],
    ["an argument too many", ["models", "a"]],
    ["a picture of an unknown kind", ["explain", SCENE, "--text", "a", "--out", "x.gif"]],
    ["threads below zero", ["explain", "--threads", "-1"]],
    ["a limit of no pixels", ["explain", "--max-pixels", "0"]],
  ])("%s", async (_what, args) => {
    expect(await fails(args, "USAGE")).toContain("--help");
  });

  it("says of a folder that it is one", async () => {
    expect(await fails(["explain", ".", "--text", "a"], "INPUT_UNREADABLE")).toContain(
      ". is a folder. Name a file",
    );
  });

  it("names the command that was meant", async () => {
    expect(await fails(["explian"], "USAGE")).toContain("explain");
  });
});

describe("files that are not what is needed", () => {
  const explain = (image: string) => ["explain", image, "--text", "a whale", "--out", "never.png"];
  it.concurrent.each([
    ["a missing image", explain("missing.png"), "INPUT_NOT_FOUND"],
    ["a folder as an image", explain("empty folder"), "INPUT_UNREADABLE"],
    ["a text renamed to .png", explain("text.png"), "IMAGE_UNREADABLE"],
    ["a JPEG cut off", explain("cut.jpg"), "IMAGE_UNREADABLE"],
    ["a drawing", explain("drawing.svg"), "IMAGE_UNSUPPORTED"],
    ["a pixel bomb", explain("bomb.png"), "IMAGE_TOO_LARGE"],
    ["an image over the limit given", [...explain(SCENE), "--max-pixels", "100"], "IMAGE_TOO_LARGE"],
    ["an image without a text", ["explain", SCENE], "TEXTS_EMPTY"],
    ["an empty text", ["explain", SCENE, "--text", ""], "TEXTS_EMPTY"],
    ["a blank text among others", ["explain", SCENE, "--text", "a", "--text", " \n"], "TEXTS_EMPTY"],
    ["a missing list of texts", ["tokenize", "--texts", "missing.json"], "INPUT_NOT_FOUND"],
    ["a picture over its own original", [...explain("cut.jpg"), "--out", "cut.jpg"], "USAGE"],
    ["a picture over itself", [...explain("own.png"), "--out", "./own.png"], "USAGE"],
    ["a crop over its own original", ["preprocess", "own.png", "--out", "own.png"], "USAGE"],
    [
      "pixels that are no numbers",
      ["decompose", "--pixels", "nan.npy", "--out", "nan-out", "--model", GOLDEN],
      "NPY_INVALID",
    ],
    ["an image as pixels", ["decompose", "--pixels", SCENE, "--out", "never"], "NPY_INVALID"],
  ] as const)("%s", async (_what, args, code) => {
    await fails(args, code);
    expect((await readdir(shared())).filter((name) => name.startsWith("never"))).toEqual([]);
  });

  it("leaves an input that was named as output as it was", () => {
    expect(readFileSync(shared("own.png")).equals(readFileSync(SCENE))).toBe(true);
  });

  it("keeps a file name's line breaks and control characters out of the message", async () => {
    expect(await fails(explain("no\nsuch\u001b[31m.png"), "INPUT_NOT_FOUND")).not.toContain("\u001b");
  });

  it("shows the stack with --debug, below the same line", async () => {
    const { code, stdout, stderr } = await runCli(["--debug", ...explain("missing.png")], { cwd: shared() });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error INPUT_NOT_FOUND: [^\n]+\n[^\n]*\n\s+at /);
  });
});

describe("models that cannot be loaded", () => {
  /** A copy of a golden model with something done to it. */
  const damage = async (name: string, change: (folder: string) => Promise<void>): Promise<string> => {
    const folder = shared(name);
    await cp(GOLDEN, folder, { recursive: true });
    await change(folder);
    return folder;
  };
  /** Edits the copy's config. */
  const reconfigure = (edit: (config: Config) => void) => async (folder: string) => {
    const config = JSON.parse(readFileSync(join(folder, CONFIG), "utf8")) as Config;
    edit(config);
    await writeFile(join(folder, CONFIG), JSON.stringify(config));
  };
  /** Replaces the copy's weights by these bytes. */
  const weights = (bytes: Uint8Array) => (folder: string) => writeFile(join(folder, WEIGHTS), bytes);
  /** A header that describes one tensor in a way it should not. */
  const header = (entry: Json) =>
    weights(Buffer.concat([safetensorsHeader({ "visual.proj": entry }), Buffer.alloc(64)]));
  const tensor = (begin: number, end: number, shape: unknown = [4]) =>
    header({ dtype: "F32", shape, data_offsets: [begin, end] });
  const huge = Buffer.alloc(64, 0xff);

  it.concurrent.each([
    ["no weights", "MODEL_NOT_FOUND", (folder: string) => rm(join(folder, WEIGHTS))],
    ["weights cut off", "CHECKPOINT_INVALID", (folder: string) => truncate(join(folder, WEIGHTS), 500_000)],
    ["a header longer than any file", "CHECKPOINT_INVALID", weights(huge)],
    ["a header that is no JSON", "CHECKPOINT_INVALID", weights(Buffer.from("\x04\0\0\0\0\0\0\0{{{{"))],
    ["a tensor past the end", "CHECKPOINT_INVALID", tensor(1e9, 1e9 + 16)],
    ["a shape too large to count", "CHECKPOINT_INVALID", tensor(0, 16, [2 ** 40, 2 ** 40])],
    ["nothing of CLIP", "MODEL_UNSUPPORTED", tensor(0, 16)],
    ["a config that is no JSON", "JSON_INVALID", (folder: string) => writeFile(join(folder, CONFIG), "{")],
    ["a config without sizes", "CONFIG_INVALID", reconfigure((c) => delete c.model_cfg.embed_dim)],
    [
      "a layer too many",
      "CHECKPOINT_MISMATCH",
      reconfigure((c) => Object.assign(c.model_cfg.vision_cfg, { layers: 6 })),
    ],
    [
      "a million layers",
      "CHECKPOINT_MISMATCH",
      reconfigure((c) => Object.assign(c.model_cfg.vision_cfg, { layers: 1e6 })),
    ],
    [
      "a tower of timm's",
      "MODEL_UNSUPPORTED",
      reconfigure((c) => Object.assign(c.model_cfg.vision_cfg, { timm_model_name: "resnet" })),
    ],
  ] as const)("%s", async (what, code, change) => {
    const model = await damage(what, change);
    await fails(["decompose", "--pixels", PIXELS, "--out", "never", "--model", model], code);
  });

  it.concurrent.each([
    ["a name that is none", "no-such-model"],
    ["an empty folder", "empty folder"],
  ])("%s", async (_what, model) => {
    await fails(["explain", SCENE, "--text", "a", "--model", model], "MODEL_NOT_FOUND");
  });

  it("a tokenizer that is missing, damaged or another model's", async () => {
    const model = await damage("tokenizers", async () => {});
    const args = ["explain", SCENE, "--text", "a", "--model", model];
    expect(await fails(args, "INPUT_NOT_FOUND")).toContain("tokenizer.json");
    await writeFile(join(model, "tokenizer.json"), "{}");
    await fails(args, "TOKENIZER_INVALID");
    await cp(goldenPath("tokenizer/tokenizer.json"), join(model, "tokenizer.json"));
    await fails(args, "TOKENIZER_INVALID");
  });
});
