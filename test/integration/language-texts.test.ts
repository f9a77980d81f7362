import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { relativeError } from "../support/compare.ts";
import { goldenPath } from "../support/goldens.ts";
import { copyTokenizer } from "../support/tokenizers.ts";

const TEXTS = [
  "a dog",
  "two red apples on a table",
  "a cat",
  "",
  "a photo of a dog and of a cat in the rain",
];

let folder: string;
let model: ClipModel;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "language-"));
});
afterEach(async () => {
  await model?.release();
  rmSync(folder, { recursive: true });
});

async function load(kind: string, tokenizer?: string, added?: readonly string[]): Promise<void> {
  cpSync(goldenPath(`kinds/${kind}`), folder, { recursive: true });
  if (tokenizer)
    copyTokenizer(goldenPath(`tokenizer/${tokenizer}/tokenizer.json`), join(folder, "tokenizer.json"), added);
  model = await loadClipModel(folder);
}

describe.each([
  ["roberta", "metaclip2", 1],
  ["bert", "bert", 0],
  ["chinese-clip", "bert", 0],
  ["altclip", "metaclip2", 1],
  ["nllb", "metaclip2", 1, ["eng_Latn"]],
] as const)("a text tower that is a language model: %s", (kind, tokenizer, padding, added?) => {
  it("gives a text the same numbers whatever it is computed with, and however far it is filled up", async () => {
    await load(kind, tokenizer, added);
    const together = await model.encodeTexts(TEXTS);
    const { embedDim } = model.config;
    for (const [i, text] of TEXTS.entries()) {
      const row = together.subarray(i * embedDim, (i + 1) * embedDim);
      expect(await model.encodeTexts([text])).toEqual(row);
      const [ids] = await model.tokenizeTexts([text]);
      const filled = await model.encodeTokens([[...ids, ...Array(8 - ids.length).fill(padding)]]);
      expect(relativeError(filled, row)).toBeLessThan(1e-5);
    }
    expect(await model.tokenizeTexts(TEXTS)).toContainEqual(expect.objectContaining({ length: 8 }));
  });

  it("says what it lacks where there is no tokenizer.json", async () => {
    await load(kind);
    await expect(model.encodeTexts(["a dog"])).rejects.toMatchObject({
      code: "INPUT_NOT_FOUND",
      message: expect.stringContaining("tokenizer.json"),
    });
  });
});

it("a language model's texts are not read with files of CLIP's older tokenizer", async () => {
  await load("roberta");
  writeFileSync(join(folder, "vocab.json"), "{}");
  writeFileSync(join(folder, "merges.txt"), "");
  const refusal = { code: "TOKENIZER_INVALID", hint: expect.stringContaining("tokenizer.json") };
  await expect(model.encodeTexts(["a dog"])).rejects.toMatchObject(refusal);
});

it("CoCa gives a text the same numbers whatever it is computed with", async () => {
  await load("coca");
  const texts = [
    [3, 159],
    [3, 0, 5, 159],
    [4, 159],
    [5, 6, 7, 8, 9, 10, 11, 159],
  ];
  const together = await model.encodeTokens(texts);
  for (const [i, ids] of texts.entries()) {
    const { embedDim } = model.config;
    expect(await model.encodeTokens([ids])).toEqual(together.subarray(i * embedDim, (i + 1) * embedDim));
  }
});
