import { readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { tokenizeResultSchema } from "../../src/results/tokenize.ts";
import { goldenPath } from "../support/goldens.ts";
import { expectError, jsonLines, repositoryPath, runCli, runOk, testFolder } from "./cli.ts";

const expected: { text: string; ids: number[] }[] = JSON.parse(
  readFileSync(goldenPath("tokenizer/expected.json"), "utf8"),
);

/** Writes a JSON file and returns its path. */
async function jsonFile(folder: string, content: unknown): Promise<string> {
  const path = join(folder, "texts.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("tokenize", () => {
  it("gives the reference's ids for every golden text", async () => {
    const folder = await testFolder();
    const model = join(folder, "model");
    await cp(goldenPath("gelu-p8/open_clip"), model, { recursive: true });
    await cp(goldenPath("tokenizer/tokenizer.json"), join(model, "tokenizer.json"));
    const texts = await jsonFile(
      folder,
      expected.map(({ text }) => text),
    );
    const { code, stdout, stderr } = await runCli(["tokenize", "--texts", texts, "--model", model]);
    expect(code).toBe(0);
    const { ids, tokenizer } = tokenizeResultSchema.parse(JSON.parse(stdout));
    expect(tokenizer.model).toBe("model");
    // Of what it holds and not of its file: the same tokenizer as vocab.json and merges.txt has the same hash.
    expect(tokenizer.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(ids.length).toBe(140);
    expect(expected.map(({ text }, i) => ({ text, ids: ids[i] }))).toEqual(expected);
    // Only the texts that fill the context can have lost something, and each is warned of on a line of its own.
    const full = expected.filter(({ ids }) => ids.length === 77).length;
    const warnings = stderr.split("\n").filter((line) => line !== "");
    expect(warnings.length).toBeLessThanOrEqual(full);
    for (const line of warnings) expect(line).toMatch(/^warning TEXT_TRUNCATED: /);
  });

  it("starts and ends every text as the embedded model was trained", async () => {
    const config = JSON.parse(
      readFileSync(repositoryPath(`models/${DEFAULT_MODEL}/open_clip_config.json`), "utf8"),
    ) as { model_cfg: { text_cfg: { context_length: number; vocab_size: number } } };
    const { context_length: context, vocab_size: vocabulary } = config.model_cfg.text_cfg;
    const texts = ["a whale", "", "日本語 🐋 \u0000", "<|endoftext|>", "a whale ".repeat(5000)];
    const file = await jsonFile(await testFolder(), texts);
    const { code, stdout, stderr } = await runCli(["tokenize", "--texts", file, "--json"]);
    expect(code).toBe(0);
    const { ids } = tokenizeResultSchema.parse(JSON.parse(stdout));
    expect(ids.length).toBe(texts.length);
    const [start, end] = ids[1];
    expect(ids[1]).toEqual([start, vocabulary - 1]);
    for (const row of ids) {
      expect(row[0]).toBe(start);
      expect(row.indexOf(end)).toBe(row.length - 1);
      expect(row.length).toBeLessThanOrEqual(context);
    }
    expect(ids[0].length).toBeGreaterThan(3);
    expect(ids[4].length).toBe(context);
    expect(jsonLines(stderr)).toMatchObject([{ warning: { code: "TEXT_TRUNCATED" } }]);
  });

  it.each([
    ["an object", { texts: ["a"] }],
    ["a list of numbers", [1, 2]],
    ["not JSON", "a whale\nanother"],
  ])("refuses a file that is %s", async (_what, content) => {
    const file = await jsonFile(await testFolder(), content);
    expectError(await runCli(["tokenize", "--texts", file]), "JSON_INVALID");
  });

  it("prints the same with and without --json", async () => {
    const file = await jsonFile(await testFolder(), ["a red whale"]);
    expect(await runOk(["tokenize", "--texts", file])).toBe(
      await runOk(["--json", "tokenize", "--texts", file]),
    );
  });
});
