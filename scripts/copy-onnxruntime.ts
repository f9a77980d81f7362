/**
 * Puts ONNX Runtime into `dist/onnxruntime`, for the package to carry: what `onnxruntime-node` runs on every platform, and
 * neither its install script nor what only that script needs. The files are links to those in `node_modules`.
 */
import { copyFile, link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FROM = join(ROOT, "node_modules/onnxruntime-node");
const TO = join(ROOT, "dist/onnxruntime");

/** The same library a second time; nothing names it. */
const isTwin = (path: string) => /libonnxruntime\.\d+\.\d+\.\d+\.dylib$/.test(path);

await rm(TO, { recursive: true, force: true });
for (const folder of ["bin", "dist"]) {
  for (const path of await readdir(join(FROM, folder), { recursive: true, withFileTypes: true })) {
    const from = join(path.parentPath, path.name);
    if (!path.isFile() || isTwin(from) || /\.(map|d\.ts)$|_providers_/.test(from)) continue;
    const to = join(TO, from.slice(FROM.length));
    await mkdir(dirname(to), { recursive: true });
    await link(from, to).catch(() => copyFile(from, to));
  }
}
const { name, version, license, repository, main } = JSON.parse(
  await readFile(join(FROM, "package.json"), "utf8"),
);
const manifest = { name, version, license, repository, type: "commonjs", main };
await writeFile(join(TO, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await copyFile(join(ROOT, "assets/licenses/onnxruntime.txt"), join(TO, "LICENSE"));
