/**
 * Packs what is published, into `out/release` (`npm run pack:platforms [linux-x64 …]`) or the folder `--out`: ONNX Runtime as a
 * package for each platform, of which npm installs the one that fits, and this package without it. Built before; nothing is
 * published. (`npm pack` makes one package with all platforms, for whoever installs from a file.)
 */
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const RUNTIME = join(ROOT, "dist/onnxruntime");
const LIBRARIES = "bin/napi-v6";

const { values, positionals: wanted } = parseArgs({
  options: { out: { type: "string", default: join(ROOT, "out/release") } },
  allowPositionals: true,
});
const OUT = resolve(values.out);

const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
const { name, version, license, engines, dependencies } = manifest;
const work = await mkdtemp(join(tmpdir(), "pack-"));

/** Packs a folder as it is. */
async function pack(folder: string, packed: object): Promise<void> {
  await writeFile(join(folder, "package.json"), `${JSON.stringify(packed, null, 2)}\n`);
  const options = ["--ignore-scripts", "--silent", "--pack-destination", OUT];
  execFileSync("npm", ["pack", ...options, folder], { shell: process.platform === "win32" });
}

/** ONNX Runtime for one platform. */
async function packRuntime(os: string, cpu: string): Promise<string> {
  const [folder, libraries] = [join(work, `${os}-${cpu}`), join(LIBRARIES, os, cpu)];
  await cp(join(RUNTIME, "dist"), join(folder, "dist"), { recursive: true });
  await cp(join(RUNTIME, "LICENSE"), join(folder, "LICENSE"));
  await cp(join(RUNTIME, libraries), join(folder, libraries), { recursive: true });
  const own = `${name}-onnxruntime-${os}-${cpu}`;
  await pack(folder, {
    ...{ name: own, version, description: `ONNX Runtime for ${name} on ${os} ${cpu}`, license, engines },
    ...{ os: [os], cpu: [cpu], ...(os === "linux" && { libc: ["glibc"] }) },
    ...{ type: "commonjs", main: "dist/index.js" },
    dependencies: { "onnxruntime-common": dependencies["onnxruntime-common"] },
  });
  return own;
}

await mkdir(OUT, { recursive: true });
const optional: Record<string, string> = {};
for (const os of await readdir(join(RUNTIME, LIBRARIES)))
  for (const cpu of await readdir(join(RUNTIME, LIBRARIES, os)))
    if (wanted.length === 0 || wanted.includes(`${os}-${cpu}`))
      optional[await packRuntime(os, cpu)] = version;

const left = manifest.files.filter((path: string) => path.startsWith("!"));
const folder = join(work, name);
for (const path of [...manifest.files, "README.md", "LICENSE"])
  if (!path.startsWith("!"))
    await cp(join(ROOT, path), join(folder, path), {
      recursive: true,
      filter: (from) => from !== RUNTIME && !left.some((out: string) => from === join(ROOT, out.slice(1))),
    });
const { devDependencies: _, scripts: __, ...published } = manifest;
await pack(folder, { ...published, optionalDependencies: optional });
await rm(work, { recursive: true, force: true });
console.log((await readdir(OUT)).filter((file) => file.endsWith(`-${version}.tgz`)).join("\n"));
