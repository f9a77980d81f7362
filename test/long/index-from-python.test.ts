import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { buildIndex, openModel } from "../../src/index.ts";

/* The example that reads an index with NumPy alone, run; `PYTHON` is a Python that has it. */

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const python = process.env.PYTHON ?? "python3";
const skip = spawnSync(python, ["-c", "import numpy"]).status !== 0;
if (skip) console.warn("skipped: no NumPy. `python3 -m pip install numpy`, or set PYTHON to one that has it");

it.skipIf(skip)("index_from_python.py prints what is committed, from a fresh index", async () => {
  const folder = await mkdtemp(join(tmpdir(), "from-python-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const index = join(folder, "scenes.index");
  const model = await openModel();
  await buildIndex(model, join(EXAMPLES, "scenes"), index);
  await model.release();
  const said = execFileSync(python, [join(EXAMPLES, "index_from_python.py"), index], { encoding: "utf8" });
  expect(said).toBe(await readFile(join(EXAMPLES, "index_from_python.txt"), "utf8"));
});
