import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What a page sees: every declaration is checked, and there are no types of Node's. */
const OPTIONS = {
  ...{ target: "ES2023", lib: ["ES2023", "DOM"], module: "ESNext", moduleResolution: "bundler" },
  ...{ strict: true, types: [], skipLibCheck: false, noEmit: true },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "browser-types-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(ROOT, join(folder, "node_modules/clip-interpret"), "junction");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the compiler says to a project of one file. */
async function compiled(code: string): Promise<string> {
  await writeFile(join(folder, "page.ts"), code);
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions: OPTIONS, files: ["page.ts"] }),
  );
  const tsc = join(ROOT, "node_modules/@typescript/native/bin/tsc");
  const run = promisify(execFile)(process.execPath, [tsc, "-p", folder]);
  return run.then(
    () => "",
    ({ stdout }: { stdout: string }) => stdout,
  );
}

it("a project for browsers without types of Node's takes the package's types as they are", async () => {
  const code = `import { explainImage, openWebIndex, openWebModel, type WebRuntime } from "clip-interpret/browser";
export const model = (runtime: WebRuntime) => openWebModel("models/emoji", { runtime });
export const used = { explainImage, openWebIndex };
`;
  expect(await compiled(code)).toBe("");
  // The same project hears of what is wrong.
  expect(await compiled(code.replace('"models/emoji"', "7"))).toContain("TS2345");
  expect(await compiled(`${code}export type Bytes = Buffer;\n`)).toContain("TS2591");
});
