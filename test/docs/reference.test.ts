/** Pages that are written from the program are what it says today; other pages name only what there is. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { expect, it, onTestFinished } from "vitest";
import { apiDocument } from "../../scripts/api-document.ts";
import { commandPage } from "../../scripts/command-page.ts";
import { httpPage } from "../../scripts/http-page.ts";
import { createProgram } from "../../src/cli/program.ts";
import { shellWords } from "../support/shell-words.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const under = async (folder: string) =>
  (await readdir(join(ROOT, folder), { recursive: folder !== "" }))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
const paths = (await Promise.all(["", "docs", "models", "examples"].map(under))).flat().sort();
const pages = new Map(
  await Promise.all(paths.map(async (path) => [path, await readFile(join(ROOT, path), "utf8")] as const)),
);
const program = await createProgram(() => async () => {});

it("docs/commands.md lists every command (`npm run docs:commands` writes it)", () => {
  expect(pages.get("docs/commands.md")).toBe(commandPage(program));
});

it("docs/http.md lists every route (`npm run docs:http` writes it)", async () => {
  expect(pages.get("docs/http.md")).toBe(httpPage(await apiDocument()));
});

/** What cells of the notebook hand to a shell, as a block of a page. */
const notebook = JSON.parse(await readFile(join(ROOT, "examples/notebook.ipynb"), "utf8")) as {
  nbformat: number;
  cells: { cell_type: string; source: string[] }[];
};
const shellOf = (source: readonly string[]) =>
  source.flatMap((line) => (line.startsWith("!") ? [line.slice(1).replace(/ > .*/, "")] : []));
const cells = notebook.cells.map(({ source }) => `\`\`\`sh\n${shellOf(source).join("\n")}\n\`\`\``);
pages.set("examples/notebook.ipynb", cells.join("\n"));

it("the notebook has cells of text and of code, without outputs that grow old", () => {
  expect(notebook.nbformat).toBe(4);
  for (const cell of notebook.cells) {
    expect(["markdown", "code"]).toContain(cell.cell_type);
    if (cell.cell_type === "code") expect(cell).toMatchObject({ execution_count: null, outputs: [] });
  }
});

/** Lines of fenced blocks that call the program, as one line where `\` goes on. */
const calls = [...pages].flatMap(([path, text]) =>
  [...text.matchAll(/^ *```(?:sh|bash|console)\n([\s\S]*?)^ *```/gm)]
    .flatMap(([, block]) => block.replaceAll(/\\\n\s*/g, "").split("\n"))
    .map((line) =>
      line
        .trim()
        .replace(/^(\$ |npx |node dist\/cli\/main\.js )+/, "clip-interpret ")
        .replace(/^(clip-interpret )+(?=clip-interpret( |$))/, ""),
    )
    .filter((line) => /^clip-interpret( |$)/.test(line))
    .map((line) => [path, line] as const),
);

it("has command lines to look at", () => {
  expect(calls.length).toBeGreaterThan(100);
  expect(calls.filter(([path]) => path === "examples/notebook.ipynb").length).toBeGreaterThan(4);
});

it.each(calls)("%s: %s", (_, line) => {
  const words = shellWords(line).slice(1);
  let command: Command = program;
  for (const word of words) {
    const inner: Command | undefined = command.commands.find((one) => one.name() === word);
    if (inner !== undefined) command = inner;
    else if (!word.startsWith("--") && command !== program) break;
  }
  // The name alone opens the app.
  expect(command === program && words.length > 0 && !words[0].startsWith("-")).toBe(false);
  const known = [...program.options, ...command.options].flatMap(({ long, short }) => [long, short]);
  for (const word of words)
    if (/^--?[a-z]/.test(word))
      expect([...known, "--help", "--version", "-h", "-V"]).toContain(word.split("=")[0]);
});

/** The anchors of a page's headings, as GitHub and VitePress make them. */
const anchorsOf = (text: string) =>
  new Set(
    [...text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(/\s/g, "-"),
    ),
  );

/** Where a page's links lead that name a place in the repository. */
const linksOf = (text: string) =>
  [
    ...text
      .replaceAll(/^```[\s\S]*?^```/gm, "")
      .replaceAll(/`[^`\n]*`/g, "")
      .matchAll(/\]\(([^)\s]+)\)/g),
  ]
    .map(([, address]) => address)
    .filter((address) => !/^[a-z]+:/.test(address));

it.each([...pages])("%s leads to what is there", (path, text) => {
  for (const address of linksOf(text)) {
    const [file, anchor] = address.split("#");
    const target = file === "" ? path : join(dirname(path), file);
    expect(existsSync(resolve(ROOT, target)), address).toBe(true);
    if (anchor === undefined) continue;
    expect([...anchorsOf(pages.get(target) ?? "")], address).toContain(anchor);
  }
});

/** Sources that a page of the package leads to, which are in the repository alone. */
const SOURCES = ["src/referee/method.ts", "src/referee/methods", "test/pictures/README.md"];

it("in the package, too, pages lead to what is there", async () => {
  // npm says what it would pack of stand-ins for the files: of the files themselves it would take a minute.
  const folder = await mkdtemp(join(tmpdir(), "package-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { files: named } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  for (const name of ["README.md", "LICENSE", ...named].filter((one) => !/^(!|dist$)/.test(one))) {
    const inside = (await stat(join(ROOT, name))).isFile()
      ? [""]
      : await readdir(join(ROOT, name), { recursive: true });
    for (const entry of inside) {
      const path = join(name, entry);
      if ((await stat(join(ROOT, path))).isDirectory()) continue;
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), "");
    }
  }
  await copyFile(join(ROOT, "package.json"), join(folder, "package.json"));
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      ...{ cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    }),
  );
  const files: string[] = packed.files.map(({ path }: { path: string }) => path);
  expect(files).toContain("docs/start.md");
  const isThere = (path: string) => files.some((file) => file === path || file.startsWith(`${path}/`));
  const dead: string[] = [];
  for (const path of files.filter((file) => file.endsWith(".md") || file === "llms.txt"))
    for (const address of linksOf(await readFile(join(ROOT, path), "utf8"))) {
      const [file] = address.split("#");
      const target = file === "" ? path : join(dirname(path), file).replace(/\/$/, "");
      if (!isThere(target) && !SOURCES.includes(target)) dead.push(`${path}: ${address}`);
    }
  expect(dead).toEqual([]);
  // The directory is not all that is meant by it.
  for (const file of ["examples/five-analyses.ts", "CITATION.cff"]) expect(files).toContain(file);
  expect(files.filter((file) => /\.test\./.test(file))).toEqual([]);
});

it("llms.txt names every page of docs by its title", async () => {
  const listed = await readFile(join(ROOT, "llms.txt"), "utf8");
  for (const [path, text] of pages)
    if (/^docs\/[^/]+$/.test(path)) expect(listed).toContain(`- [${/^# (.+)$/m.exec(text)?.[1]}](${path})`);
});

it("the notebook package has the version of this one", async () => {
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  expect(await readFile(join(ROOT, "python/pyproject.toml"), "utf8")).toContain(`version = "${version}"`);
  const source = await readFile(join(ROOT, "python/clip_interpret/__init__.py"), "utf8");
  expect(source).toContain(`__version__ = "${version}"`);
});
