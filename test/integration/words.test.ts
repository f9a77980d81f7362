/** Which word looks where: the sum over words and patches is the cosine, and what a word may change is known. */

import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { explainWords, textPartsOf, wordsSeen } from "../../src/analysis/words/words.ts";
import { dot } from "../../src/math/linear.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads, parseComponents, parseHeads, parseTextHeads } from "../../src/model/components.ts";
import { decomposeImage } from "../../src/model/decompose-image.ts";
import { decomposeText } from "../../src/model/decompose-text.ts";
import { denseHeads, denseTokens } from "../../src/model/dense.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { openModel } from "../../src/model/registry.ts";
import { groupWords } from "../../src/text/words.ts";
import { goldenArray, goldenPath, goldenTextTokens } from "../support/goldens.ts";

const scene = fileURLToPath(new URL("../../examples/scenes/images/0067-monkey.png", import.meta.url));
const CAPTION = "a monkey on a purple background";
const sumOf = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);

const KINDS = readdirSync(goldenPath("kinds"));

/** A golden model whose texts are token ids; each id is a word of its own. */
async function withIdsAsTexts(kind: string): Promise<{ model: ClipModel; ids: number[] }> {
  const model = await loadClipModel(goldenPath(`kinds/${kind}`));
  const known = existsSync(goldenPath(`kinds/${kind}/text_tokens.npy`));
  const ids = known ? (await goldenTextTokens(`kinds/${kind}`, model))[1] : [7, 3, 9, 159];
  const words = (all: readonly number[]) =>
    groupWords(
      all.map((id) => `${id}`),
      all.map((_, at) => (at === 0 ? "start" : at === all.length - 1 ? "end" : "word")),
      { suffix: "", continuing: "", bytes: false },
    ).flatMap((word) => word.tokens.map((token) => ({ ...word, tokens: [token] })));
  const tokenizer = { encode: () => ({ ids, truncated: false }), words };
  const read = { tokenizeTexts: async () => [ids], tokenizer: async () => tokenizer as never };
  return { model: { ...model, ...read }, ids };
}

describe.each(KINDS)("%s", (kind) => {
  it("words and patches, and what has neither, sum to the cosine to 1e-6", async () => {
    const { model, ids } = await withIdsAsTexts(kind);
    const pixels = await goldenArray(`kinds/${kind}/pixels.npy`, 4);
    const one = pixels.data.subarray(0, pixels.data.length / pixels.shape[0]);
    const tokenLayers = Array.from({ length: model.geometry.layers }, (_, layer) => layer);
    const decomposition = await model.decompose(one, { tokenLayers });
    const { imageSize } = model.config.vision;
    const placement = { x: 0, y: 0, width: imageSize, height: imageSize };
    const shown = { sha256: "0".repeat(64), bytes: 1, width: imageSize, height: imageSize, placement };
    const seen = { decomposition, shown, image: { name: "noise", label: null, sha256: shown.sha256 } };
    const found = await wordsSeen(model, seen, await textPartsOf(model, "ids"));
    const text = await model.encodeTokens([ids]);
    const cosine = dot(decomposition.embedding, text) / decomposition.norm[0] / Math.hypot(...text);
    expect(Math.abs(found.similarity - cosine)).toBeLessThan(1e-6);
    expect(Math.abs(found.sum - cosine)).toBeLessThan(1e-6);
    expect(found.image).toContain("patches");
    expect(found.image.includes("CLS token")).toBe(model.config.vision.prefix === 1);
    expect(found.rest.map(({ text: name }) => name)).toEqual(expect.arrayContaining(["MLPs", "embedding"]));
    await model.release();
  });
});

describe("the default model", () => {
  let model: ClipModel;
  beforeAll(async () => {
    model = await openModel("emoji-4x128-p8");
  });
  afterAll(() => model?.release());

  it("every share is the inner product of what dense arrays say", async () => {
    const { config, geometry, matmul } = model;
    const found = await explainWords(model, scene, CAPTION, { pairs: 1 });
    const parts = await textPartsOf(model, CAPTION);
    const textGeometry = await model.textGeometry();
    const set = allHeads(geometry);
    const { texts } = await segmentImage(model, scene, [CAPTION], { set });
    // All parts of the text together are the text: their maps are its map.
    const whole = texts[0].values.flat();
    const monkey = found.words[1];
    expect(monkey.text).toBe("monkey");
    expect(sumOf(monkey.map.flat())).toBeCloseTo(monkey.shares[0], 10);
    const restPatches = sumOf(found.rest.map(({ shares }) => shares[0]));
    expect(found.wordsByPatches + restPatches).toBeCloseTo(sumOf(whole), 6);
    // A word by the reference arrays: Σ over layers and heads of its token.
    const vector = new Float64Array(config.embedDim);
    for (let layer = 0; layer < textGeometry.layers; layer++) {
      const dense = await denseTokens(matmul, textGeometry, parts.decomposition, layer, 0);
      const each = textGeometry.heads * config.embedDim;
      for (let at = 0; at < each; at++) vector[at % config.embedDim] += dense[2 * each + at];
    }
    const image = await decomposeImage(model, scene, { tokensOf: set });
    expect(monkey.value).toBeCloseTo(dot(image.embedding, vector) / image.norm[0], 6);
    // The strongest pair of heads by the dense arrays of both towers.
    const [pair] = found.pairs ?? [];
    const [textHeads, imageHeads] = [
      await denseHeads(matmul, textGeometry, parts.decomposition),
      await denseHeads(matmul, geometry, image),
    ];
    const [[tl, th], [il, ih]] = [pair.text, pair.image].map((name) => name.match(/\d+/g)!.map(Number));
    const row = (heads: Float32Array, at: number) =>
      heads.slice(at * config.embedDim, (at + 1) * config.embedDim);
    const product = dot(
      row(textHeads, tl * textGeometry.heads + th),
      row(imageHeads, il * geometry.heads + ih),
    );
    expect(pair.value).toBeCloseTo(product, 6);
    expect(found.pairCount).toBe(12 * 16);
  });

  it("sets of heads in either tower leave the others as a named part, and the sum as it is", async () => {
    const whole = await explainWords(model, scene, CAPTION);
    const textGeometry = await model.textGeometry();
    const found = await explainWords(model, scene, CAPTION, {
      ...{ set: parseHeads(model, "L2,L3.H1*0.5"), textSet: parseTextHeads("T0,T2.H3*2", textGeometry) },
      patch: 11,
    });
    expect(found.image).toContain("other heads");
    expect(found.rest.at(-1)?.text).toBe("other heads");
    expect(found.sum).toBeCloseTo(whole.sum, 6);
    expect(found.textComponents.heads.map(({ name }) => name)).toContain("T2.H3");
    expect(whole.image).not.toContain("other heads");
    const { row = 0, column = 0, words = [] } = found.token ?? {};
    expect([row, column]).toEqual([1, 3]);
    expect(sumOf(words.map(({ value }) => value))).toBeCloseTo(
      sumOf(found.words.map(({ map }) => map[1][3])),
      12,
    );
  });

  it("a word of several tokens is the sum of them, and tokens are named", async () => {
    const { words, ids } = await decomposeText(model, "Flibbertigibbet, a cat");
    expect(words.flatMap(({ tokens }) => tokens)).toEqual([...ids.keys()]);
    expect(words[1].tokens.length).toBeGreaterThan(1);
    expect(words.map(({ kind }) => kind)).toEqual(["start", "word", "word", "word", "word", "end"]);
    expect(words.slice(1, -1).map(({ text }) => text)).toEqual(["flibbertigibbet", ",", "a", "cat"]);
  });

  it("refuses blank texts, MLPs as words, image heads as text heads, and a patch that is not there", async () => {
    const sizes = await model.textGeometry();
    await expect(explainWords(model, scene, "  ")).rejects.toMatchObject({ code: "TEXTS_EMPTY" });
    for (const set of ["L0.H1", "T0.MLP", "embed", "T9", "nothing"])
      expect(() => parseTextHeads(set, sizes)).toThrow(/T0–T2/);
    const mlps = parseComponents("embed", model.geometry);
    await expect(explainWords(model, scene, CAPTION, { textSet: mlps })).rejects.toMatchObject({
      code: "HEADS_INVALID",
    });
    await expect(explainWords(model, scene, CAPTION, { patch: 64 })).rejects.toMatchObject({ code: "USAGE" });
  });

  /*
   * What the causal mask makes exactly true. A token's keys and values depend on itself and on tokens before it, so a swapped
   * word changes nothing of an earlier token but how much the end token looks at it: in every head the earlier token's part is the
   * same vector times another weight.
   */
  it("a swapped word changes no earlier token's values, bit for bit; only how much the end token looks at them", async () => {
    const tokenizer = await model.tokenizer();
    const WORDS = [
      "cat",
      "dog",
      "car",
      "red",
      "two",
      "tree",
      "on",
      "the",
      "moon",
      "apple",
      "green",
      "bus",
    ].filter((word) => tokenizer.encode(word).ids.length === 3);
    expect(WORDS.length).toBeGreaterThan(6);
    const word = fc.constantFrom(...WORDS);
    const captions = fc
      .tuple(fc.array(word, { minLength: 3, maxLength: 7 }), word, fc.nat())
      .map(([words, other, at]) => ({ words, other, at: at % words.length }))
      .filter(({ words, other, at }) => words[at] !== other);
    await fc.assert(
      fc.asyncProperty(captions, async ({ words, other, at }) => {
        const swapped = words.map((one, i) => (i === at ? other : one));
        const [before, after] = [
          await decomposeText(model, words.join(" ")),
          await decomposeText(model, swapped.join(" ")),
        ];
        const place = at + 1;
        const { width, heads } = model.config.text as { width: number; heads: number };
        for (const [layer, own] of before.tokens.layers) {
          const others = after.tokens.layers.get(layer)!;
          expect(others.values.slice(0, place * width)).toEqual(own.values.slice(0, place * width));
          const changed = (token: number) =>
            own.values.slice(token * width, (token + 1) * width).join() !==
            others.values.slice(token * width, (token + 1) * width).join();
          expect(changed(place)).toBe(true);
          const tokens = words.length + 2;
          for (const weights of [own.attention, others.attention])
            for (let head = 0; head < heads; head++)
              expect(sumOf(weights.slice(head * tokens, (head + 1) * tokens))).toBeCloseTo(1, 5);
        }
      }),
      { numRuns: 12, seed: 18 },
    );
  });
});
