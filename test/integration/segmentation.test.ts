import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  contrastProbes,
  segmentImage,
  tokenHeads,
  tokenMap,
} from "../../src/analysis/segmentation/segmentation.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads, type ComponentSet, parseComponents } from "../../src/model/components.ts";
import type { TokenDecomposition } from "../../src/model/decompose.ts";
import { prepareProbe } from "../../src/model/head-space.ts";
import { scoreTokens } from "../../src/model/kernel.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { pixelsOf } from "../../src/model/pixels.ts";
import { unitProbe } from "../../src/model/probe.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import type { SegmentResult } from "../../src/results/segment.ts";
import { repositoryPath } from "../e2e/cli.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath } from "../support/goldens.ts";
import { readRawTensors, writeSafetensors } from "../support/safetensors.ts";

const MONKEY = repositoryPath("examples/scenes/images/0067-monkey.png");
const models = createModelLoader();
let model: ClipModel;
let parts: TokenDecomposition;
let probes: Float64Array[];
const TEXTS = ["a monkey", "a purple background", "a palm tree"];

beforeAll(async () => {
  model = await models.load("emoji-4x128-p8");
  const { pixels } = await pixelsOf(model, MONKEY);
  parts = await model.decompose(pixels, { tokenLayers: [0, 1, 2, 3] });
  const embeddings = await model.encodeTexts(TEXTS);
  probes = TEXTS.map((_, i) => unitProbe(embeddings.subarray(i * 128, (i + 1) * 128)));
});
afterAll(() => models.release());

const mapOf = (set: ComponentSet, probe = probes[0]) => tokenMap(model.geometry, parts, probe, set);
const someHeads = fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 15 }).map(
  (heads): ComponentSet => ({
    heads: heads.map((i) => ({ layer: Math.floor(i / 4), head: i % 4, weight: 1 })),
    mlps: [],
  }),
);

describe("a map of patches", () => {
  it("adds up, with the CLS token's share, to the score of the heads", () => {
    fc.assert(
      fc.property(someHeads, fc.integer({ min: 0, max: 2 }), (set, text) => {
        const { patches, cls, sum, score, error } = mapOf(set, probes[text]);
        expect(sum).toBe(patches + cls);
        expect(error).toBe(Math.abs(sum - score));
        expect(error).toBeLessThan(1e-6);
      }),
    );
  });

  it("is linear in the set: map(A ∪ B) = map(A) + map(B) for heads apart, and in the weights", () => {
    fc.assert(
      fc.property(someHeads, fc.double({ min: -2, max: 2, noNaN: true }), (set, weight) => {
        const cut = Math.floor(set.heads.length / 2);
        const [a, b] = [set.heads.slice(0, cut), set.heads.slice(cut)];
        const whole = mapOf(set).values;
        const halves = [a, b]
          .filter((heads) => heads.length > 0)
          .map((heads) => mapOf({ heads, mlps: [] }).values);
        const scaled = mapOf({ heads: set.heads.map((head) => ({ ...head, weight })), mlps: [] }).values;
        for (const [i, value] of whole.entries()) {
          expect(halves.reduce((sum, half) => sum + half[i], 0)).toBeCloseTo(value, 12);
          expect(scaled[i]).toBeCloseTo(weight * value, 12);
        }
      }),
    );
  });

  it("of a contrast of two texts is the other's with its sign turned; contrasts of many add up to nothing", () => {
    fc.assert(
      fc.property(someHeads, (set) => {
        const [a, b] = contrastProbes(probes.slice(0, 2)).map((probe) => mapOf(set, probe));
        const many = contrastProbes(probes).map((probe) => mapOf(set, probe));
        for (const [i, value] of a.values.entries()) {
          expect(b.values[i]).toBeCloseTo(-value, 12);
          expect(many.reduce((sum, { values }) => sum + values[i], 0)).toBeCloseTo(0, 12);
        }
        expect(b.cls).toBeCloseTo(-a.cls, 12);
      }),
      { numRuns: 30 },
    );
  });

  it("is, patch by patch, what its heads wrote there", () => {
    const set = allHeads(model.geometry);
    const { values } = mapOf(set);
    for (const patch of [0, 27, 63]) {
      const heads = tokenHeads(model.geometry, parts, probes[0], set, patch + 1);
      expect(heads).toHaveLength(16);
      expect(heads.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(values[patch], 12);
      expect(Math.abs(heads[0].value)).toBeGreaterThanOrEqual(Math.abs(heads[15].value));
    }
  });

  it("is not given when its tokens miss the score by a thousandth, whichever way and of whatever weight", () => {
    const head = (weight: number) => parseComponents(`L2.H1*${weight}`, model.geometry);
    const missing = (by: number, weight: number) => () =>
      tokenMap(model.geometry, withTokenOff(by), probes[0], head(weight));
    for (const weight of [1, -1]) {
      expect(missing(0, weight)().error).toBeLessThan(1e-6);
      expect(missing(5e-5, weight)().error).toBeCloseTo(5e-5, 6);
      for (const by of [1e-3, -1e-3, 2e-4, Number.NaN])
        expect(missing(by, weight), `${by}`).toThrow(expect.objectContaining({ code: "SUM_MISMATCH" }));
    }
    // With a weight the rounding grows too: what counts is how far the heads themselves are off.
    for (const weight of [100, -100]) {
      expect(missing(5e-5, weight)().error).toBeCloseTo(5e-3, 4);
      expect(missing(1e-3, weight)).toThrow(/apart/);
    }
  });

  it("refuses MLPs, which have no tokens", () => {
    expect(() => mapOf(parseComponents("all,embed", model.geometry))).toThrow(
      expect.objectContaining({ code: "HEADS_INVALID" }),
    );
  });
});

/** The image's parts, but one patch of L2.H1 brought so much more towards the first text. */
function withTokenOff(by: number): TokenDecomposition {
  const [layer, head, token] = [2, 1, 10];
  const set = parseComponents(`L${layer}.H${head}`, model.geometry);
  const terms = parts.tokens.layers.get(layer)!;
  const at = head * parts.tokens.tokens + token;
  const paying = (attention: number): TokenDecomposition => {
    const changed = { ...terms, attention: terms.attention.slice() };
    changed.attention[at] = attention;
    return { ...parts, tokens: { ...parts.tokens, layers: new Map([[layer, changed]]) } };
  };
  const prepared = prepareProbe(model.geometry, probes[0]);
  const writtenBy = (one: TokenDecomposition) =>
    scoreTokens(model.geometry, prepared, one, one.tokens, set)[token];
  const perAttention = writtenBy(paying(1)) - writtenBy(paying(0));
  return paying(terms.attention[at] + by / perAttention);
}

describe("segmentImage", () => {
  let contrast: SegmentResult;
  beforeAll(async () => {
    contrast = await segmentImage(model, MONKEY, TEXTS.slice(0, 2), {
      set: allHeads(model.geometry),
      mode: "contrast",
      baselines: true,
    });
  });

  it("finds the monkey at the top and the colour around it", () => {
    const [monkey, purple] = [0, 1].map((text) => weightAt(contrast.texts[text].own!));
    expect(monkey.y).toBeLessThan(purple.y);
    const winner = contrast.winners!.text;
    // The mask: the monkey fills the rows above the middle, in the middle columns.
    expect(winner[1][4]).toBe(0);
    expect(winner[7][0]).toBe(1);
  });

  it("chooses winners by the texts' own maps, with the margin between the first two", () => {
    const { text, margin, counts } = contrast.winners!;
    const owns = contrast.texts.map((one) => one.own!.flat());
    const values = contrast.texts.map((one) => one.values.flat());
    expect(counts[0] + counts[1]).toBe(64);
    for (const [i, first] of text.flat().entries()) {
      const [own, other] = [owns[first][i], owns[1 - first][i]];
      expect(margin.flat()[i]).toBeCloseTo(own - other, 14);
      // Against one other text a contrast is the lead itself.
      expect(values[first][i]).toBeCloseTo(own - other, 6);
      expect(values[1 - first][i]).toBeCloseTo(other - own, 6);
    }
  });

  it("lays the map where the model looked", () => {
    expect(contrast.placement).toEqual({ x: 0, y: 0, width: 256, height: 256 });
  });

  it("brings every baseline with a value a patch", () => {
    const named = contrast.baselines!.map(({ name, text }) => `${name} ${text}`);
    const methods = ["cosine", "maskclip", "sclip", "clearclip", "naclip", "gem", "legrad", "grad-eclip"];
    const perText = methods.flatMap((name) => TEXTS.slice(0, 2).map((text) => `${name} ${text}`));
    expect(named).toEqual(["attention null", "rollout null", ...perText]);
    for (const { values: rows, text } of contrast.baselines!) {
      const values = rows.flat();
      expect(values).toHaveLength(64);
      if (text !== null) expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1);
      else {
        const sum = values.reduce((total, value) => total + value, 0);
        expect(sum).toBeGreaterThan(0.1);
        expect(sum).toBeLessThanOrEqual(1 + 1e-6);
      }
    }
  });

  it.each([
    ["a contrast of one text", ["x"], { mode: "contrast" }, "USAGE"],
    ["a patch that is not there", ["x"], { patch: 64 }, "USAGE"],
    ["no text", [], {}, "TEXTS_EMPTY"],
  ] as const)("refuses %s", async (_, texts, options, code) => {
    const set = allHeads(model.geometry);
    await expect(segmentImage(model, MONKEY, texts, { set, ...options })).rejects.toMatchObject({ code });
  });
});

/** Where the positive part of a map lies on average, in patches. */
function weightAt(map: readonly (readonly number[])[]): { x: number; y: number } {
  let [x, y, total] = [0, 0, 0];
  for (const [row, values] of map.entries()) {
    for (const [column, value] of values.entries()) {
      const weight = Math.max(0, value);
      x += weight * column;
      y += weight * row;
      total += weight;
    }
  }
  return { x: x / total, y: y / total };
}

describe("on the goldens", () => {
  it("a map is the reference's token contributions times the text", async () => {
    const golden = await loadClipModel(goldenPath("gelu-p8/open_clip"));
    const pixels = (await goldenArray("gelu-p8/pixels.npy", 4)).data;
    const { shape, data } = await goldenArray("gelu-p8/attention_contributions.npy", 5);
    const [, layers, tokens, heads, width] = shape;
    const tokenLayers = Array.from({ length: layers }, (_, layer) => layer);
    const decomposition = await golden.decompose(pixels, { tokenLayers });
    const probe = unitProbe(Float64Array.from({ length: width }, (_, d) => Math.cos(d)));
    const image = 1;
    const { values, cls } = tokenMap(golden.geometry, decomposition, probe, allHeads(golden.geometry), image);
    const expected = new Float64Array(tokens);
    for (let layer = 0; layer < layers; layer++)
      for (let token = 0; token < tokens; token++)
        for (let head = 0; head < heads; head++)
          for (let d = 0; d < width; d++) {
            const at = (((image * layers + layer) * tokens + token) * heads + head) * width + d;
            expected[token] += data[at] * probe[d];
          }
    expect(relativeError([cls, ...values], expected)).toBeLessThan(1e-4);
    await golden.release();
  });

  it("the outputs for baselines have attention rows that sum to one and the embedding as their first token", async () => {
    const golden = await loadClipModel(goldenPath("gelu-p8/open_clip"));
    const pixels = (await goldenArray("gelu-p8/pixels.npy", 4)).data;
    const outputs = await golden.readTokens(pixels);
    const { tokens, layers, embedDim, count } = outputs;
    for (let row = 0; row < count * layers * tokens; row++) {
      const sum = outputs.attention.subarray(row * tokens, (row + 1) * tokens).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
    const tokenLayers = [layers - 1];
    const decomposition = await golden.decompose(pixels, { tokenLayers });
    for (let image = 0; image < count; image++) {
      const first = outputs.projected.subarray(image * tokens * embedDim, (image * tokens + 1) * embedDim);
      const whole = decomposition.embedding.subarray(image * embedDim, (image + 1) * embedDim);
      expect(relativeError(first, whole)).toBeLessThan(1e-5);
      // Mean over heads of the last layer's CLS row, from the other graph.
      const { attention } = decomposition.tokens.layers.get(layers - 1)!;
      const heads = golden.config.vision.heads;
      const mean = Float64Array.from({ length: tokens }, (_, token) => {
        let sum = 0;
        for (let head = 0; head < heads; head++) sum += attention[(image * heads + head) * tokens + token];
        return sum / heads;
      });
      const start = (image * layers + layers - 1) * tokens * tokens;
      expect(relativeError(outputs.attention.subarray(start, start + tokens), mean)).toBeLessThan(1e-5);
    }
    await golden.release();
  });

  it("MaskCLIP's values are what the tokens become when the last layer attends to itself alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "identity-"));
    await cp(goldenPath("gelu-p8/open_clip"), folder, { recursive: true });
    const path = join(folder, "open_clip_model.safetensors");
    const tensors = readRawTensors(path);
    const name = "visual.transformer.resblocks.4.attn.in_proj";
    for (const part of ["weight", "bias"]) {
      const raw = tensors.get(`${name}_${part}`)!;
      const values = new Float32Array(Uint8Array.from(raw.bytes).buffer);
      const width = raw.shape[0] / 3;
      // Query and key become 30·x, so that many a token is nearer to itself than to any other, in every head.
      const columns = raw.shape[1] ?? 1;
      for (let at = 0; at < 2 * width * columns; at++) {
        const [row, column] = [Math.floor(at / columns) % width, at % columns];
        values[at] = part === "weight" && row === column ? 30 : 0;
      }
      tensors.set(`${name}_${part}`, { ...raw, bytes: new Uint8Array(values.buffer) });
    }
    writeSafetensors(path, tensors);
    const edited = await loadClipModel(folder);
    const outputs = await edited.readTokens((await goldenArray("gelu-p8/pixels.npy", 4)).data);
    const { projected, projectedValues, attention, tokens, layers, embedDim, count } = outputs;
    const alone = Array.from({ length: count * tokens }, (_, row) => row).filter((row) => {
      const [image, token] = [Math.floor(row / tokens), row % tokens];
      return attention[((image * layers + layers - 1) * tokens + token) * tokens + token] > 1 - 1e-6;
    });
    expect(alone.length).toBeGreaterThan(5);
    const rowsOf = (all: Float32Array) =>
      alone.flatMap((row) => [...all.subarray(row * embedDim, (row + 1) * embedDim)]);
    expect(relativeError(rowsOf(projectedValues), rowsOf(projected))).toBeLessThan(1e-4);
    expect(relativeError(projectedValues, projected)).toBeGreaterThan(0.01);
    await edited.release();
    await rm(folder, { recursive: true });
  });
});
