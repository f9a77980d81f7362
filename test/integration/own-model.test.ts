import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { loadSuite } from "../../src/analysis/verify/suite.ts";
import { verifyModel } from "../../src/analysis/verify/verify.ts";
import { copyCheckpoint } from "../../src/checkpoint/copy-checkpoint.ts";
import { loadCheckpoint } from "../../src/checkpoint/load.ts";
import { readsTexts } from "../../src/checkpoint/model-config.ts";
import { createPuller } from "../../src/hub/pull.ts";
import { listModels } from "../../src/model/catalogue.ts";
import type { ModelOptions } from "../../src/model/clip-model.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { modelNotice } from "../../src/model/notices.ts";
import { locateModel } from "../../src/model/registry.ts";
import type { ClipInterpretError } from "../../src/support/errors.ts";
import { SHARED_TOKENIZER } from "../../src/text/load-tokenizer.ts";
import { goldenPath } from "../support/goldens.ts";
import * as p from "../support/pickle.ts";
import { runHere } from "../support/run-cli.ts";
import { type RawTensor, readRawTensors, writeSafetensors } from "../support/safetensors.ts";
import { writeZip } from "../support/zip.ts";

/*
 * The first hour with one's own model: folders as training runs, other libraries and clones leave them. The right values
 * are OpenCLIP's and transformers' own, of a tiny CLIP with random weights in half precision.
 */

const PICTURE = goldenPath("tiny/a.png");
const TEXTS = ["a monkey", "a palm tree"];
const GELU = [0.149444, 0.157014];
const QUICK_GELU = [0.147299, 0.154307];
const TOKENIZER = fileURLToPath(new URL("../../models/emoji-4x128-p8/tokenizer.json", import.meta.url));
const WEIGHTS = "open_clip_model.safetensors";
const LFS =
  "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

const scratch = mkdtempSync(join(tmpdir(), "own-model-"));
afterAll(() => rmSync(scratch, { recursive: true }));
let folder: string;
let count = 0;
beforeEach(() => {
  folder = join(scratch, `model-${count++}`);
});

/** The tiny model in OpenCLIP's layout, without weights: those are the test's. */
function withoutWeights(): Map<string, RawTensor> {
  mkdirSync(folder);
  cpSync(goldenPath("tiny/open_clip/open_clip_config.json"), join(folder, "open_clip_config.json"));
  cpSync(TOKENIZER, join(folder, "tokenizer.json"));
  return readRawTensors(goldenPath(`tiny/open_clip/${WEIGHTS}`));
}

function whole(): Map<string, RawTensor> {
  const tensors = withoutWeights();
  writeSafetensors(join(folder, WEIGHTS), tensors);
  return tensors;
}

/** Cosines of the picture with the texts, and what must be said beside them. */
async function similarities(options: ModelOptions = {}, name?: string) {
  const model = await loadClipModel(folder, name, { threads: 1, ...options });
  try {
    const { texts } = await explainImage(model, PICTURE, TEXTS);
    return { values: texts.map(({ similarity }) => similarity), notice: modelNotice(model) };
  } finally {
    await model.release();
  }
}

const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6));

/** A file as torch.save writes it, of a pickle that `state` is put into. */
function writeTorch(
  file: string,
  tensors: ReadonlyMap<string, RawTensor>,
  wrap: (state: Buffer) => Buffer,
  prefix = "",
) {
  const entries = [...tensors].map(([name, { shape, bytes }], key) => {
    const strides = shape.map((_, axis) =>
      shape.slice(axis + 1).reduce((product, size) => product * size, 1),
    );
    const stored = p.storage(String(key), bytes.length / 2, "HalfStorage");
    return { name, key, bytes, tensor: p.tensor(stored, shape, strides) };
  });
  const state = p.dict(...entries.flatMap(({ name, tensor }) => [p.text(`${prefix}${name}`), tensor]));
  const storages = entries.map(({ key, bytes }) => ({ name: `x/data/${key}`, data: bytes }));
  writeFileSync(
    join(folder, file),
    writeZip([{ name: "x/data.pkl", data: p.pickle(wrap(state)) }, ...storages]),
  );
}

const under = (name: string) => (state: Buffer) => p.dict(p.text("epoch"), p.int(3), p.text(name), state);
/** What NumPy 1 and 2 pickle of `numpy.float64(0.5)`. */
const scalar = (module: string) =>
  p.call(
    p.global(`${module}.multiarray`, "scalar"),
    p.join(
      p.call(p.global("numpy", "dtype"), p.text("f8"), "\x89", "\x88"),
      p.tuple(p.int(3), p.text("<"), "N", "N", "N", p.int(-1), p.int(-1), p.int(0)),
      "b",
    ),
    p.call(p.global("_codecs", "encode"), p.text("\0\0\0\0\0\0à?"), p.text("latin1")),
  );

describe("weights in a training run's wrappings", () => {
  it.each(["module.", "model.", "_orig_mod.", "module._orig_mod.model.", "clip."])(
    "safetensors whose names start with %s",
    async (prefix) => {
      const tensors = withoutWeights();
      const loss = tensors.get("logit_scale")!;
      const named = [...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const);
      writeSafetensors(join(folder, WEIGHTS), new Map([...named, ["loss.scale", loss]]));
      expect((await similarities()).values).toEqual(near(GELU));
    },
  );

  it.each<[string, string, (state: Buffer) => Buffer, string]>([
    ["Lightning's", "last.ckpt", under("state_dict"), "model."],
    ["torch.compile's", "best.pt", under("state_dict"), "_orig_mod."],
    ["one under `model`", "best.pt", under("model"), ""],
    ["one under `model_state_dict`", "best.pth", under("model_state_dict"), "module."],
    ["one under two names", "best.pt", (state) => under("model")(under("state_dict")(state)), ""],
    [
      "one with a scalar of NumPy 1",
      "best.pt",
      (s) => p.dict(p.text("best"), scalar("numpy.core"), p.text("model"), s),
      "",
    ],
    [
      "one with a scalar of NumPy 2",
      "best.pt",
      (s) => p.dict(p.text("best"), scalar("numpy._core"), p.text("model"), s),
      "",
    ],
  ])("a state dict like %s", async (_, file, wrap, prefix) => {
    writeTorch(file, withoutWeights(), wrap, prefix);
    expect((await similarities()).values).toEqual(near(GELU));
  });

  it("float64, in safetensors", async () => {
    const tensors = withoutWeights();
    const wide = [...tensors].map(
      ([name, { shape, bytes }]) => [name, { dtype: "F64", shape, bytes: widen(bytes) }] as const,
    );
    writeSafetensors(join(folder, WEIGHTS), new Map(wide));
    expect((await similarities()).values).toEqual(near(GELU));
    const int8 = await similarities({ precision: "int8" });
    expect(int8.values).toEqual(GELU.map((value) => expect.closeTo(value, 1)));
  });

  it.each<[string, (tensors: Map<string, RawTensor>) => Iterable<readonly [string, RawTensor]>, RegExp]>([
    [
      "one tensor in integers",
      (t) => [...t, ["visual.proj", integers(t.get("visual.proj")!)]],
      /visual\.proj is stored as I8/,
    ],
    ["all in integers", (t) => [...t].map(([name, tensor]) => [name, integers(tensor)]), /of type I8/],
    [
      "two models",
      (t) =>
        [...t].flatMap(
          ([name, x]) =>
            [
              [`ema.${name}`, x],
              [`model.${name}`, x],
            ] as const,
        ),
      /several models \(ema\.\*, model\.\*\)/,
    ],
    [
      "none that is known",
      (t) => [...t.values()].map((x, i) => [`trunk.encoder.layer${i}.w`, x]),
      /all names start with trunk\.encoder\./,
    ],
    [
      "none in common",
      (t) => [...t.values()].map((x, i) => [`w${i}`, x]),
      /they are w0, w1, w2 and \d+ more/,
    ],
  ])("says what is in the way: %s", async (_, change, message) => {
    const tensors = withoutWeights();
    writeSafetensors(join(folder, WEIGHTS), new Map(change(tensors)));
    await expect(loadCheckpoint(folder)).rejects.toThrow(message);
  });

  it("says what a file without tensors holds instead", async () => {
    withoutWeights();
    writeFileSync(
      join(folder, "a.pt"),
      writeZip([{ name: "x/data.pkl", data: p.pickle(under("weights")(p.dict())) }]),
    );
    await expect(loadCheckpoint(folder)).rejects.toThrow(
      /no tensors where .*model_state_dict.*it has epoch, weights/,
    );
  });

  it("drops a NumPy value without a look at it, and runs nothing that only looks like one", async () => {
    const tensors = withoutWeights();
    const attack = p.call(p.global("numpy.core.multiarray", "_reconstruct"), p.text("x"));
    writeTorch("best.pt", tensors, (state) => p.dict(p.text("best"), attack, p.text("model"), state));
    await expect(loadCheckpoint(folder)).rejects.toThrow(/numpy\.core\.multiarray\._reconstruct/);
  });
});

/** Half precision as float64. */
function widen(bytes: Uint8Array): Uint8Array {
  const halves = new Uint16Array(Uint8Array.from(bytes).buffer);
  const values = Float64Array.from(halves, (bits) => {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
  return new Uint8Array(values.buffer);
}

const integers = ({ shape, bytes }: RawTensor): RawTensor => ({
  dtype: "I8",
  shape,
  bytes: bytes.subarray(0, bytes.length / 2),
});

describe("the activation", () => {
  it.each(["finetuned-b32", "not-openai-style", "vit.openai", "ViT-B-32-quickgelu"])(
    "is not guessed from the name of a folder: %s",
    async (name) => {
      whole();
      const { values, notice } = await similarities({}, name);
      expect(values).toEqual(near(GELU));
      expect(notice).toMatch(new RegExp(`${name} does not say .* GELU was taken.*--activation quick_gelu`));
    },
  );

  it("is what the caller says, and the result says so", async () => {
    whole();
    const { values, notice } = await similarities({ activation: "quick_gelu" });
    expect(values).toEqual(near(QUICK_GELU));
    expect(notice).toBe("QuickGELU was taken because --activation says so.");
    // Where the config is silent, so is what it would have meant.
    expect((await similarities({ activation: "gelu" })).notice).toBe(
      "GELU was taken because --activation says so.",
    );
    const { code, stdout } = await runHere(
      "explain",
      PICTURE,
      "--text",
      TEXTS[0]!,
      "--model",
      folder,
      "--json",
      "--activation",
      "quick_gelu",
    );
    expect(code).toBe(0);
    const { origin, texts } = JSON.parse(stdout);
    expect([origin.model.notice, texts[0].similarity]).toEqual([notice, expect.closeTo(QUICK_GELU[0]!, 6)]);
  });

  it.each([
    [true, QUICK_GELU],
    [false, GELU],
  ])("is what the config says, without a word: quick_gelu %s", async (quick_gelu, expected) => {
    whole();
    const path = join(folder, "open_clip_config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...config, model_cfg: { ...config.model_cfg, quick_gelu } }));
    const { values, notice } = await similarities();
    expect([values, notice]).toEqual([near(expected), undefined]);
    // Nothing is said where the caller says the same.
    const same = await similarities({ activation: quick_gelu ? "quick_gelu" : "gelu" });
    expect([same.values, same.notice]).toEqual([near(expected), undefined]);
  });

  it.each([
    ["ViT-B-32/openai", QUICK_GELU],
    ["timm/vit_base_patch32_clip_224.openai", QUICK_GELU],
    ["ViT-B-32/laion2b_s34b_b79k", GELU],
  ])("is that of a known model, without a word: %s", async (name, expected) => {
    whole();
    const { values, notice } = await similarities({}, name);
    expect([values, notice]).toEqual([near(expected), undefined]);
  });

  it.each([
    ["eva", "gelu"],
    ["eva02", "silu"],
    ["siglip-timm", "gelu"],
  ])("is the tower's own in timm's, without a word, whatever is asked for: %s", async (kind, own) => {
    for (const activation of [undefined, "quick_gelu"] as const) {
      const model = await loadClipModel(
        goldenPath(`kinds/${kind}`),
        undefined,
        activation ? { activation } : {},
      );
      expect(model.config.vision.activation).toBe(own);
      const name = { gelu: "GELU", silu: "SiLU" }[own];
      const said = `QuickGELU was taken for texts because --activation says so; the image tower has its own, ${name}.`;
      // SigLIP's texts have GELU's approximation, which is no matter of choice either.
      expect(modelNotice(model)).toBe(activation && kind !== "siglip-timm" ? said : undefined);
      await model.release();
    }
  });

  it("stands in the config of a copy", async () => {
    whole();
    const { config } = await loadCheckpoint(folder, undefined, { activation: "quick_gelu" });
    const copies = [join(scratch, "copy-a"), join(scratch, "copy-b")];
    await copyCheckpoint(folder, copies[0]!, config);
    await copyCheckpoint(goldenPath("tiny/transformers"), copies[1]!, config);
    for (const copy of copies) {
      const { config, activationSource } = await loadCheckpoint(copy);
      expect([
        config.vision.activation,
        readsTexts(config.text) && config.text.activation,
        activationSource,
      ]).toEqual(["quick_gelu", "quick_gelu", "config"]);
    }
  });

  it("keeps an index from being searched with another", async () => {
    whole();
    const index = join(scratch, "index");
    const pictures = join(scratch, "pictures");
    mkdirSync(pictures);
    cpSync(PICTURE, join(pictures, "a.png"));
    expect(await runHere("index", pictures, "--out", index, "--model", folder, "--quiet")).toMatchObject({
      code: 0,
    });
    const search = (...more: string[]) =>
      runHere(
        "neighbors",
        "--index",
        index,
        "--text",
        "x",
        "--heads",
        "all",
        "--model",
        folder,
        "--json",
        ...more,
      );
    expect(await search()).toMatchObject({ code: 0 });
    expect(await search("--activation", "quick_gelu")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/INDEX_MISMATCH.*activation is gelu there, quick_gelu here/),
    });
  });
});

describe("weights that are not numbers", () => {
  /** Writes a NaN or an infinity into one tensor, at its last place. */
  function spoil(name: string, bits = 0x7e00): void {
    const tensors = withoutWeights();
    const { bytes, ...rest } = tensors.get(name)!;
    const spoilt = Uint8Array.from(bytes);
    new Uint16Array(spoilt.buffer)[spoilt.length / 2 - 1] = bits;
    writeSafetensors(join(folder, WEIGHTS), new Map([...tensors, [name, { ...rest, bytes: spoilt }]]));
  }
  const blamed = (name: string, value: RegExp | string = "NaN") => ({
    code: "CHECKPOINT_INVALID",
    message: expect.stringMatching(
      new RegExp(`tensor ${name.replaceAll(".", "\\.")}.* holds ${value} \\(1 of its`),
    ),
  });

  it.each([
    "visual.proj",
    "visual.transformer.resblocks.1.mlp.c_fc.weight",
    "visual.positional_embedding",
    "text_projection",
    "transformer.resblocks.0.attn.in_proj_bias",
  ])("are named: %s", async (name) => {
    spoil(name);
    await expect(similarities()).rejects.toMatchObject(blamed(name));
    await expect(similarities({ precision: "int8" })).rejects.toMatchObject(blamed(name));
  });

  it("also infinite ones, and in JSON", async () => {
    spoil("visual.ln_post.weight", 0xfc00);
    await expect(similarities()).rejects.toMatchObject(blamed("visual.ln_post.weight", "-Infinity"));
    spoilAgain("text_projection");
    const { code, stdout, stderr } = await runHere(
      "explain",
      PICTURE,
      "--text",
      "x",
      "--model",
      folder,
      "--json",
    );
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/CHECKPOINT_INVALID.*text_projection/);
  });

  it("fail `verify`, wherever they are", async () => {
    // A token that none of its texts has.
    spoil("token_embedding.weight");
    const model = await loadClipModel(folder, undefined, { threads: 1 });
    await expect(verifyModel(model, await loadSuite("scenes"))).rejects.toMatchObject(
      blamed("token_embedding.weight"),
    );
    await model.release();
  });

  it.each([
    ["open_clip", WEIGHTS, "visual.proj"],
    ["open_clip", WEIGHTS, "text_projection"],
    ["transformers", "model.safetensors", "visual_projection.weight"],
    ["transformers", "model.safetensors", "text_projection.weight"],
  ])("stop every command that begins something, in %s's %s: %s", async (layout, weights, name) => {
    cpSync(goldenPath(`tiny/${layout}`), folder, { recursive: true });
    cpSync(TOKENIZER, join(folder, "tokenizer.json"));
    const tensors = readRawTensors(join(folder, weights));
    const { bytes, dtype, ...rest } = tensors.get(name)!;
    const spoilt = Uint8Array.from(bytes).fill(0xff, bytes.length - (dtype === "F16" ? 2 : 4));
    writeSafetensors(join(folder, weights), new Map([...tensors, [name, { ...rest, dtype, bytes: spoilt }]]));
    for (const words of [
      ["verify"],
      ["index", goldenPath("tiny"), "--out", join(folder, "an.index")],
      ["serve", "--port", "1"],
    ]) {
      const { code, stderr } = await runHere(...words, "--model", folder);
      expect([words[0], code, stderr]).toEqual([
        words[0],
        1,
        expect.stringMatching(
          new RegExp(`^error CHECKPOINT_INVALID: tensor ${name.replaceAll(".", "\\.")} .* holds NaN`),
        ),
      ]);
    }
  });

  it("as the logit scale are seen at once", async () => {
    spoil("logit_scale");
    await expect(loadCheckpoint(folder)).rejects.toMatchObject({
      code: "CHECKPOINT_INVALID",
      message: expect.stringContaining("logit_scale"),
    });
  });

  function spoilAgain(name: string): void {
    folder = join(scratch, `model-${count++}`);
    spoil(name);
  }
});

describe("a clone without git-lfs", () => {
  it.each([WEIGHTS, "open_clip_pytorch_model.bin", "epoch_1.pt", "tokenizer.json", "open_clip_config.json"])(
    "is told from a damaged file: %s",
    async (file) => {
      const tensors = withoutWeights();
      if (!/\.(bin|pt)$/.test(file)) writeSafetensors(join(folder, WEIGHTS), tensors);
      writeFileSync(join(folder, file), LFS);
      await expect(similarities()).rejects.toMatchObject({
        message: expect.stringMatching(/is a Git LFS pointer/),
        hint: expect.stringContaining("git lfs pull"),
      });
    },
  );
});

describe("words added to the vocabulary", () => {
  /** A tokenizer with one word more than the tiny model's. */
  function addWord(): void {
    const tokenizer = JSON.parse(readFileSync(TOKENIZER, "utf8"));
    const word = {
      id: 1907,
      content: "<cat-toy>",
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: true,
      special: false,
    };
    writeFileSync(
      join(folder, "tokenizer.json"),
      JSON.stringify({ ...tokenizer, added_tokens: [...tokenizer.added_tokens, word] }),
    );
  }
  const editConfig = (edit: (text: Record<string, unknown>) => void) => {
    const path = join(folder, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    edit(config.text_config);
    writeFileSync(path, JSON.stringify(config));
  };

  it("do a transformers model no harm: it pools at its eos_token_id", async () => {
    cpSync(goldenPath("tiny/transformers"), folder, { recursive: true });
    addWord();
    expect((await similarities()).values[0]).toBeCloseTo(0.149444, 6);
    const model = await loadClipModel(folder, undefined, { threads: 1 });
    expect((await model.tokenizeTexts(["a <cat-toy>"]))[0]).toContain(1907);
    await model.release();
  });

  it.each<[string, (text: Record<string, unknown>) => void, RegExp]>([
    [
      "where the config is older",
      (text) => Object.assign(text, { eos_token_id: 2 }),
      /<cat-toy> is 1907.*eos_token_id 2/,
    ],
    [
      "where the config names no end token",
      (text) => delete text.eos_token_id,
      /pooled at eos_token_id 49407/,
    ],
    [
      "where the model was not resized",
      (text) => Object.assign(text, { vocab_size: 1907 }),
      /CHECKPOINT_MISMATCH|token_embedding/,
    ],
  ])("are refused %s", async (_, edit, message) => {
    cpSync(goldenPath("tiny/transformers"), folder, { recursive: true });
    addWord();
    editConfig(edit);
    await expect(similarities()).rejects.toThrow(message);
  });

  it("are refused with OpenCLIP's files, which have no place for them", async () => {
    whole();
    addWord();
    await expect(similarities()).rejects.toMatchObject({
      code: "TOKENIZER_INVALID",
      message: expect.stringMatching(/words were added .*<cat-toy> is 1907.*OpenCLIP/),
      hint: expect.stringContaining("transformers folder"),
    });
  });
});

describe("a cache that Python's open_clip filled", () => {
  const commit = "0123456789".repeat(4);
  const put = (home: string, id: string) => {
    const repository = join(home, "hub", `models--${id.replace("/", "--")}`);
    mkdirSync(join(repository, "refs"), { recursive: true });
    mkdirSync(join(repository, "snapshots", commit), { recursive: true });
    writeFileSync(join(repository, "refs", "main"), commit);
    return join(repository, "snapshots", commit);
  };

  it("reads texts with the tokenizer that the cache has for all CLIPs", async () => {
    const home = join(scratch, "home");
    folder = put(home, "timm/vit_base_patch32_clip_224.openai");
    cpSync(goldenPath("tiny/open_clip"), folder, { recursive: true });
    const env = { HF_HOME: home, HF_HUB_OFFLINE: "1" };
    const entry = async () => (await listModels(env)).find(({ name }) => name === "ViT-B-32/openai");
    const warnings: string[] = [];
    const pull = () =>
      createPuller(env).pull("ViT-B/32", {
        report: (event) => event.type === "warning" && warnings.push(event.message),
      });
    // The tiny model's vocabulary is not CLIP's, so there is none for it yet; that is said, and its images can be used.
    expect(await entry()).toMatchObject({ present: true, texts: false });
    await pull();
    expect(warnings).toEqual([expect.stringMatching(/no tokenizer\.json in .*only images/)]);
    await expect(similarities()).rejects.toMatchObject({
      code: "INPUT_NOT_FOUND",
      message: expect.stringContaining("only images"),
    });
    cpSync(TOKENIZER, join(put(home, "openai/clip-vit-base-patch32"), "tokenizer.json"));
    expect(await entry()).toMatchObject({ present: true, texts: true });
    await pull();
    expect(warnings).toHaveLength(1);
    const located = await locateModel("ViT-B/32", env);
    expect(located).toMatchObject({ name: "ViT-B-32/openai" });
    expect((await similarities({}, located.name)).values).toEqual(near(QUICK_GELU));
  });

  it("takes CLIP's own from this package for a model of its vocabulary", async () => {
    const { findTokenizer } = await import("../../src/hub/find-tokenizer.ts");
    mkdirSync(folder);
    const find = (vocabSize: number, tokenizerName?: string) =>
      findTokenizer({ folder, vocabSize, tokenizerName });
    expect(await find(49408)).toEqual(SHARED_TOKENIZER);
    expect(await find(49408, "openai/clip-vit-large-patch14")).toEqual(SHARED_TOKENIZER);
    expect(await find(49408, "someone/else")).toBeUndefined();
    expect(await find(1907)).toBeUndefined();
    writeFileSync(join(folder, "vocab.json"), "{}");
    writeFileSync(join(folder, "merges.txt"), "");
    expect(await find(1907)).toMatchObject({ kind: "slow", vocab: join(folder, "vocab.json") });
    cpSync(TOKENIZER, join(folder, "tokenizer.json"));
    expect(await find(49408)).toEqual({ kind: "json", path: join(folder, "tokenizer.json") });
  });
});

describe("a text that is too long", () => {
  it.each([
    ["explain", [PICTURE]],
    ["segment", [PICTURE]],
  ])("is reported by %s with the number of tokens that are read", async (command, args) => {
    whole();
    const { code, stderr } = await runHere(
      command,
      ...args,
      "--text",
      "cat ".repeat(40),
      "--text",
      "x",
      "--model",
      folder,
      "--json",
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/TEXT_TRUNCATED.*only the first 32 tokens are read/);
  });

  it("is named for a few of many, and counted for the rest", async () => {
    whole();
    const texts = join(folder, "texts.json");
    const long = Array.from({ length: 9 }, (_, i) => `${i} cats `.repeat(40));
    writeFileSync(texts, JSON.stringify(["a cat", ...long]));
    const { stderr } = await runHere("tokenize", "--texts", texts, "--model", folder);
    const warnings = stderr.split("\n").filter((line) => line.includes("TEXT_TRUNCATED"));
    expect(warnings).toHaveLength(6);
    expect(warnings[4]).toContain("4 cats");
    expect(warnings[5]).toContain("so are 4 more of 10 texts");
  });
});

describe("a name that others use", () => {
  it("is looked for under the known one, or the known ones are named", async () => {
    const env = { HF_HOME: join(scratch, "nothing") };
    const failure = async (name: string) => {
      const error = await locateModel(name, env).catch((error: unknown) => error);
      const { code, message, hint } = error as ClipInterpretError;
      return `${code} ${message} ${hint}`;
    };
    expect(await failure("ViT-B/32")).toMatch(/pull ViT-B-32\/openai/);
    expect(await failure("ViT-L/14@336px")).toMatch(/pull ViT-L-14-336\/openai/);
    expect(await failure("ViT-B-32")).toMatch(
      /Did you mean ViT-B-32\/openai or ViT-B-32\/datacomp_m.* or ViT-B-32\/laion2b/,
    );
    expect(await failure("https://huggingface.co/openai/clip-vit-base-patch32")).toMatch(
      /pull openai\/clip-vit-base-patch32/,
    );
    expect(await failure("ViT-B32/openai")).toMatch(/did you mean ViT-B-32\/openai/);
    const pulled = createPuller({ ...env, HF_HUB_OFFLINE: "1" }).pull("ViT-B-32-quickgelu");
    await expect(pulled).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      hint: expect.stringContaining("Did you mean ViT-B-32/openai?"),
    });
  });
});
