import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { relativeError } from "../../test/support/compare.ts";
import { goldenArray, goldenPath, LAYOUTS } from "../../test/support/goldens.ts";
import { call, global, pickle, text } from "../../test/support/pickle.ts";
import { type RawTensor, readRawTensors, writeSafetensors } from "../../test/support/safetensors.ts";
import { writeZip } from "../../test/support/zip.ts";
import { loadClipModel } from "../model/load-model.ts";
import { loadCheckpoint } from "./load.ts";
import { readsTexts } from "./model-config.ts";

const WEIGHTS = { open_clip: "open_clip_model.safetensors", transformers: "model.safetensors" } as const;
const CONFIG = { open_clip: "open_clip_config.json", transformers: "config.json" } as const;
const GOLDEN = "gelu-p8";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "checkpoint-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A copy of a golden checkpoint to spoil. */
function copyGolden(layout: keyof typeof WEIGHTS) {
  cpSync(goldenPath(`${GOLDEN}/${layout}`), folder, { recursive: true });
  return { weights: join(folder, WEIGHTS[layout]), config: join(folder, CONFIG[layout]) };
}

function editJson(
  path: string,
  edit: (json: Record<string, Record<string, Record<string, unknown>>>) => void,
) {
  const json = JSON.parse(readFileSync(path, "utf8"));
  edit(json);
  writeFileSync(path, JSON.stringify(json));
}

/** Rounds float32 bytes to half precision by truncation: bfloat16 is the upper half; float16 through its bits. */
function halve(bytes: Uint8Array, dtype: "F16" | "BF16"): { stored: Uint8Array; rounded: Uint8Array } {
  const floats = new Float32Array(Uint8Array.from(bytes).buffer);
  const stored = new Uint16Array(floats.length);
  const rounded = new Float32Array(floats.length);
  const bits = new Uint32Array(floats.buffer);
  floats.forEach((value, i) => {
    if (dtype === "BF16") {
      stored[i] = bits[i] >>> 16;
      rounded[i] = new Float32Array(Uint32Array.of(bits[i] & 0xffff0000).buffer)[0];
      return;
    }
    // Normal and subnormal float16 by truncating the magnitude to a multiple of its last place.
    const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value) || 1e-9)));
    const fraction = Math.trunc(Math.abs(value) / 2 ** (exponent - 10));
    const biased = fraction >= 1024 ? exponent + 15 : 0;
    stored[i] = (value < 0 ? 0x8000 : 0) | (biased << 10) | (fraction & 1023);
    rounded[i] = Math.sign(value) * fraction * 2 ** (exponent - 10);
  });
  return { stored: new Uint8Array(stored.buffer), rounded: new Uint8Array(rounded.buffer) };
}

describe("half-precision weights", () => {
  it.each(LAYOUTS.flatMap((layout) => (["F16", "BF16"] as const).map((dtype) => ({ layout, dtype }))))(
    "$dtype in $layout's layout computes what the same numbers in F32 do",
    async ({ layout, dtype }) => {
      const { weights } = copyGolden(layout);
      const half = new Map<string, RawTensor>();
      const full = new Map<string, RawTensor>();
      for (const [name, tensor] of readRawTensors(weights)) {
        const { stored, rounded } = halve(tensor.bytes, dtype);
        half.set(name, { dtype, shape: tensor.shape, bytes: stored });
        full.set(name, { ...tensor, bytes: rounded });
      }
      const pixels = (await goldenArray(`${GOLDEN}/pixels.npy`, 4)).data;
      const results = [];
      for (const tensors of [half, full]) {
        writeSafetensors(weights, tensors);
        const model = await loadClipModel(folder);
        const { embedding, z, mlps } = await model.decompose(pixels);
        results.push({
          embedding,
          z,
          mlps,
          text: await model.encodeTokens([[0, 1, 5]]),
          scale: model.logitScale,
        });
        await model.release();
      }
      const [fromHalf, fromFull] = results;
      expect(fromHalf.scale).toBe(fromFull.scale);
      for (const key of ["embedding", "z", "mlps", "text"] as const) {
        expect(relativeError(fromHalf[key], fromFull[key])).toBeLessThan(1e-6);
      }
    },
  );
});

describe("a checkpoint folder", () => {
  it("is read through links, as the Hugging Face cache lays it out", async () => {
    const blobs = join(folder, "blobs");
    cpSync(goldenPath(`${GOLDEN}/transformers`), blobs, { recursive: true });
    const snapshot = join(folder, "snapshot");
    cpSync(goldenPath(`${GOLDEN}/transformers`), snapshot, { recursive: true });
    rmSync(join(snapshot, "model.safetensors"));
    symlinkSync("../blobs/model.safetensors", join(snapshot, "model.safetensors"));
    const model = await loadClipModel(snapshot);
    const { data } = await goldenArray(`${GOLDEN}/image_embedding.npy`, 2);
    const parts = await model.decompose((await goldenArray(`${GOLDEN}/pixels.npy`, 4)).data);
    expect(relativeError(parts.embedding, data)).toBeLessThan(1e-5);
    await model.release();
  });

  it("may split transformers' weights over several files", async () => {
    const { weights } = copyGolden("transformers");
    const all = [...readRawTensors(weights)];
    const halves = [all.slice(0, 40), all.slice(40)];
    const weight_map: Record<string, string> = {};
    halves.forEach((half, i) => {
      writeSafetensors(join(folder, `part-${i}.safetensors`), new Map(half));
      for (const [name] of half) weight_map[name] = `part-${i}.safetensors`;
    });
    rmSync(weights);
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map }));
    const model = await loadClipModel(folder);
    const { data } = await goldenArray(`${GOLDEN}/image_embedding.npy`, 2);
    const parts = await model.decompose((await goldenArray(`${GOLDEN}/pixels.npy`, 4)).data);
    expect(relativeError(parts.embedding, data)).toBeLessThan(1e-5);
    await model.release();
    writeFileSync(
      join(folder, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: { a: "../outside.safetensors" } }),
    );
    await expect(loadCheckpoint(folder)).rejects.toMatchObject({ code: "CHECKPOINT_INVALID" });
  });

  it("prefers OpenCLIP's own file to a timm-named one beside it, and explains timm's alone", async () => {
    const { weights } = copyGolden("open_clip");
    const timm = new Map([
      ["blocks.0.attn.qkv.weight", { dtype: "F32", shape: [1], bytes: new Uint8Array(4) }],
    ]);
    writeSafetensors(join(folder, "model.safetensors"), timm);
    await expect(loadCheckpoint(folder)).resolves.toMatchObject({ config: { embedDim: 48 } });
    rmSync(weights);
    await expect(loadCheckpoint(folder)).rejects.toThrow(/timm/);
  });

  describe("with PyTorch's files", () => {
    const torchFile = goldenPath(`${GOLDEN}/open_clip_bin/open_clip_pytorch_model.bin`);
    const timm = new Map([
      ["blocks.0.attn.qkv.weight", { dtype: "F32", shape: [1], bytes: new Uint8Array(4) }],
    ]);
    /** OpenCLIP's config, and its weights as PyTorch's file of this name. */
    const withTorchFile = (name: string) => {
      const { weights, config } = copyGolden("open_clip");
      rmSync(weights);
      cpSync(torchFile, join(folder, name));
      return { config, file: join(folder, name) };
    };
    const fileInUse = async () => basename((await loadCheckpoint(folder)).weights.file);

    it("prefers OpenCLIP's own in any format to a timm-named file in any format", async () => {
      withTorchFile("open_clip_pytorch_model.bin");
      writeSafetensors(join(folder, "model.safetensors"), timm);
      writeFileSync(join(folder, "pytorch_model.bin"), "");
      expect(await fileInUse()).toBe("open_clip_pytorch_model.bin");
      cpSync(goldenPath(`${GOLDEN}/open_clip/${WEIGHTS.open_clip}`), join(folder, WEIGHTS.open_clip));
      expect(await fileInUse()).toBe(WEIGHTS.open_clip);
    });

    it("without OpenCLIP's config, transformers' files go first", async () => {
      const { config } = withTorchFile("open_clip_pytorch_model.bin");
      cpSync(goldenPath(`${GOLDEN}/transformers`), folder, { recursive: true });
      expect(await fileInUse()).toBe("open_clip_pytorch_model.bin");
      rmSync(config);
      expect(await fileInUse()).toBe("model.safetensors");
      rmSync(join(folder, "model.safetensors"));
      await expect(loadCheckpoint(folder)).rejects.toThrow(/no open_clip_config\.json/);
    });

    it("may be the one .pt or .pth of a training run", async () => {
      const { file } = withTorchFile("epoch_32.pt");
      expect(await fileInUse()).toBe("epoch_32.pt");
      cpSync(file, join(folder, "epoch_latest.pth"));
      await expect(loadCheckpoint(folder)).rejects.toMatchObject({
        code: "MODEL_NOT_FOUND",
        message: expect.stringMatching(/several \(epoch_32\.pt, epoch_latest\.pth\)/),
      });
    });

    it("may be split over several, and mixed with safetensors", async () => {
      const { file } = withTorchFile("part-1.bin");
      const scale = readRawTensors(goldenPath(`${GOLDEN}/open_clip/${WEIGHTS.open_clip}`)).get(
        "logit_scale",
      )!;
      writeSafetensors(join(folder, "part-2.safetensors"), new Map([["logit_scale", scale]]));
      const weight_map = { a: basename(file), logit_scale: "part-2.safetensors" };
      writeFileSync(join(folder, "pytorch_model.bin.index.json"), JSON.stringify({ weight_map }));
      const { weights } = await loadCheckpoint(folder);
      expect(basename(weights.logitScale?.file ?? "")).toBe("part-2.safetensors");
    });

    it("is refused when it would run code", async () => {
      withTorchFile("open_clip_pytorch_model.bin");
      const attack = pickle(call(global("posix", "system"), text("true")));
      writeFileSync(
        join(folder, "open_clip_pytorch_model.bin"),
        writeZip([{ name: "x/data.pkl", data: attack }]),
      );
      await expect(loadCheckpoint(folder)).rejects.toMatchObject({
        code: "CHECKPOINT_INVALID",
        message: expect.stringMatching(/posix\.system/),
      });
    });
  });

  it("may keep its text tower under `text.`, as OpenCLIP's custom_text models do", async () => {
    const { weights } = copyGolden("open_clip");
    const moved = [...readRawTensors(weights)].map(([name, tensor]) => {
      const isText = !name.startsWith("visual.") && name !== "logit_scale";
      return [isText ? `text.${name}` : name, tensor] as const;
    });
    writeSafetensors(weights, new Map(moved));
    await expect(loadCheckpoint(folder)).resolves.toMatchObject({ config: { embedDim: 48 } });
  });

  it("may be wrapped as sentence-transformers does", async () => {
    cpSync(goldenPath(`${GOLDEN}/transformers`), join(folder, "0_CLIPModel"), { recursive: true });
    const modules = [{ type: "sentence_transformers.models.CLIPModel", path: "0_CLIPModel" }];
    writeFileSync(join(folder, "modules.json"), JSON.stringify(modules));
    const loaded = await loadCheckpoint(folder);
    expect([resolve(loaded.folder), loaded.config.embedDim]).toEqual([join(folder, "0_CLIPModel"), 48]);
  });

  it("may be an image tower alone, as CLIPVisionModelWithProjection is saved", async () => {
    const { config, weights } = copyGolden("transformers");
    const image = [...readRawTensors(weights)].filter(([name]) => name.startsWith("vis"));
    writeSafetensors(weights, new Map(image));
    editJson(config, (json) => {
      const { vision_config: vision, projection_dim } = json as Record<string, object>;
      for (const key of Object.keys(json)) delete json[key];
      Object.assign(json, { ...vision, projection_dim, model_type: "clip_vision_model" });
    });
    const model = await loadClipModel(folder);
    const pixels = await goldenArray(`${GOLDEN}/pixels.npy`, 4);
    const { data } = await goldenArray(`${GOLDEN}/image_embedding.npy`, 2);
    expect(relativeError((await model.decompose(pixels.data)).embedding, data)).toBeLessThan(1e-5);
    await expect(model.encodeTexts(["a dog"])).rejects.toMatchObject({ code: "TEXTS_UNSUPPORTED" });
    await model.release();
  });

  it("says what is missing", async () => {
    await expect(loadCheckpoint(join(folder, "none"))).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await expect(loadCheckpoint(folder)).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    const { config } = copyGolden("transformers");
    rmSync(config);
    await expect(loadCheckpoint(folder)).rejects.toThrow(/no config\.json/);
  });
});

describe("OpenCLIP's config", () => {
  const withVision = (option: Record<string, unknown>) => {
    const { config } = copyGolden("open_clip");
    editJson(config, (json) => Object.assign(json.model_cfg.vision_cfg, option));
    return loadCheckpoint(folder);
  };

  it.each([
    { timm_model_name: "vit_base" },
    { attentional_pool: "parallel" },
    { pool_type: "none" },
    { qk_norm: true },
    { layers: [3, 4, 6, 3] },
    { image_size: [32, 64] },
    { some_new_option: 3 },
  ])("refuses $0 with a reason", async (option) => {
    const [key] = Object.keys(option);
    const words: Record<string, RegExp> = {
      layers: /ResNet/,
      image_size: /square/,
      timm_model_name: /vit_base/,
    };
    const named = words[key] ?? new RegExp(key);
    const refusal = expect(withVision(option)).rejects;
    await refusal.toMatchObject({ code: "MODEL_UNSUPPORTED", message: expect.stringMatching(named) });
  });

  it("accepts options that are off or change nothing", async () => {
    const config = {
      timm_model_name: null,
      attentional_pool: false,
      pool_type: "tok",
      patch_dropout: 0.5,
      no_ln_pre: false,
      pos_embed_type: "sin_cos_2d",
      attn_pooler_heads: 8,
      timm_drop: 0,
      patch_size: [8, 8],
    };
    await expect(withVision(config)).resolves.toBeDefined();
  });

  it.each([{ ls_init_value: 0.1 }, { attentional_pool: true }])(
    "wants the tensors that %j says there are",
    async (option) => {
      const what = { code: "CHECKPOINT_MISMATCH", message: expect.stringMatching(/ls_1|attn_pool/) };
      await expect(withVision(option)).rejects.toMatchObject(what);
    },
  );

  it.each([
    [{ hf_model_name: "someone/own" }, /someone\/own.*not known/],
    [{ hf_model_name: "roberta-base", hf_pooler_type: "max_pooler" }, /hf_pooler_type/],
    [{ embed_cls: true, pad_id: 5 }, /embed_cls/],
    [{ some_new_option: 3 }, /some_new_option/],
  ])(
    "with the text tower %j reads images alone, and says why where a text is asked for",
    async (option, why) => {
      const { config } = copyGolden("open_clip");
      editJson(config, (json) => Object.assign(json.model_cfg.text_cfg, option));
      const model = await loadClipModel(folder);
      const pixels = await goldenArray(`${GOLDEN}/pixels.npy`, 4);
      const { embedding } = await model.decompose(pixels.data);
      const { data } = await goldenArray(`${GOLDEN}/image_embedding.npy`, 2);
      expect(relativeError(embedding, data)).toBeLessThan(1e-5);
      const refusal = { code: "TEXTS_UNSUPPORTED", message: expect.stringMatching(why) };
      await expect(model.encodeTexts(["a dog"])).rejects.toMatchObject(refusal);
      await model.release();
    },
  );

  it.each([
    [{ hf_tower: { family: "bert" } }, "CONFIG_INVALID", /hf_tower.*width/s],
    [{ hf_model_name: "bert-base-uncased", context_length: 600 }, "CONFIG_INVALID", /600.*512/],
    [{ hf_model_name: "bert-base-uncased" }, "CHECKPOINT_MISMATCH", /text\.transformer/],
  ])("refuses the language model %j", async (option, code, why) => {
    const { config } = copyGolden("open_clip");
    editJson(config, (json) => Object.assign(json.model_cfg.text_cfg, { hf_model_name: "own", ...option }));
    await expect(loadCheckpoint(folder)).rejects.toMatchObject({ code, message: expect.stringMatching(why) });
  });

  it.each([
    [{}, "gelu", "assumed"],
    [{ knownActivation: "quick_gelu" }, "quick_gelu", "known"],
    [{ knownActivation: "gelu", activation: "quick_gelu" }, "quick_gelu", "option"],
  ] as const)("without quick_gelu, %j means %s, %s", async (options, activation, source) => {
    const { config } = copyGolden("open_clip");
    editJson(config, (json) => {
      delete (json.model_cfg as Record<string, unknown>).quick_gelu;
    });
    const loaded = await loadCheckpoint(folder, "ViT-B-32/openai", options);
    const { vision, text } = loaded.config;
    expect([vision.activation, readsTexts(text) && text.activation, loaded.activationSource]).toEqual([
      activation,
      activation,
      source,
    ]);
  });

  it("an explicit quick_gelu goes before what is known, but not before what the caller says", async () => {
    copyGolden("open_clip");
    const load = async (options: Parameters<typeof loadCheckpoint>[2]) => {
      const { config, activationSource } = await loadCheckpoint(folder, "x.openai", options);
      return [config.vision.activation, activationSource];
    };
    expect(await load({ knownActivation: "quick_gelu" })).toEqual(["gelu", "config"]);
    expect(await load({ activation: "quick_gelu" })).toEqual(["quick_gelu", "option"]);
    expect(await load({ activation: "gelu" })).toEqual(["gelu", "config"]);
  });

  it.each([
    { json: {} },
    { json: [] },
    { json: { model_cfg: {} } },
    { json: { model_cfg: { embed_dim: -1, vision_cfg: {}, text_cfg: {} } } },
    { json: "text" },
    { json: null },
  ])("refuses $json", async ({ json }) => {
    const { config } = copyGolden("open_clip");
    writeFileSync(config, JSON.stringify(json));
    await expect(loadCheckpoint(folder)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("refuses a config that is not JSON", async () => {
    const { config } = copyGolden("open_clip");
    writeFileSync(config, "{");
    await expect(loadCheckpoint(folder)).rejects.toMatchObject({ code: "JSON_INVALID" });
  });
});

describe("transformers' config", () => {
  it("an absent hidden_act means quick_gelu; *_config_dict goes before *_config", async () => {
    const { config } = copyGolden("transformers");
    editJson(config, (json) => {
      delete (json.vision_config as Record<string, unknown>).hidden_act;
      Object.assign(json, { text_config_dict: { hidden_act: "quick_gelu" } });
    });
    const { vision, text } = (await loadCheckpoint(folder)).config;
    expect([vision.activation, readsTexts(text) && text.activation]).toEqual(["quick_gelu", "quick_gelu"]);
  });

  it("refuses other models and activations", async () => {
    const { config } = copyGolden("transformers");
    editJson(config, (json) => Object.assign(json.vision_config, { hidden_act: "relu" }));
    await expect(loadCheckpoint(folder)).rejects.toThrow(/relu/);
    editJson(config, (json) => Object.assign(json, { model_type: "align" }));
    await expect(loadCheckpoint(folder)).rejects.toThrow(/align.*EfficientNet/);
  });

  it("reads the preprocessor's mean, deviation and resize mode", async () => {
    copyGolden("transformers");
    const preprocessor = {
      image_mean: [0.5, 0.5, 0.5],
      image_std: [1, 1, 1],
      size: { height: 32, width: 32 },
    };
    writeFileSync(join(folder, "preprocessor_config.json"), JSON.stringify(preprocessor));
    const { preprocess } = (await loadCheckpoint(folder)).config;
    expect(preprocess).toEqual({
      ...{ size: 32, resizeMode: "squash", order: "transformers" },
      ...{ mean: [0.5, 0.5, 0.5], std: [1, 1, 1] },
    });
  });
});

describe("weights that do not fit the config", () => {
  it("names the tensor, its shape and the shape it should have", async () => {
    const { weights } = copyGolden("open_clip");
    const tensors = readRawTensors(weights);
    const proj = tensors.get("visual.proj") as RawTensor;
    writeSafetensors(weights, new Map([...tensors, ["visual.proj", { ...proj, shape: [48, 64] }]]));
    await expect(loadCheckpoint(folder)).rejects.toMatchObject({
      code: "CHECKPOINT_MISMATCH",
      message: "tensor visual.proj is [48, 64]; the config says [64, 48]",
    });
    tensors.delete("visual.ln_pre.bias");
    writeSafetensors(weights, tensors);
    await expect(loadCheckpoint(folder)).rejects.toThrow(/visual\.ln_pre\.bias/);
  });
});
