import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryPath } from "../e2e/cli.ts";
import { runHere } from "../support/run-cli.ts";

/*
 * Files that a user names, holding what they should not. Whatever is in them, the answer is one line with a code that names
 * the file and, where it can, the field.
 */

const MODEL = "emoji-4x128-p16";
let folder: string;
let index: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostile-"));
  index = join(folder, "an.index");
  const made = await runHere("index", repositoryPath("examples/scenes"), "--out", index, "--model", MODEL);
  expect(made.code).toBe(0);
  await cp(repositoryPath(`models/${MODEL}`), join(folder, "model"), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

const deep = `${"[".repeat(2000)}${"]".repeat(2000)}`;
const HOSTILE: Record<string, string> = {
  nothing: "",
  "a null": "null",
  "an empty list": "[]",
  "lists in lists": deep,
  "other fields": '{"heads": {"L0.H0": 5}, "classes": [{"name": 5}], "model": 7, "text": [], "path": {}}',
  "lists of wrong things": '[{"text": 5, "name": null, "path": 1}, 7, null]',
  "a name as long as a book": JSON.stringify({ ["L".repeat(200_000)]: [1] }),
  "commands for the terminal": '{"\\u001b[2J\\u0007": {"\\u001b]0;x": 1}}',
};

type Use = readonly [what: string, file: string, words: (path: string) => readonly string[]];
const zeroShot = (path: string) => [
  "evaluate",
  "zero-shot",
  "--index",
  index,
  "--classes",
  path,
  "--random",
  "1",
];
const USES: readonly Use[] = [
  [
    "labels",
    "labels.json",
    (path) => ["neighbors", "--index", index, "--heads", "x", "--text", "x", "--labels", path],
  ],
  ["labels to measure", "labels.json", (path) => ["metrics", "--labels", path]],
  ["labels by hand", "labels.json", (path) => ["label", "--labeller", "manual", "--labels", path]],
  ["labels to serve", "labels.json", (path) => ["serve", "--port", "0", "--labels", path]],
  ["descriptions", "described.json", (path) => ["label", "--textspan", path]],
  ["classes", "classes.json", zeroShot],
  ["classes", "classes.jsonl", zeroShot],
  [
    "classes of masks",
    "classes.json",
    (path) => ["evaluate", "segmentation", "--images", ".", "--masks", ".", "--classes", path],
  ],
  ["a pool", "pool.jsonl", (path) => ["textspan", "--index", index, "--texts", path]],
  ["a pool", "pool.csv", (path) => ["textspan", "--index", index, "--texts", path]],
  ["a list", "list.jsonl", (path) => ["index", path, "--out", join(folder, "new.index")]],
  ["a list", "list.csv", (path) => ["index", path, "--out", join(folder, "new.index")]],
];

/** One line, short, with a code, and no rest of a schema's own report. */
function expectReadable({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): void {
  expect(stdout).toBe("");
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^(warning [A-Z_]+: [^\n]+\n)*error [A-Z_]+: [^\n]+\n$/),
  ]);
  expect(stderr).not.toMatch(/✖|"code":|"path":|\[object|ZodError|INTERNAL|\p{Cc}(?<!\n)/u);
  expect(stderr.length).toBeLessThan(1000);
}

describe.each(USES)("%s in %s", (_, file, words) => {
  it.each(Object.keys(HOSTILE))("that hold %s are refused on one line, with their name", async (what) => {
    const path = join(folder, file);
    await writeFile(path, HOSTILE[what]);
    const found = await runHere(...words(path));
    expectReadable(found);
    expect(found.stderr).toContain(file);
  });
});

describe.each([
  ["open_clip_config.json", "model", () => ["explain", "--model", join(folder, "model")]],
  ["tokenizer.json", "model", () => ["explain", "--model", join(folder, "model")]],
  ["manifest.json", "an.index", () => ["similar", "--index", index, "--head", "L0.H0"]],
] as const)("%s", (file, place, words) => {
  it.each(Object.keys(HOSTILE))("that holds %s is refused on one line", async (what) => {
    const path = join(folder, place, file);
    const kept = join(folder, "kept");
    await cp(path, kept);
    try {
      await writeFile(path, HOSTILE[what]);
      expectReadable(await runHere(...words()));
    } finally {
      await cp(kept, path);
    }
  });
});
