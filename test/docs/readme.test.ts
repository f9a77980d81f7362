/** The README's first block of commands runs from top to bottom as it is printed. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runHere } from "../support/run-cli.ts";
import { shellWords } from "../support/shell-words.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const readme = await readFile(join(ROOT, "README.md"), "utf8");
const [, block] = /^## Use\n[^`]*(?:`[^`\n]+`[^`]*)*?```sh\n([^`]*)```/m.exec(readme) ?? [];
const lines = block.trim().split("\n");

const home = process.cwd();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "clip-interpret-readme-"));
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(home);
  await rm(folder, { recursive: true });
});

it("has the commands of every analysis", () => {
  expect(lines.length).toBeGreaterThan(15);
});

// In order, each with what those before it wrote.
it.each(lines)("%s", async (line) => {
  const [program, ...args] = shellWords(line);
  expect(program).toBe("clip-interpret");
  const { code, stderr } = await runHere(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});
