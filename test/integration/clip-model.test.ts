import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath, goldenTokens } from "../support/goldens.ts";
import { readRawTensors, writeSafetensors } from "../support/safetensors.ts";

const FOLDER = goldenPath("gelu-p8/open_clip");
let model: ClipModel;
let pixels: Float32Array;
let scratch: string;

beforeAll(async () => {
  model = await loadClipModel(FOLDER);
  pixels = (await goldenArray("gelu-p8/pixels.npy", 4)).data;
  scratch = mkdtempSync(join(tmpdir(), "clip-model-"));
});
afterAll(async () => {
  await model.release();
  rmSync(scratch, { recursive: true });
});

describe("an image's numbers do not depend on its company", () => {
  it("bit for bit, alone and in any batch, at any number of threads", async () => {
    const perImage = 3 * 32 * 32;
    const count = pixels.length / perImage;
    const whole = await model.decompose(pixels, { tokenLayers: [1] });
    for (const threads of [1, 2]) {
      const other = await loadClipModel(FOLDER, undefined, { threads });
      for (const size of [1, 2, 3]) {
        for (let start = 0; start + size <= count; start++) {
          const window = pixels.slice(start * perImage, (start + size) * perImage);
          const part = await other.decompose(window, { tokenLayers: [1] });
          for (const key of ["z", "mu", "sigma", "norm", "embedding", "mlps"] as const) {
            const each = whole[key].length / count;
            expect(part[key]).toEqual(whole[key].slice(start * each, (start + size) * each));
          }
          const [mine, all] = [part, whole].map(({ tokens }) => tokens.layers.get(1)!);
          const each = all.attention.length / count;
          expect(mine.attention).toEqual(all.attention.slice(start * each, (start + size) * each));
        }
      }
      await other.release();
    }
  });

  it("nor do a text's", async () => {
    const tokens = await goldenTokens("gelu-p8");
    const all = await model.encodeTokens(tokens);
    for (const [i, ids] of tokens.entries()) {
      expect(await model.encodeTokens([ids])).toEqual(all.slice(i * 48, (i + 1) * 48));
    }
  });
});

describe("a gate inside the network", () => {
  const sizes = { layers: 5, heads: 4, headDim: 16, tokens: 17 };
  const open = () => ({
    gate: new Float32Array(sizes.layers * sizes.heads).fill(1),
    offset: new Float32Array(sizes.layers * sizes.tokens * sizes.heads * sizes.headDim),
  });
  const [LAYER, HEAD, SHIFT] = [2, 1, 0.25];

  /** The same network with the head's output replaced by a constant in its weights. */
  async function edited(constant: number): Promise<Float32Array> {
    const folder = join(scratch, String(constant));
    cpSync(FOLDER, folder, { recursive: true });
    const path = join(folder, "open_clip_model.safetensors");
    const tensors = readRawTensors(path);
    const name = `visual.transformer.resblocks.${LAYER}.attn.out_proj`;
    const [weight, bias] = ["weight", "bias"].map((part) => {
      const raw = tensors.get(`${name}.${part}`)!;
      return { ...raw, values: new Float32Array(Uint8Array.from(raw.bytes).buffer) };
    });
    for (let row = 0; row < 64; row++) {
      for (let i = HEAD * 16; i < (HEAD + 1) * 16; i++) {
        bias.values[row] += weight.values[row * 64 + i] * constant;
        weight.values[row * 64 + i] = 0;
      }
    }
    tensors.set(`${name}.weight`, { ...weight, bytes: new Uint8Array(weight.values.buffer) });
    tensors.set(`${name}.bias`, { ...bias, bytes: new Uint8Array(bias.values.buffer) });
    writeSafetensors(path, tensors);
    const other = await loadClipModel(folder);
    const { embedding } = await other.decompose(pixels);
    await other.release();
    return embedding;
  }

  it("changes nothing when it is open", async () => {
    const gated = await model.decompose(pixels, { gate: open() });
    const plain = await model.decompose(pixels);
    expect(relativeError(gated.embedding, plain.embedding)).toBeLessThan(1e-6);
    expect(relativeError(gated.z, plain.z)).toBeLessThan(1e-6);
  });

  it("silences a head as zeroing its output weights does, and still sums", async () => {
    const gate = open();
    gate.gate[LAYER * sizes.heads + HEAD] = 0;
    const { embedding, error } = await model.decompose(pixels, { gate });
    expect(relativeError(embedding, await edited(0))).toBeLessThan(1e-6);
    expect(relativeError(embedding, (await model.decompose(pixels)).embedding)).toBeGreaterThan(1e-3);
    expect(Math.max(...error)).toBeLessThan(1e-5);
  });

  it("puts an offset in a head's place, at every token", async () => {
    const gate = open();
    gate.gate[LAYER * sizes.heads + HEAD] = 0;
    for (let token = 0; token < sizes.tokens; token++) {
      const start = ((LAYER * sizes.tokens + token) * sizes.heads + HEAD) * sizes.headDim;
      gate.offset.fill(SHIFT, start, start + sizes.headDim);
    }
    const { embedding } = await model.decompose(pixels, { gate });
    expect(relativeError(embedding, await edited(SHIFT))).toBeLessThan(1e-6);
  });

  it("reaches the last layer, of which only the CLS row is computed", async () => {
    const gate = open();
    const [layer, head] = [4, 3];
    gate.gate[layer * sizes.heads + head] = 0;
    gate.offset.fill(0.5, layer * sizes.tokens * 64, layer * sizes.tokens * 64 + 64);
    const { z } = await model.decompose(pixels, { gate });
    const plain = await model.decompose(pixels);
    const start = (layer * sizes.heads + head) * sizes.headDim;
    expect(Array.from(z.slice(start, start + 16))).toEqual(Array(16).fill(0.5));
    expect(z[layer * 64]).toBeCloseTo(plain.z[layer * 64] + 0.5, 6);
  });
});

describe("what does not fit", () => {
  it("refuses pixels of another shape", async () => {
    const wrong = model.decompose(new Float32Array(100));
    await expect(wrong).rejects.toMatchObject({ code: "PIXELS_MISMATCH" });
    await expect(model.decompose(new Float32Array(0))).rejects.toMatchObject({ code: "PIXELS_MISMATCH" });
  });

  it("does not hand out what weights that are no numbers give, and names the tensor", async () => {
    const folder = join(scratch, "nan");
    cpSync(FOLDER, folder, { recursive: true });
    const path = join(folder, "open_clip_model.safetensors");
    const tensors = readRawTensors(path);
    const proj = tensors.get("visual.proj")!;
    tensors.set("visual.proj", { ...proj, bytes: Uint8Array.from(proj.bytes).fill(255) });
    writeSafetensors(path, tensors);
    const broken = await loadClipModel(folder);
    await expect(broken.decompose(pixels)).rejects.toMatchObject({
      code: "CHECKPOINT_INVALID",
      message: expect.stringContaining("visual.proj"),
    });
    await broken.release();
    // No weight is to blame for pixels that are no numbers.
    const blank = new Float32Array(pixels.length).fill(Number.NaN);
    await expect(model.decompose(blank)).rejects.toMatchObject({ code: "SUM_MISMATCH" });
  });
});

describe("loading", () => {
  it("shares one load among all callers and tries a failed one anew", async () => {
    const loader = createModelLoader();
    const [a, b] = await Promise.all([loader.load(FOLDER), loader.load(FOLDER)]);
    expect(a).toBe(b);
    const folder = join(scratch, "later");
    await expect(loader.load(folder)).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    cpSync(FOLDER, folder, { recursive: true });
    const config = join(folder, "open_clip_config.json");
    writeFileSync(config, "{}");
    await expect(loader.load(folder)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    cpSync(join(FOLDER, "open_clip_config.json"), config);
    await expect(loader.load(folder)).resolves.toMatchObject({ name: "later" });
    await loader.release();
  });
});

describe("weights that are replaced while a model is in use", () => {
  it("are noticed before parts of two models are mixed, and nothing is kept of it", async () => {
    const folder = join(scratch, "replaced");
    cpSync(FOLDER, folder, { recursive: true });
    const weights = join(folder, "open_clip_model.safetensors");
    const replaced = await loadClipModel(folder);
    const original = readFileSync(weights);
    const other = Buffer.from(original);
    other.writeFloatLE(0.5, other.length - 4);
    writeFileSync(`${weights}.new`, other);
    renameSync(`${weights}.new`, weights);
    await expect(replaced.decompose(pixels)).rejects.toMatchObject({ code: "CHECKPOINT_CHANGED" });
    await expect(replaced.weightsHash()).rejects.toMatchObject({ code: "CHECKPOINT_CHANGED" });
    await replaced.release();
    const anew = await loadClipModel(folder);
    expect((await anew.decompose(pixels)).count).toBeGreaterThan(0);
    await anew.release();
  });
});
