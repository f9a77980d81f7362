/**
 * docs/index-format.md: the table that `index --export parquet` writes, opened as it is by programs of others, with the page's own
 * lines. `PYTHON` is a Python that has them: `pip install duckdb lancedb datasets pillow qdrant-client embedding-atlas`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { readIndex } from "../../src/corpus/open-index.ts";
import { dot } from "../../src/math/linear.ts";
import { launch } from "../../web/test/browser.ts";
import { repositoryPath, runOk, sharedFolder } from "../e2e/cli.ts";
import { freePorts } from "../support/nginx.ts";
import { shellWords } from "../support/shell-words.ts";

const python = process.env.PYTHON ?? "python3";
const has = (module: string) => spawnSync(python, ["-c", `import ${module}`]).status === 0;
const page = readFileSync(repositoryPath("docs/index-format.md"), "utf8");
/** The code of the page that follows a heading in bold letters. */
const recipe = (heading: string) =>
  page
    .split(`**${heading}**`)[1]
    .split("```")[1]
    .replace(/^\w+\n/, "");

const path = sharedFolder();
const run = (code: string) =>
  JSON.parse(execFileSync(python, ["-c", code], { cwd: path("scenes.index/export"), encoding: "utf8" }));
/** A program whose last line is a value, which it prints. */
const printing = (code: string, what: (last: string) => string) => {
  const lines = code.trimEnd().split("\n");
  return [...lines.slice(0, -1), `import json; print(json.dumps(${what(lines.at(-1)!)}))`].join("\n");
};
/** The images by how near they are to the first: by all vectors, and by the head's. */
let nearest: string[];
let rows: Awaited<ReturnType<typeof readIndex>>["images"];

beforeAll(async () => {
  const index = path("scenes.index");
  await runOk(["index", repositoryPath("examples/scenes"), "--out", index]);
  const line = shellWords(/^clip-interpret (index --out \S+ --export parquet .*)$/m.exec(page)![1]);
  await runOk([...line.map((word) => (word === "photos.index" ? index : word)), "--quiet"]);
  const read = await readIndex(index);
  rows = read.images;
  const { embedDim } = read.manifest;
  const all = await read.embeddings();
  const of = (row: number) => all.subarray(row * embedDim, (row + 1) * embedDim);
  const scores = rows.map((_, row) => dot(of(0), of(row)));
  nearest = rows
    .map((_, row) => row)
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, 8)
    .map((row) => rows[row].path);
});

/** Runs where a program is installed; where not it says so. */
const withModule = (module: string, name: string, test: () => unknown) =>
  describe.skipIf(!has(module))(name, () => void it("opens the table as the page says", test, 300_000));

withModule("duckdb", "DuckDB", () => {
  const found = run(
    `import duckdb, json; print(json.dumps(duckdb.sql("""${recipe("DuckDB")}""").fetchall()))`,
  );
  expect(found.map(([one]: [string]) => one)).toEqual(nearest);
  expect(found[0][1]).toBeCloseTo(1, 5);
});

withModule("lancedb", "LanceDB", () => {
  const found = run(printing(recipe("LanceDB"), (last) => `(${last})["path"].to_pylist()`));
  expect(found).toEqual(nearest);
});

withModule("datasets", "Hugging Face datasets", () => {
  const line = /\*\*Hugging Face datasets\*\*.*?`(load_dataset\(.*?)`/s.exec(page)![1];
  const [size, label, width] = run(
    `import json; from datasets import load_dataset\nrow = ${line.replace('["image"]', "")}\nprint(json.dumps([row["image"].size, row["label"], len(row["embedding"])]))`,
  );
  expect([Math.max(...size), label, width]).toEqual([128, rows[0].label, 128]);
});

withModule("qdrant_client", "Qdrant", () => {
  const found = run(
    printing(recipe("Qdrant"), (last) => `[point.payload["path"] for point in ${last}]`),
  ) as string[];
  expect(found).toHaveLength(8);
  expect(rows.map((row) => row.path)).toEqual(expect.arrayContaining(found));
});

withModule("embedding_atlas", "Embedding Atlas", async () => {
  const line = /\*\*Embedding Atlas\*\*.*?`(embedding-atlas .*?)`/s.exec(page)![1];
  const [, ...words] = shellWords(line);
  const [port] = await freePorts(1);
  const how = { cwd: path("scenes.index/export"), stdio: ["ignore", "pipe", "pipe"] as const };
  const program = ["-m", "embedding_atlas.cli", ...words, "--port", `${port}`, "--no-auto-port"];
  const atlas: ChildProcess = spawn(python, program, { ...how, stdio: [...how.stdio] });
  let said = "";
  for (const stream of [atlas.stdout!, atlas.stderr!]) stream.on("data", (data) => (said += data));
  try {
    const at = `http://127.0.0.1:${port}`;
    const asked = async () => {
      const answer = await fetch(`${at}/data/metadata.json`).catch(() => undefined);
      return answer?.ok ? answer.text() : undefined;
    };
    let described = await asked();
    for (; described === undefined; described = await asked()) {
      if (atlas.exitCode !== null) throw new Error(said);
      await sleep(200);
    }
    const { props } = JSON.parse(described);
    expect(JSON.stringify(props)).toMatch(/"L3_H1_x".*"L3_H1_y"/);
    const browser = await launch();
    try {
      const tab = await browser.newPage();
      const errors: string[] = [];
      tab.on("pageerror", (error) => errors.push(error.message));
      await tab.goto(at);
      // Its table shows what is in ours: labels and names.
      await tab.getByText(rows[0].path).first().waitFor({ timeout: 120_000 });
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
    }
  } finally {
    atlas.kill("SIGKILL");
  }
});
