import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryPath } from "../e2e/cli.ts";

const LIBRARIES = "dist/onnxruntime/bin/napi-v6";

/**
 * Packs what `npm pack` would, from `dist/`, less ONNX Runtime's libraries for other platforms and uncompressed, which npm
 * reads as well: to compress takes longer than the rest of a test. Returns the tarball's path.
 */
export async function packForHere(folder: string): Promise<string> {
  const { files } = JSON.parse(await readFile(repositoryPath("package.json"), "utf8"));
  const tarball = join(folder, "clip-interpret.tar");
  const others: string[] = [];
  for (const platform of await readdir(repositoryPath(LIBRARIES))) {
    for (const arch of await readdir(repositoryPath(`${LIBRARIES}/${platform}`))) {
      if (platform !== process.platform || arch !== process.arch) others.push(`${platform}/${arch}`);
    }
  }
  await promisify(execFile)("tar", [
    ...["-C", repositoryPath(""), "--transform", "s,^,package/,", "-cf", tarball],
    ...others.map((other) => `--exclude=${LIBRARIES}/${other}`),
    ...files
      .filter((name: string) => name.startsWith("!"))
      .map((name: string) => `--exclude=${name.slice(1)}`),
    ...["package.json", "README.md", "LICENSE", ...files.filter((name: string) => !name.startsWith("!"))],
  ]);
  return tarball;
}
