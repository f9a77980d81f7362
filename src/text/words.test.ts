import { describe, expect, it } from "vitest";
import { goldenPath } from "../../test/support/goldens.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { groupWords } from "./words.ts";

const texts = (words: readonly { text: string }[]) => words.map(({ text }) => text);

describe("words of a text", () => {
  it("of CLIP's encoding end with their mark, and bytes are characters again", async () => {
    const tokenizer = await loadTokenizer(goldenPath("tokenizer/tokenizer.json"), 77);
    const { ids } = tokenizer.encode("Two naïve CATS, unquestionably 🙂!");
    const words = tokenizer.words(ids);
    expect(texts(words).slice(1, -1).join(" ")).toBe("two naïve cats , unquestionably 🙂!");
    expect(words.map(({ kind }) => kind).filter((kind) => kind !== "word")).toEqual(["start", "end"]);
    expect(words.flatMap(({ tokens }) => tokens)).toEqual([...ids.keys()]);
    expect(words.flatMap(({ pieces }) => pieces)).toHaveLength(ids.length);
  });

  it("of SigLIP's begin with their mark; what fills the context up is padding, one part of its own", async () => {
    const file = { kind: "json", path: goldenPath("tokenizer/siglip/tokenizer.json") } as const;
    const rules = { cleaning: "open_clip", pooling: "last", fill: true } as const;
    const tokenizer = await loadTokenizer(file, 12, rules);
    const words = tokenizer.words(tokenizer.encode("a cat").ids);
    expect(words.map(({ kind }) => kind)).toEqual([
      ...Array<string>(words.length - 2).fill("word"),
      ...["end", "padding"],
    ]);
    expect(texts(words).slice(0, -2).join(" ").replace(/\s/g, "")).toBe("acat");
    expect(words.flatMap(({ tokens }) => tokens)).toEqual([...Array(12).keys()]);
  });

  it("of WordPiece go on where tokens say so", () => {
    const marks = { suffix: "", continuing: "##", bytes: false };
    const pieces = ["[CLS]", "un", "##like", "##ly", "cat", "[SEP]"];
    const kinds = ["start", "word", "word", "word", "word", "end"] as const;
    const words = groupWords(pieces, kinds, marks);
    expect(texts(words)).toEqual(["[CLS]", "unlikely", "cat", "[SEP]"]);
    expect(words[1].tokens).toEqual([1, 2, 3]);
  });
});
