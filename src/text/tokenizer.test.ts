import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanText } from "./clean.ts";
import { loadTokenizer, SHARED_TOKENIZER } from "./load-tokenizer.ts";
import type { TextRules, Tokenizer } from "./tokenizer.ts";

const goldens = fileURLToPath(new URL("../../test/goldens/tokenizer/", import.meta.url));
const clipFile = `${goldens}tokenizer.json`;
const readGolden = (name: string) => JSON.parse(readFileSync(`${goldens}${name}`, "utf8"));
const expected: { text: string; ids: number[] }[] = readGolden("expected.json");

let folder: string;
let clip: Tokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
  clip = await loadTokenizer(clipFile, 77);
});
afterAll(() => rm(folder, { recursive: true }));

const repaired: { text: string; clean: string; ids: number[] }[] = readGolden("repaired.json");
const untouched: { text: string; ids: number[] }[] = readGolden("transformers.json");

describe("texts that are not as they should be", () => {
  it("are repaired as OpenAI's CLIP and OpenCLIP do, from either copy of the tokenizer", async () => {
    expect(repaired.length).toBeGreaterThan(200);
    const shared = await loadTokenizer(SHARED_TOKENIZER, 77);
    for (const { text, clean, ids } of repaired) {
      // Both cleaners leave white space to the next step.
      const [ours, theirs] = [
        cleanText(text, "open_clip", 1e5),
        clean.replace(/\p{White_Space}+/gu, " ").trim(),
      ];
      expect({ text, clean: ours }).toEqual({ text, clean: theirs });
      expect({ text, ids: clip.encode(text).ids }).toEqual({ text, ids });
      expect({ text, ids: shared.encode(text).ids }).toEqual({ text, ids });
    }
  });

  it("are left alone for a transformers model", async () => {
    const tokenizer = await loadTokenizer(clipFile, 77, { cleaning: "transformers", pooling: 49407 });
    expect(untouched.length).toBeGreaterThan(40);
    for (const { text, ids } of untouched)
      expect({ text, ids: tokenizer.encode(text).ids }).toEqual({ text, ids });
  });

  it("are repaired in the same way however long they are, but not escaped without end", () => {
    const quoted = `${"a cat, ".repeat(20_000)}“`;
    expect(clip.encode(quoted).ids).toEqual(clip.encode("a cat, ".repeat(30)).ids);
    expect(clip.encode(`${"\n".repeat(100_000)}it’s`).ids).toEqual(clip.encode("it's").ids);
    expect(cleanText(`&${"amp;".repeat(20)}`, "open_clip", 1e5)).toBe("&");
    expect(cleanText(`&${"amp;".repeat(100)}`, "open_clip", 1e5)).toContain("amp;");
  });
});

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

async function load(file: unknown, contextLength = 5, rules?: TextRules): Promise<Tokenizer> {
  const path = join(folder, "tokenizer.json");
  await writeFile(path, typeof file === "string" ? file : JSON.stringify(file));
  return loadTokenizer(path, contextLength, rules);
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

describe("the files of transformers' older tokenizers", () => {
  it("give the same ids as tokenizer.json", async () => {
    const { model } = readGolden("tokenizer.json");
    const [vocab, merges] = [join(folder, "vocab.json"), join(folder, "merges.txt")];
    await writeFile(vocab, JSON.stringify(model.vocab));
    await writeFile(
      merges,
      `#version: 0.2\n${model.merges.map((pair: string | string[]) => [pair].flat().join(" ")).join("\n")}\n`,
    );
    const slow = await loadTokenizer({ kind: "slow", vocab, merges }, 77);
    for (const { text, ids } of expected) expect({ text, ids: slow.encode(text).ids }).toEqual({ text, ids });
    await writeFile(join(folder, "added_tokens.json"), JSON.stringify({ "<cat-toy>": 49408 }));
    const rules = { cleaning: "transformers", pooling: 49407 } as const;
    const more = await loadTokenizer({ kind: "slow", vocab, merges }, 77, rules);
    expect(more.encode("a <cat-toy>!").ids).toEqual([49406, 320, 49408, 256, 49407]);
    await rm(join(folder, "added_tokens.json"));
  });
});

describe("words added to a vocabulary", () => {
  const withWords = () => {
    const file = smallFile();
    const word = { id: 10, content: "<Cat-Toy>", single_word: false, lstrip: false, rstrip: false };
    return { ...file, added_tokens: [...file.added_tokens, { ...word, normalized: true, special: false }] };
  };
  it("are found whole in a transformers model's texts, which pools at its end token", async () => {
    const tokenizer = await load(withWords(), 9, { cleaning: "transformers", pooling: 9 });
    expect(tokenizer).toMatchObject({ endToken: 9, vocabSize: 11 });
    expect(tokenizer.encode("c <cat-toy> abc").ids).toEqual([8, 5, 10, 7, 9]);
  });

  it.each([
    [{ cleaning: "open_clip", pooling: "highest" }, /<Cat-Toy> is 10.*9 is no longer.*OpenCLIP/],
    [{ cleaning: "transformers", pooling: "highest" }, /<Cat-Toy> is 10.*eos_token_id 2/],
    [{ cleaning: "transformers", pooling: 7 }, /the end token is 9.*eos_token_id 7/],
  ] as const)("with %j are refused with the reason", async (rules, message) => {
    await expect(load(withWords(), 9, rules)).rejects.toMatchObject({
      code: "TOKENIZER_INVALID",
      message: expect.stringMatching(message),
      hint: expect.stringContaining("eos_token_id"),
    });
  });
});

describe("a tokenizer is refused", () => {
  it("that git-lfs did not fetch", async () => {
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1709451\n";
    await expect(load(pointer)).rejects.toMatchObject({
      code: "TOKENIZER_INVALID",
      message: expect.stringContaining("Git LFS pointer"),
      hint: expect.stringContaining("git lfs pull"),
    });
  });

  it.each<[string, (file: ReturnType<typeof smallFile>) => unknown]>([
    ["that is cut off", (file) => JSON.stringify(file).slice(0, 500)],
    ["that is not an object", () => "[]"],
    ["of another kind", (file) => ({ ...file, model: { ...file.model, type: "WordLevel" } })],
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

describe("tokenizers of other kinds give the ids that OpenCLIP gives", () => {
  it.each([
    ["siglip", { cleaning: "open_clip_canonical", pooling: "last", fill: true }],
    ["siglip2", { cleaning: "open_clip_canonical", pooling: "last", fill: true }],
    ["clipa", { cleaning: "open_clip", pooling: "last", fill: true, separatorIsZero: true }],
    ["metaclip2", { cleaning: "open_clip", pooling: 2 }],
    ["bert", { cleaning: "open_clip", pooling: "whole" }],
    ["roberta", { cleaning: "open_clip", pooling: "whole" }],
  ] as const)("%s", async (kind, rules) => {
    const folder = join(goldens, kind);
    const { contextLength, texts } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));
    const tokenizer = await loadTokenizer(join(folder, "tokenizer.json"), contextLength, rules);
    for (const { text, ids } of texts as { text: string; ids: number[] }[]) {
      const fill = "fill" in rules;
      // A causal text tower does not look behind the end token, at which it pools; nor does a language model.
      const end =
        kind === "metaclip2" ? ids.indexOf(tokenizer.endToken) : ids.lastIndexOf(tokenizer.endToken);
      const wanted = fill ? ids : ids.slice(0, end + 1);
      const spelled = kind === "metaclip2" && text.includes("</s>");
      if (!spelled) expect([text, tokenizer.encode(text).ids]).toEqual([text, wanted]);
    }
  });

  it("but a text that spells the token it is pooled at stays one text", async () => {
    const path = join(goldens, "metaclip2/tokenizer.json");
    const { encode, endToken } = await loadTokenizer(path, 16, { cleaning: "open_clip", pooling: 2 });
    const { ids } = encode("a dog </s> a cat");
    expect(ids.indexOf(endToken)).toBe(ids.length - 1);
  });

  it("and may stand between other tokens than its file says, as NLLB's texts do", async () => {
    const path = join(goldens, "metaclip2/tokenizer.json");
    const rules = { cleaning: "open_clip", pooling: "whole" } as const;
    const plain = (await loadTokenizer(path, 6, rules)).encode("a photo of a dog and a cat");
    const around = { before: "<unk>", behind: "</s>" };
    const other = (await loadTokenizer(path, 6, { ...rules, around })).encode("a photo of a dog and a cat");
    expect(plain.ids[0]).toBe(0);
    expect(other.ids).toEqual([3, ...plain.ids.slice(1)]);
    const missing = { ...rules, around: { before: "eng_Latn", behind: "</s>" } };
    const refusal = { code: "TOKENIZER_INVALID", message: expect.stringContaining("eng_Latn") };
    await expect(loadTokenizer(path, 6, missing)).rejects.toMatchObject(refusal);
  });

  it("and say so where nothing says what fills texts up", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tokenizer-"));
    const path = join(folder, "tokenizer.json");
    cpSync(join(goldens, "siglip/tokenizer.json"), path);
    const rules = { cleaning: "siglip", pooling: "last", fill: true } as const;
    const refusal = { code: "TOKENIZER_INVALID", hint: expect.stringContaining("tokenizer_config.json") };
    await expect(loadTokenizer(path, 16, rules)).rejects.toMatchObject(refusal);
    rmSync(folder, { recursive: true });
  });
});
