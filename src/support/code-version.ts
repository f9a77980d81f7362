import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { once } from "./shared.ts";

/** Layers whose modules compute; those above draw and print. */
const COMPUTING = [
  ...["support", "math", "image", "text", "checkpoint", "onnx", "hub", "model", "world", "corpus"],
  ...["labels", "results", "analysis", "labeling", "study", "referee"],
];

/**
 * SHA-256 (hex) of the modules that compute, as they are run: what numbers that are kept follow from besides their inputs.
 * Sources and compiled files have different ones.
 */
export const codeVersion: () => Promise<string> = once(async () => {
  // src/support/ and dist/support/ are equally deep, so this holds before and after the build.
  const root = fileURLToPath(new URL("../", import.meta.url));
  const hash = createHash("sha256");
  for (const layer of COMPUTING) {
    const entries = await readdir(join(root, layer), { recursive: true, withFileTypes: true });
    const modules = entries
      .filter((entry) => entry.isFile() && /(?<!\.test|\.fixture|\.d)\.[jt]s$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    for (const path of modules) {
      hash.update(`${relative(root, path).split(sep).join("/")}\n`);
      hash.update(await readFile(path));
    }
  }
  return hash.digest("hex");
});
