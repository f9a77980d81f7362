import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadTokenizer, type Tokenizer } from "./tokenizer.ts";

const goldens = fileURLToPath(new URL("../../test/goldens/tokenizer/", import.meta.url));
const clipFile = `${goldens}tokenizer.json`;
const expected: { text: string; ids: number[] }[] = JSON.parse(
  readFileSync(`${goldens}expected.json`, "utf8"),
);

let folder: string;
let clip: Tokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
  clip = await loadTokenizer(clipFile, 77);
});
afterAll(() => rm(folder, { recursive: true }));

describe("CLIP's tokenizer", () => {
  it("has CLIP's special tokens", () => {
    expect(clip).toMatchObject({ startToken: 49406, endToken: 49407, vocabSize: 49408, contextLength: 77 });
  });

  it("gives the reference's ids for every golden text", () => {
    expect(expected.length).toBe(140);
    for (const { text, ids } of expected) expect({ text, ids: clip.encode(text).ids }).toEqual({ text, ids });
  });

  it("says when a text is cut off, and only then", () => {
    expect(clip.encode("cat ".repeat(75))).toMatchObject({ truncated: false });
    const { ids, truncated } = clip.encode("cat ".repeat(76));
    expect(truncated).toBe(true);
    expect(ids.length).toBe(77);
    expect(ids.at(-1)).toBe(49407);
    expect(clip.encode("")).toEqual({ ids: [49406, 49407], truncated: false });
  });

  it("keeps the end token unique and last, whatever the text", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(fc.constantFrom("<|endoftext|>", "<|startoftext|>", "&lt;|endoftext|&gt;", " ", "é", "\ud83d"))
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (text) => {
        const { ids } = clip.encode(text);
        expect(ids[0]).toBe(49406);
        expect(ids.indexOf(49407)).toBe(ids.length - 1);
        expect(ids.every(Number.isInteger)).toBe(true);
      }),
    );
  });

  it.each([
    ["one word", "x".repeat(1e6)],
    ["blanks", `${" ".repeat(1e6)}cat`],
    ["emoji", "🙂".repeat(250_000)],
    ["references", "&amp;".repeat(200_000)],
    ["marks on one letter", `a${"\u0301\u0316".repeat(500_000)}`],
  ])("does not hang on a megabyte of %s", (_, text) => {
    const started = performance.now();
    const { ids } = clip.encode(text);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(ids.length).toBe(text.endsWith("cat") ? 3 : 77);
  });

  it("gives a long text the same tokens as its beginning", () => {
    const words = Array.from({ length: 5000 }, (_, i) => `word${i} of, (a) café`);
    expect(clip.encode(words.join(" ")).ids).toEqual(clip.encode(words.slice(0, 60).join("\n ")).ids);
  });
});

/** A tokenizer for the letters a–c, in the shape of CLIP's file. */
function smallFile() {
  const clipJson = JSON.parse(readFileSync(clipFile, "utf8"));
  const words = ["a", "b", "c", "a</w>", "b</w>", "c</w>", "ab", "abc</w>"];
  const special = ["<|startoftext|>", "<|endoftext|>"];
  const vocab = Object.fromEntries([...words, ...special].map((token, id) => [token, id]));
  return {
    ...clipJson,
    added_tokens: special.map((content) => ({
      id: vocab[content],
      content,
      special: true,
      normalized: true,
    })),
    post_processor: { ...clipJson.post_processor, cls: [special[0], 8], sep: [special[1], 9] },
    model: { ...clipJson.model, vocab, merges: ["a b", "ab c</w>"] },
  };
}

async function load(file: unknown, contextLength = 5): Promise<Tokenizer> {
  const path = join(folder, "tokenizer.json");
  await writeFile(path, typeof file === "string" ? file : JSON.stringify(file));
  return loadTokenizer(path, contextLength);
}

describe("another tokenizer of the kind", () => {
  it("is read with its own vocabulary and context", async () => {
    const small = await load(smallFile());
    expect(small).toMatchObject({ startToken: 8, endToken: 9, vocabSize: 10, contextLength: 5 });
    expect(small.encode("ABC cab")).toEqual({ ids: [8, 7, 2, 0, 9], truncated: true });
    expect(small.encode("ABC c")).toEqual({ ids: [8, 7, 5, 9], truncated: false });
  });

  it("may hold its special tokens in the list of added tokens alone", async () => {
    const file = smallFile();
    for (const { content } of file.added_tokens) delete file.model.vocab[content];
    expect((await load(file)).encode("abc").ids).toEqual([8, 7, 9]);
  });

  it("leaves out what it has no token for, instead of ending the text there", async () => {
    expect((await load(smallFile())).encode("abc 🙂 c").ids).toEqual([8, 7, 5, 9]);
  });
});

describe("a tokenizer is refused", () => {
  it.each<[string, (file: ReturnType<typeof smallFile>) => unknown]>([
    ["that is cut off", (file) => JSON.stringify(file).slice(0, 500)],
    ["that is not an object", () => "[]"],
    ["of another kind", (file) => ({ ...file, model: { ...file.model, type: "WordPiece" } })],
    ["without merges", (file) => ({ ...file, model: { ...file.model, merges: undefined } })],
    [
      "with a vocabulary that is not one",
      (file) => ({ ...file, model: { ...file.model, vocab: { a: "b" } } }),
    ],
    ["that puts nothing around a text", (file) => ({ ...file, post_processor: null })],
    [
      "whose end token is not the highest",
      (file) => ({ ...file, model: { ...file.model, vocab: { ...file.model.vocab, z: 10 } } }),
    ],
  ])("%s", async (_, damage) => {
    await expect(load(damage(smallFile()))).rejects.toMatchObject({
      code: "TOKENIZER_INVALID",
      message: expect.stringContaining("tokenizer.json"),
    });
  });

  it("that is missing", async () => {
    await expect(loadTokenizer(join(folder, "none.json"), 77)).rejects.toMatchObject({
      code: "INPUT_NOT_FOUND",
    });
  });
});
