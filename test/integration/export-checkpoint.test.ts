import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { type ComponentSet, parseComponents } from "../../src/model/components.ts";
import type { Gate } from "../../src/model/decompose.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { everywhere, exportCheckpoint, oneMean } from "../../src/model/export-checkpoint.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { relativeError } from "../support/compare.ts";
import { goldenPath } from "../support/goldens.ts";
import { writeRandomCheckpoint } from "../support/random-checkpoint.ts";
import { readRawTensors, writeSafetensors } from "../support/safetensors.ts";

/*
 * A checkpoint in which heads were taken away, loaded as any other, computes what the same heads gated inside the
 * network do.
 */

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "edited-"));
});
afterAll(() => rm(scratch, { recursive: true }));

const SHAPE = {
  ...{ imageSize: 32, patchSize: 8, width: 48, layers: 3, headDim: 12, embedDim: 20 },
  text: { width: 12, heads: 3, layers: 1, vocabSize: 50 },
};

/** Every way a source's weights may lie: [name, folder, what the biases may be off by]. */
const SOURCES = [
  ["OpenCLIP in float32", () => goldenPath("gelu-p8/open_clip"), 0],
  ["transformers in float32", () => goldenPath("quickgelu-p14/transformers"), 0],
  ["a PyTorch file", () => goldenPath("gelu-p8/open_clip_bin"), 0],
  ["float16, embedded", async () => (await locateModel(DEFAULT_MODEL)).folder, 3e-4],
  ["bfloat16", bfloat16Folder, 2e-3],
  ["transformers in parts", partsFolder, 0],
] as const;

async function bfloat16Folder(): Promise<string> {
  const folder = join(scratch, "bfloat16");
  await writeRandomCheckpoint(folder, SHAPE);
  const file = join(folder, "open_clip_model.safetensors");
  const upper = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
    new Uint8Array(
      Uint16Array.from(
        new Uint32Array(buffer.slice(byteOffset, byteOffset + byteLength)),
        (word) => word >>> 16,
      ).buffer,
    );
  const tensors = [...readRawTensors(file)].map(
    ([name, { shape, bytes }]) => [name, { dtype: "BF16", shape, bytes: upper(bytes) }] as const,
  );
  writeSafetensors(file, new Map(tensors));
  return folder;
}

async function partsFolder(): Promise<string> {
  const folder = join(scratch, "parts");
  await writeRandomCheckpoint(folder, SHAPE, { layout: "transformers" });
  const tensors = [...readRawTensors(join(folder, "model.safetensors"))];
  const parts = [tensors.slice(0, 30), tensors.slice(30)];
  const names = parts.map((_, i) => `model-0000${i + 1}-of-00002.safetensors`);
  for (const [i, part] of parts.entries()) writeSafetensors(join(folder, names[i]), new Map(part));
  const map = parts.flatMap((part, i) => part.map(([name]) => [name, names[i]]));
  await writeFile(
    join(folder, "model.safetensors.index.json"),
    JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(map) }),
  );
  await rm(join(folder, "model.safetensors"));
  return folder;
}

const pixelsFor = ({ config }: ClipModel) =>
  Float32Array.from({ length: 3 * 3 * config.preprocess.size ** 2 }, (_, i) => Math.sin(i * i) * 2);

function gateOf({ config: { vision } }: ClipModel, set: ComponentSet, means?: Float64Array): Gate {
  const { layers, heads, headDim, tokens, width } = vision;
  const gate = new Float32Array(layers * heads).fill(1);
  const offset = new Float32Array(layers * tokens * width);
  for (const { layer, head, weight } of set.heads) {
    gate[layer * heads + head] = 1 - weight;
    for (let token = 0; means && token < tokens; token++) {
      const at = (layer * tokens + token) * width + head * headDim;
      for (let i = at; i < at + headDim; i++) offset[i] = weight * means[i];
    }
  }
  return { gate, offset };
}

/** Means that differ from token to token, of the size that outputs have. */
const meansFor = ({ config: { vision } }: ClipModel) =>
  Float64Array.from({ length: vision.layers * vision.tokens * vision.width }, (_, i) => Math.cos(i) * 0.3);

const hashOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

describe.each(SOURCES)("an edited checkpoint of %s", (name, locate, biasError) => {
  let model: ClipModel;
  let before: string[];
  let files: string[];
  let plain: Float32Array;
  beforeAll(async () => {
    const folder = await locate();
    model = await loadClipModel(folder);
    files = (await readdir(folder)).map((file) => join(folder, file));
    before = files.map(hashOf);
    plain = (await model.decompose(pixelsFor(model))).embedding;
  });
  afterAll(() => model.release());

  it("writes nothing where heads were taken away, as the gate does", async () => {
    const set = parseComponents("L0.H0,L1", model.geometry);
    const folder = join(scratch, `${name} zero`);
    const { rounding, weights } = await exportCheckpoint(model, folder, { set });
    expect(rounding).toEqual({ bias: 0, matrix: 0 });
    const edited = await loadClipModel(folder);
    const pixels = pixelsFor(model);
    const found = (await edited.decompose(pixels)).embedding;
    const gated = await model.decompose(pixels, { gate: gateOf(model, set) });
    expect(relativeError(found, gated.embedding)).toBeLessThan(1e-6);
    expect(relativeError(found, plain)).toBeGreaterThan(1e-2);
    expect(await edited.weightsHash()).toBe(weights);
    await edited.release();
  });

  it.each(["tokens", "cls"] as const)(
    "writes the mean (%s) at every token, as the gate does",
    async (over) => {
      const set = parseComponents("L0.H1,L1.H0", model.geometry);
      const means = oneMean(model, meansFor(model), over);
      const folder = join(scratch, `${name} ${over}`);
      const { rounding } = await exportCheckpoint(model, folder, { set, means, meanOver: over });
      expect(rounding.bias).toBeLessThanOrEqual(Math.max(biasError, 1e-7));
      const edited = await loadClipModel(folder);
      const pixels = pixelsFor(model);
      const found = (await edited.decompose(pixels)).embedding;
      const gated = await model.decompose(pixels, { gate: gateOf(model, set, everywhere(model, means)) });
      expect(relativeError(found, gated.embedding)).toBeLessThan(Math.max(1e-5, biasError));
      expect(relativeError(found, plain)).toBeGreaterThan(3e-2);
      await edited.release();
    },
  );

  it("says on its card what was done to what, and leaves the source as it was", async () => {
    const set = parseComponents("L1.H1*0.5", model.geometry);
    const folder = join(scratch, `${name} card`);
    const calibration = { index: "0123abcd", images: 12 };
    const { weights } = await exportCheckpoint(model, folder, { set, calibration });
    const card = await readFile(join(folder, "README.md"), "utf8");
    for (const part of [model.name, await model.weightsHash(), weights, "L1.H1 (0.5 of it)", "0123abcd"])
      expect(card).toContain(part);
    expect(files.map(hashOf)).toEqual(before);
    const written = await readdir(folder);
    expect(written.some((file) => file.endsWith(".bin"))).toBe(false);
    expect(written.includes("tokenizer.json")).toBe(
      files.some((file) => basename(file) === "tokenizer.json"),
    );
  });
});

describe("an edited checkpoint", () => {
  it("is never written over anything, the source least of all", async () => {
    const source = join(scratch, "source");
    await cp(goldenPath("gelu-p8/open_clip"), source, { recursive: true });
    const model = await loadClipModel(source);
    const set = parseComponents("L0.H0", model.geometry);
    await expect(exportCheckpoint(model, source, { set })).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
    });
    expect((await readdir(source)).toSorted()).toEqual(
      (await readdir(goldenPath("gelu-p8/open_clip"))).toSorted(),
    );
    await mkdir(join(scratch, "empty"));
    await exportCheckpoint(model, join(scratch, "empty"), { set });
    await expect(exportCheckpoint(model, join(scratch, "empty"), { set })).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
    });
    const mlp = parseComponents("L0.MLP", model.geometry);
    await expect(exportCheckpoint(model, join(scratch, "mlp"), { set: mlp })).rejects.toMatchObject({
      code: "HEADS_INVALID",
    });
    await model.release();
  });

  it("keeps the activation that the caller said", async () => {
    const folder = join(scratch, "said");
    await writeRandomCheckpoint(folder, SHAPE, { activation: "gelu" });
    const model = await loadClipModel(folder, "said", { activation: "quick_gelu" });
    expect(model.config.vision.activation).toBe("quick_gelu");
    const set = parseComponents("L0.H0", model.geometry);
    await exportCheckpoint(model, join(scratch, "renamed"), { set });
    const edited = await loadClipModel(join(scratch, "renamed"));
    expect(edited.config.vision.activation).toBe("quick_gelu");
    await Promise.all([model.release(), edited.release()]);
  });
});
