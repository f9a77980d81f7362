/**
 * Checks what would be published, as it lies in `dist/`: that every entry and its types are found by whoever imports the
 * package as an ES module (publint, Are The Types Wrong), and that ONNX Runtime is there for every platform. Nothing is
 * packed or fetched.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, Package } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { PLATFORMS } from "../src/onnx/platforms.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Ways of resolving that find no ES module, or no entry but the root. */
const NOT_ESM = ["node10", "node16-cjs"];

const manifest = await readFile(join(ROOT, "package.json"), "utf8");
const { name, version } = JSON.parse(manifest);

const { messages, pkg } = await publint({ pkgDir: ROOT, pack: false, strict: true });
const found = messages.map(
  (message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`,
);

const files: Record<string, string> = { [`/node_modules/${name}/package.json`]: manifest };
for (const path of await readdir(join(ROOT, "dist"), { recursive: true })) {
  if (!/\.(js|d\.ts)$/.test(path) || /^(web|onnxruntime)/.test(path)) continue;
  files[`/node_modules/${name}/dist/${path}`] = await readFile(join(ROOT, "dist", path), "utf8");
}
const analysis = await checkPackage(new Package(files, name, version));
if (!analysis.types) found.push("attw: the package has no types");
else
  for (const problem of analysis.problems) {
    if ("resolutionKind" in problem && NOT_ESM.includes(problem.resolutionKind)) continue;
    found.push(`attw: ${JSON.stringify(problem)}`);
  }

/** Most megabytes of ONNX Runtime on each platform, as docs/dependencies.md says. */
const MOST_OF: Readonly<Record<string, number>> = {
  ...{ "linux-x64": 47, "linux-arm64": 27, "darwin-arm64": 46, "win32-x64": 69, "win32-arm64": 74 },
};
const LIBRARIES = join(ROOT, "dist/onnxruntime/bin/napi-v6");
for (const platform of Object.keys(PLATFORMS)) {
  const folder = join(LIBRARIES, platform.replace("-", "/"));
  const files = await readdir(folder).catch(() => []);
  for (const wanted of [/^(lib)?onnxruntime\.(so\.1|1\.dylib|dll)$/, /^onnxruntime_binding\.node$/]) {
    if (!files.some((file) => wanted.test(file)))
      found.push(`dist/onnxruntime has no ${wanted.source} for ${platform}`);
  }
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size));
  const megabytes = sizes.reduce((sum, size) => sum + size, 0) / 1e6;
  if (!(megabytes <= MOST_OF[platform]))
    found.push(`ONNX Runtime for ${platform} has ${megabytes.toFixed(1)} MB, more than ${MOST_OF[platform]}`);
}
for (const os of await readdir(LIBRARIES).catch(() => []))
  for (const cpu of await readdir(join(LIBRARIES, os)))
    if (!(`${os}-${cpu}` in PLATFORMS))
      found.push(`src/onnx/platforms.ts does not say what ONNX Runtime needs on ${os}-${cpu}`);

/** Most megabytes of each part of the package, as docs/dependencies.md says; what is named here and what is packed are the same. */
const MOST: Readonly<Record<string, number>> = {
  "dist/onnxruntime": 260,
  dist: 10,
  assets: 5,
  docs: 6,
  models: 46,
  examples: 1,
  deploy: 0.1,
};
/** And of each file that is named by itself. */
const MOST_OF_A_FILE = 0.1;
const parts = Object.keys(MOST);
const packed = JSON.parse(manifest).files as string[];
const left = packed.filter((name) => name.startsWith("!")).map((name) => `${name.slice(1)}/`);
for (const name of packed.filter((name) => !name.startsWith("!") && !parts.includes(name))) {
  const entry = await stat(join(ROOT, name));
  if (!entry.isFile()) found.push(`scripts/check-package.ts has no bound for ${name}`);
  else if (entry.size > MOST_OF_A_FILE * 1e6) found.push(`${name} has more than ${MOST_OF_A_FILE} MB`);
}
const bytes = new Map(parts.map((part) => [part, 0]));
for (const folder of parts.filter((part) => !parts.some((other) => part.startsWith(`${other}/`)))) {
  for (const name of await readdir(join(ROOT, folder), { recursive: true })) {
    const path = `${folder}/${name}`;
    if (left.some((out) => `${path}/`.startsWith(out))) continue;
    const entry = await stat(join(ROOT, path));
    if (!entry.isFile()) continue;
    if (path.endsWith(".map")) found.push(`${path} leads to sources that the package does not hold`);
    const part = parts.find((one) => path.startsWith(`${one}/`)) ?? folder;
    bytes.set(part, bytes.get(part)! + entry.size);
  }
}
for (const [part, size] of bytes)
  if (size > MOST[part] * 1e6)
    found.push(`${part} has ${(size / 1e6).toFixed(1)} MB, more than the ${MOST[part]} that it may have`);

for (const line of found) console.error(line);
if (found.length > 0) process.exit(1);
console.log(`${name} ${version}: publint and attw find nothing wrong`);
