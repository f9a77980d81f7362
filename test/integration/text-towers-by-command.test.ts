import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { everyKind } from "../support/every-kind.ts";
import { goldenPath } from "../support/goldens.ts";
import { runHere } from "../support/run-cli.ts";
import { readRawTensors, writeSafetensors } from "../support/safetensors.ts";
import { copyTokenizer } from "../support/tokenizers.ts";

/*
 * What people do with texts, by command, with every kind of text tower that is not OpenAI's.
 */

const SCENES = fileURLToPath(new URL("../../examples/scenes/", import.meta.url));
const EMOJI = fileURLToPath(new URL("../../models/emoji-4x128-p8/tokenizer.json", import.meta.url));

interface Tower {
  readonly tower: string;
  /** A folder of `kinds`. */
  readonly kind: string;
  /** Its tokenizer. */
  readonly tokenizer: string;
  /** What stands before and behind every text. */
  readonly around: readonly [before: number | null, behind: number];
  /** Words that its tokenizer has more. */
  readonly added?: readonly string[];
  /** The table of tokens and the config's number of them, where the golden has fewer than the tokenizer. */
  readonly grown?: { readonly table: string; readonly to: number };
}
const small = (name: string) => goldenPath(`tokenizer/${name}/tokenizer.json`);
const words = "text.transformer.embeddings.word_embeddings.weight";
const TOWERS: readonly Tower[] = [
  { tower: "BERT", kind: "bert", around: [2, 3], tokenizer: small("bert") },
  {
    tower: "RoBERTa",
    kind: "roberta",
    around: [0, 2],
    tokenizer: small("roberta"),
    grown: { table: words, to: 341 },
  },
  { tower: "XLM-RoBERTa", kind: "roberta", around: [0, 2], tokenizer: small("metaclip2") },
  { tower: "NLLB", kind: "nllb", around: [57, 2], tokenizer: small("metaclip2"), added: ["eng_Latn"] },
  { tower: "mT5", kind: "mt5", around: [null, 1], tokenizer: small("siglip") },
  { tower: "Chinese-CLIP", kind: "chinese-clip", around: [2, 3], tokenizer: small("bert") },
  { tower: "AltCLIP", kind: "altclip", around: [0, 2], tokenizer: small("metaclip2") },
  {
    tower: "CoCa",
    kind: "coca",
    around: [1905, 1906],
    tokenizer: EMOJI,
    grown: { table: "text.token_embedding.weight", to: 1907 },
  },
];

const POOL = ["a dog", "two cats", "snow", "the rain"];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "text-towers-"));
  cpSync(join(SCENES, "images"), join(folder, "images"), { recursive: true });
  const rows = readFileSync(join(SCENES, "scenes.jsonl"), "utf8").trim().split("\n").slice(0, 6);
  const listed = rows.map((row) => JSON.parse(row));
  writeFileSync(
    join(folder, "list.jsonl"),
    listed.map(({ path, factors }) => JSON.stringify({ path, factors })).join("\n"),
  );
  const pool = POOL.map((text, i) => JSON.stringify({ text, property: i < 2 ? "animal" : "weather" }));
  writeFileSync(join(folder, "pool.jsonl"), pool.join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder with a tower's model, as small as the golden's but for its tokens. */
function modelOf({ tower, kind, tokenizer, added = [], grown }: Tower): string {
  const model = join(folder, tower);
  cpSync(goldenPath(`kinds/${kind}`), model, { recursive: true });
  copyTokenizer(tokenizer, join(model, "tokenizer.json"), added);
  if (grown) {
    const weights = join(model, "open_clip_model.safetensors");
    const tensors = readRawTensors(weights);
    const { dtype, shape, bytes } = tensors.get(grown.table)!;
    const row = bytes.length / shape[0];
    const rows = Array.from({ length: grown.to }, (_, i) =>
      bytes.subarray((i % shape[0]) * row, ((i % shape[0]) + 1) * row),
    );
    tensors.set(grown.table, { dtype, shape: [grown.to, shape[1]], bytes: Buffer.concat(rows) });
    writeSafetensors(weights, tensors);
    const path = join(model, "open_clip_config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    const { text_cfg: text } = config.model_cfg;
    if (text.hf_tower) text.hf_tower.vocabSize = grown.to;
    else text.vocab_size = grown.to;
    writeFileSync(path, JSON.stringify(config));
  }
  return model;
}

const QUICK = ["RoBERTa", "NLLB", "CoCa"];

describe.each(everyKind(TOWERS, ({ tower }) => QUICK.includes(tower)))(
  "by command, texts of a model whose text tower is $tower",
  (tower) => {
    let model: string;
    let index: readonly string[];
    /** Runs a command that must do; what it prints as JSON. */
    const json = async (...args: string[]) => {
      const { code, stdout, stderr } = await runHere("--quiet", "--json", ...args);
      expect(`${code} ${code === 0 ? "" : stderr}`).toBe("0 ");
      return JSON.parse(stdout);
    };

    beforeAll(async () => {
      model = modelOf(tower);
      index = ["--index", join(folder, `${tower.tower}.index`)];
      await json("index", join(folder, "list.jsonl"), "--out", index[1], "--mlps", "--model", model);
    });

    it("have their family's tokens around them", async () => {
      const texts = join(folder, "texts.json");
      writeFileSync(texts, JSON.stringify(["a dog", "rain"]));
      const { ids } = await json("tokenize", "--texts", texts, "--model", model);
      const [before, behind] = tower.around;
      for (const row of ids) {
        expect(row.at(-1)).toBe(behind);
        if (before !== null) expect(row[0]).toBe(before);
        expect(row.length).toBeGreaterThan(before === null ? 1 : 2);
      }
      expect(ids[0]).not.toEqual(ids[1]);
    });

    it("are scored, mapped and searched, and all parts of a score add up", async () => {
      const image = join(folder, "images/0000-mobile-phone.png");
      const { texts } = await json(
        "explain",
        image,
        "--text",
        "a dog",
        "--text",
        "the rain",
        "--model",
        model,
      );
      expect(texts).toHaveLength(2);
      expect(texts[0].similarity).not.toBeCloseTo(texts[1].similarity, 4);
      for (const { heads, mlps, similarity } of texts) {
        const sum = [...heads, ...mlps].reduce((total, { value }) => total + value, 0);
        expect(sum).toBeCloseTo(similarity, 5);
      }
      const all = ["--text", "a dog", "--heads", "all", "--model", model];
      const segmented = await json("segment", image, ...all);
      const { cls, patches, score } = segmented.texts[0];
      expect(patches + cls).toBeCloseTo(score, 6);
      const found = await json("neighbors", ...index, "--text", "a dog", "--heads", "all,mlps", "-k", "6");
      const own = found.neighbors.find(({ path }: { path: string }) => path.includes("0000-mobile-phone"));
      expect(own.score).toBeCloseTo(texts[0].similarity, 3);
    });

    it("describe and label heads, and name pictures", async () => {
      const pool = [...index, "--texts", join(folder, "pool.jsonl"), "--heads", "all"];
      const { heads } = await json("textspan", ...pool, "--iterations", "2", "--resamples", "0");
      expect(heads).toHaveLength(4);
      for (const { descriptions } of heads) {
        const chosen = descriptions.map(({ text }: { text: string }) => text);
        expect(new Set(chosen).size).toBe(2);
        expect(POOL).toEqual(expect.arrayContaining(chosen));
      }
      const labelled = await json("label", ...pool);
      expect(labelled.heads).toHaveLength(4);
      const { rows } = await json(
        "evaluate",
        "zero-shot",
        ...index,
        "--factor",
        "style",
        "--ablate",
        "L1.H0",
      );
      expect(rows.length).toBeGreaterThan(1);
    });
  },
);
