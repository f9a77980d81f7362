import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadSuite } from "../../src/analysis/verify/suite.ts";
import { countParameters, verifyModel } from "../../src/analysis/verify/verify.ts";
import { findPublished } from "../../src/labels/published.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { SUITES, verifyResultSchema } from "../../src/results/verify.ts";
import { ClipInterpretError } from "../../src/support/errors.ts";
import { goldenPath, LAYOUTS, MODELS } from "../support/goldens.ts";
import { runHere } from "../support/run-cli.ts";
import { readRawTensors, writeSafetensors } from "../support/safetensors.ts";

const EMBEDDED = "emoji-4x128-p8";
let scratch: string;
let embedded: ClipModel;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "verify-"));
  embedded = await loadClipModel((await locateModel(EMBEDDED)).folder, EMBEDDED);
});
afterAll(async () => {
  await embedded.release();
  rmSync(scratch, { recursive: true });
});

async function verifyJson(...args: string[]) {
  const { code, stdout, stderr } = await runHere("verify", ...args, "--json");
  const json = verifyResultSchema.parse(JSON.parse(stdout));
  return {
    code,
    json,
    stderr,
    statuses: Object.fromEntries(json.checks.map((check) => [check.name, check.status])),
  };
}

/** A copy of a golden checkpoint with the real tokenizer's absence or a spoilt tensor. */
function copyGolden(name: string, spoil?: string): string {
  const folder = join(scratch, name);
  cpSync(goldenPath("gelu-p8/open_clip"), folder, { recursive: true });
  if (spoil) {
    const path = join(folder, "open_clip_model.safetensors");
    const tensors = readRawTensors(path);
    const tensor = tensors.get(spoil)!;
    writeSafetensors(path, tensors.set(spoil, { ...tensor, bytes: Uint8Array.from(tensor.bytes).fill(255) }));
  }
  return folder;
}

describe("verify", () => {
  it("passes the embedded model on its scenes", async () => {
    const { code, json, statuses } = await verifyJson();
    expect(code).toBe(0);
    expect(statuses).toEqual({ sums: "pass", "same bits": "pass", "zero-shot": "pass" });
    expect(json).toMatchObject({ pictures: "scenes", published: null });
    expect(json.origin.model).toMatchObject({ name: EMBEDDED, precision: "fp32", device: "cpu" });
    expect(json.guesses).toHaveLength(24);
    expect(json.imagesPerSecond).toBeGreaterThan(0);
  });

  it("says so where int8 is near float32 and not equal", async () => {
    const { code, json, statuses } = await verifyJson(EMBEDDED, "--precision", "int8");
    expect(code).toBe(0);
    expect(statuses).toMatchObject({ sums: "pass", "same bits": "pass", float32: "warn" });
    const { value } = json.checks.find(({ name }) => name === "float32")!;
    expect(value).toBeGreaterThan(1e-4);
    expect(value).toBeLessThan(0.1);
    const { stdout } = await runHere("verify", "--precision", "int8");
    expect(stdout).toContain("int8 approximation on cpu");
  });

  it("warns of a model that names nothing or has no tokenizer, and does not fail it", async () => {
    const { code, statuses, json } = await verifyJson(copyGolden("no-tokenizer"));
    expect(code).toBe(0);
    expect(statuses).toEqual({ sums: "pass", "same bits": "pass", "zero-shot": "warn" });
    expect(json.checks.at(-1)).toMatchObject({ value: null, result: expect.stringContaining("not tried") });
    const photos = await verifyJson("--pictures", "photos");
    expect(photos.statuses).toMatchObject({ sums: "pass", "zero-shot": "warn" });
    expect(photos.json.pictures).toBe("photos");
  });

  it("refuses a model whose weights are no numbers and names the tensor, with exit code 1", async () => {
    const { code, stdout, stderr } = await runHere("verify", copyGolden("broken", "visual.proj"), "--json");
    expect([code, stdout]).toEqual([1, ""]);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: "CHECKPOINT_INVALID",
      message: expect.stringContaining("visual.proj"),
    });
  });

  it("counts nothing as named by a model to which all texts are alike", async () => {
    const alike: ClipModel = {
      ...embedded,
      async encodeTexts(given, options) {
        const texts = await embedded.encodeTexts(given, options);
        const { embedDim } = embedded.config;
        return texts.map((_, at) => texts[at % embedDim]);
      },
    };
    const { checks, guesses } = await verifyModel(alike, await loadSuite("scenes"));
    expect(guesses.filter(({ isTrue }) => isTrue)).toEqual([]);
    expect(checks.find(({ name }) => name === "zero-shot")?.status).toBe("warn");
  });

  it("fails a model whose parts do not sum", async () => {
    const missing: ClipModel = {
      ...embedded,
      async decompose() {
        throw new ClipInterpretError("SUM_MISMATCH", "the parts miss the embedding");
      },
    };
    const { checks } = await verifyModel(missing, await loadSuite("scenes"));
    expect(checks.map(({ name, status }) => [name, status])).toEqual([["sums", "fail"]]);
  });

  it("fails a model whose numbers depend on the batch on the CPU, and warns of it elsewhere", async () => {
    const suite = await loadSuite("scenes");
    const leaking = (device: string): ClipModel => ({
      ...embedded,
      device,
      async decompose(pixels, options) {
        const parts = await embedded.decompose(pixels, options);
        if (parts.count > 1) parts.z[0] += 1e-6;
        return parts;
      },
    });
    const status = async (device: string) =>
      (await verifyModel(leaking(device), suite)).checks.find(({ name }) => name === "same bits")!.status;
    expect(await status("cpu")).toBe("fail");
    expect(await status("webgpu")).toBe("warn");
  });

  it("compares another device with the CPU, and fails one that computes something else", async () => {
    const suite = await loadSuite("scenes");
    const onDevice = (error: number): ClipModel => ({
      ...embedded,
      device: "webgpu",
      async decompose(pixels, options) {
        const parts = await embedded.decompose(pixels, options);
        return { ...parts, embedding: parts.embedding.map((value) => value * (1 + error)) };
      },
    });
    const status = async (error: number) =>
      (await verifyModel(onDevice(error), suite, { reference: embedded })).checks.find(
        ({ name }) => name === "float32",
      )!.status;
    expect(await status(1e-5)).toBe("pass");
    expect(await status(1e-2)).toBe("fail");
  });
});

describe("the photographs", () => {
  it("are small, credited, and have one true text each", async () => {
    const { pictures } = await loadSuite("photos");
    expect(pictures).toHaveLength(8);
    const credits = readFileSync(join(pictures[0].path, "../CREDITS.md"), "utf8");
    for (const { path, file, isTrue, isFalse } of pictures) {
      const { width, height, format } = await sharp(path).metadata();
      expect([format, width <= 256, height <= 256]).toEqual(["jpeg", true, true]);
      expect(readFileSync(path).length).toBeLessThan(25_000);
      expect(credits).toContain(`| ${file} | `);
      expect([isTrue.length, isFalse.length]).toEqual([1, 7]);
      expect(isFalse).not.toContain(isTrue[0]);
    }
  });

  it.each(SUITES)("of %s: a model that knows each text is found to", async (name) => {
    const suite = await loadSuite(name);
    const { embedDim } = embedded.config;
    // Text embeddings that point where the first picture of which they are true does.
    const owner = (text: string) => suite.pictures.findIndex(({ isTrue }) => isTrue.includes(text));
    const axis = (index: number) =>
      Float32Array.from({ length: embedDim }, (_, d) => (index >= 0 && d === index ? 1 : 0.01));
    let seen = 0;
    const knowing: ClipModel = {
      ...embedded,
      async decompose(pixels, options) {
        const parts = await embedded.decompose(pixels, options);
        const embedding = Float32Array.from(
          Array.from({ length: parts.count }, () => [...axis(seen++ % suite.pictures.length)]).flat(),
        );
        return { ...parts, embedding };
      },
      encodeTexts: async (texts) => Float32Array.from(texts.flatMap((text) => [...axis(owner(text))])),
    };
    const { checks, guesses } = await verifyModel(knowing, suite);
    expect(checks.at(-1)).toMatchObject({ name: "zero-shot", status: "pass", value: 1 });
    expect(guesses.every(({ isTrue }) => isTrue)).toBe(true);
  });
});

describe("what stands beside", () => {
  it.each([
    ...MODELS.flatMap((model) => LAYOUTS.map((layout) => `${model}/${layout}`)),
    ...["eva02-post", "siglip-timm", "relative", "mt5"].map((kind) => `kinds/${kind}`),
  ])("the number of parameters is that of the tensors of %s", async (folder) => {
    const { checkpoint, release } = await loadClipModel(goldenPath(folder));
    const tensors = readRawTensors(checkpoint.weights.file);
    const counted = [...tensors].filter(([name]) => !name.endsWith("attn_mask"));
    const numbers = counted.reduce(
      (sum, [, { shape }]) => sum + shape.reduce((all, size) => all * size, 1),
      0,
    );
    expect(countParameters(checkpoint.weights)).toBe(numbers);
    await release();
  });

  const shaped = (layers: number, heads: number) => {
    const { config } = embedded;
    return { ...config, vision: { ...config.vision, layers, heads } };
  };

  it.each([
    ["ViT-B-32/openai", 12, 12, 0.562, 0.437],
    ["laion/CLIP-ViT-B-16-laion2B-s34B-b88K", 12, 12, 0.396, 0.541],
    ["vit_large_patch14_clip_224.openai", 24, 16, 0.594, 0.359],
    ["ViT-L-14/laion2b_s32b_b82k", 24, 16, 0.609, 0.343],
  ])(
    "published labels and values of %s, by its name, hub id or folder",
    async (name, layers, heads, ...values) => {
      const published = (await findPublished(name, shaped(layers, heads)))!;
      expect(published.heads.map(({ head }) => head)).toEqual(
        Array.from({ length: 4 * heads }, (_, i) => `L${layers - 4 + Math.floor(i / heads)}.H${i % heads}`),
      );
      expect(published.sharedLabels).toBeCloseTo(values[0], 2);
      expect(published.entanglement).toBe(values[1]);
    },
  );

  it("nothing published for other models, or for another shape of that name", async () => {
    expect(await findPublished("ViT-H-14/laion2b_s32b_b79k", shaped(32, 16))).toBeUndefined();
    expect(await findPublished("ViT-B-32/openai", shaped(4, 4))).toBeUndefined();
    expect(await findPublished("ViT-B-32/openai", shaped(24, 16))).toBeUndefined();
  });

  it("is printed for people", async () => {
    const folder = copyGolden("people");
    const { stdout, code } = await runHere("verify", folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^people\n5 layers × 4 heads of 16, patch 8, 32 × 32 pixels\n/);
    expect(stdout).toMatch(/PASS {2}sums +off by/);
    expect(stdout).toMatch(/WARN {2}zero-shot +not tried/);
  });
});
