import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { disk } from "../support/disk-bytes.ts";
import { OPENAI_MEAN, OPENAI_STD } from "./model-config.ts";
import { hfPreprocess, openClipPreprocess, readHfPreprocessor } from "./preprocess-config.ts";

const USUAL = { mean: OPENAI_MEAN, std: OPENAI_STD };

describe("OpenCLIP's preprocess_cfg", () => {
  const of = (cfg: unknown) => openClipPreprocess(cfg, 32, "a model");

  it("means bicubic, shortest and OpenAI's numbers where it says nothing", () => {
    const usual = { size: 32, resizeMode: "shortest", ...USUAL };
    expect(of(undefined)).toEqual(usual);
    // OpenCLIP takes the model's size, trains with fill colours alone in `longest`, and asks `mean or default`.
    expect(of({ size: [64, 64], mode: "RGB", fill_color: 9, mean: 0, std: null })).toEqual(usual);
    expect(of({ interpolation: "random", unknown: true })).toEqual(usual);
  });

  it("is honoured in every field", () => {
    const cfg = {
      resize_mode: "longest",
      interpolation: "bilinear",
      fill_color: 124,
      mean: 0.5,
      std: [1, 2, 3],
    };
    expect(of(cfg)).toEqual({
      ...{ size: 32, resizeMode: "longest", interpolation: "bilinear", fill: 124 },
      ...{ mean: [0.5, 0.5, 0.5], std: [1, 2, 3] },
    });
    expect(of({ resize_mode: "squash" })).toMatchObject({ resizeMode: "squash" });
  });

  it.each([
    ["interpolation", { interpolation: "lanczos" }],
    ["resize_mode", { resize_mode: "crop" }],
    ["fill_color", { fill_color: [1, 2, 3] }],
    ["mode", { mode: "L" }],
    ["std", { std: [1, 0, 1] }],
    ["mean", { mean: [1, 2] }],
  ])("is refused by the name of %s", (field, cfg) => {
    expect(() => of(cfg)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(() => of(cfg)).toThrow(field);
  });
});

describe("transformers' preprocessor_config.json", () => {
  const of = (json: unknown) => hfPreprocess(json, 32, "a model");
  const usual = { size: 32, resizeMode: "shortest", order: "transformers", ...USUAL };
  const file = {
    ...{ do_convert_rgb: true, do_resize: true, size: { shortest_edge: 32 }, resample: 3 },
    ...{ do_center_crop: true, crop_size: { height: 32, width: 32 }, do_rescale: true },
    ...{ rescale_factor: 0.00392156862745098, do_normalize: true, image_mean: [...OPENAI_MEAN] },
    ...{ image_std: [...OPENAI_STD], image_processor_type: "CLIPImageProcessorFast", device: null },
  };

  it("as every CLIP has it is the usual, spelled out or not there", () => {
    expect(of(file)).toEqual(usual);
    expect(of(undefined)).toEqual(usual);
    expect(of({ feature_extractor_type: "CLIPFeatureExtractor", size: 32, crop_size: 32 })).toEqual(usual);
  });

  it.each([
    [{ size: { shortest_edge: 37 } }, { resizeTo: 37 }],
    [{ size: { height: 37, width: 37 } }, { resizeMode: "squash", resizeTo: 37 }],
    [{ do_resize: false }, { resizeMode: "none" }],
    [{ resample: 2 }, { interpolation: "bilinear" }],
    [{ do_normalize: false }, { mean: [0, 0, 0], std: [1, 1, 1] }],
    [
      { image_mean: 0.5, image_std: 0.25 },
      { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    ],
    // x/127.5 − 1 of x/255: a mean of 0.5 and a deviation of 0.5.
    [
      { rescale_factor: 1 / 127.5, image_mean: [1, 1, 1], image_std: [1, 1, 1] },
      { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    ],
    [
      { do_rescale: false, image_mean: [51, 51, 51], image_std: [255, 255, 255] },
      { mean: [0.2, 0.2, 0.2], std: [1, 1, 1] },
    ],
    [{ do_center_crop: false, size: { height: 32, width: 32 } }, { resizeMode: "squash" }],
    [{ size: null }, { resizeTo: 224 }],
  ])("%j is honoured", (changed, expected) => {
    expect(of({ ...file, ...changed })).toEqual({ ...usual, ...expected });
  });

  it("has other defaults where it names another class", () => {
    const halves = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    const squash = { size: 32, resizeMode: "squash", order: "transformers", ...halves };
    expect(of({ image_processor_type: "SiglipImageProcessor", size: 32 })).toEqual(squash);
    const vit = { ...squash, interpolation: "bilinear" };
    expect(of({ image_processor_type: "ViTImageProcessor", size: 32 })).toEqual(vit);
  });

  it.each([
    ["resample 1", { resample: 1 }],
    ["crop_size 28", { crop_size: 28 }],
    ["crop_size 32 × 28", { crop_size: { height: 28, width: 32 } }],
    ["size 32 × 40", { size: { height: 40, width: 32 } }],
    ["do_center_crop false", { do_center_crop: false }],
    ["do_center_crop false", { do_center_crop: false, do_resize: false }],
    ["do_pad = true", { do_pad: true }],
    ["NewImageProcessor", { image_processor_type: "NewImageProcessor" }],
  ])("is refused by name: %s", (field, changed) => {
    expect(() => of({ ...file, ...changed })).toThrow(expect.objectContaining({ code: "MODEL_UNSUPPORTED" }));
    expect(() => of({ ...file, ...changed })).toThrow(field);
  });

  it.each([
    ["size", { size: { longest_edge: 32 } }],
    ["image_std", { image_std: [0, 1, 1] }],
    ["rescale_factor", { rescale_factor: 0 }],
  ])("is invalid, by name: %s", (field, changed) => {
    expect(() => of({ ...file, ...changed })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(() => of({ ...file, ...changed })).toThrow(field);
  });

  it("stands in transformers 5's processor_config.json, which counts first", async () => {
    const folder = mkdtempSync(join(tmpdir(), "processor-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const both = new Set(["processor_config.json", "preprocessor_config.json"]);
    writeFileSync(join(folder, "preprocessor_config.json"), '{"resample": 2}');
    writeFileSync(join(folder, "processor_config.json"), '{"image_processor": {"resample": 3}}');
    expect(await readHfPreprocessor(disk, folder, both)).toEqual({ resample: 3 });
    // Older ones have no such section.
    writeFileSync(join(folder, "processor_config.json"), '{"processor_class": "CLIPProcessor"}');
    expect(await readHfPreprocessor(disk, folder, both)).toEqual({ resample: 2 });
    expect(await readHfPreprocessor(disk, folder, new Set())).toBeUndefined();
  });
});
