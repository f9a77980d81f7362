/**
 * Puts what the notebook package shows into it, from dist/page: the view's script, the runtime, the default model and licences.
 * `npm run build:python` builds the page first; `pip wheel python/` then makes the wheel.
 */
import { cp, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_MODEL } from "../src/model/embedded.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const STATIC = join(ROOT, "python/clip_interpret/static");

await rm(STATIC, { recursive: true, force: true });
for (const path of ["view.js", "licenses.md", "runtime.wasm.gz", `models/${DEFAULT_MODEL}`]) {
  await mkdir(dirname(join(STATIC, path)), { recursive: true });
  await cp(join(ROOT, "dist/page", path), join(STATIC, path), { recursive: true });
}
