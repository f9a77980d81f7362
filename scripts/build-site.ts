/**
 * Builds the documentation site into `out/site/html` (`npm run docs:build`): the pages as they are in the repository and
 * laid out as there, so that their links hold, and the public names where `npm run docs:api` has written them. A warning is an error.
 */
import { spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const OUT = join(ROOT, "out/site");
const PAGES = join(OUT, "pages");

/** Every page of the repository that readers of the site have use for. */
async function pagesOfRepository(): Promise<string[]> {
  const under = async (folder: string, recursive: boolean) =>
    (await readdir(join(ROOT, folder), { recursive }))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name));
  return [
    ...(await under("", false)),
    ...(await under("docs", true)),
    ...(await under("models", true)),
    "examples/photos/CREDITS.md",
    "python/README.md",
    "test/pictures/README.md",
  ];
}

/** Copies what a page shows, and the page. */
async function copyPage(path: string, to: string): Promise<void> {
  const text = await readFile(join(ROOT, path), "utf8");
  const files = [...text.matchAll(/!\[[^\]]*\]\(([^):]+)\)/g)].map(([, file]) => join(dirname(to), file));
  for (const file of files) await cp(join(ROOT, file), join(PAGES, file));
  await mkdir(dirname(join(PAGES, to)), { recursive: true });
  await writeFile(join(PAGES, to), text);
}

for (const folder of [PAGES, join(OUT, "html")]) await rm(folder, { recursive: true, force: true });
for (const path of await pagesOfRepository()) await copyPage(path, path);
await copyPage("site/home.md", "index.md");
await cp(join(ROOT, "docs/images/explanation.png"), join(PAGES, "public/explanation.png"));
// Its links lead to the pages as they are named here.
const contents = await readFile(join(ROOT, "llms.txt"), "utf8");
await writeFile(join(PAGES, "public/llms.txt"), contents.replaceAll(".md)", ".html)"));
await cp(join(OUT, "names"), join(PAGES, "names"), { recursive: true }).catch((error) => {
  if (error.code !== "ENOENT") throw error;
});
const settings = join(PAGES, ".vitepress");
const site = (file: string, from: string) =>
  `export { default } from "${relative(from, join(ROOT, "site", file)).replaceAll("\\", "/")}";\n`;
await mkdir(join(settings, "theme"), { recursive: true });
await writeFile(join(settings, "config.ts"), site("config.ts", settings));
await writeFile(join(settings, "theme/index.ts"), site("theme.ts", join(settings, "theme")));

const vitepress = join(ROOT, "node_modules/vitepress/bin/vitepress.js");
const child = spawn(process.execPath, [vitepress, "build", PAGES], {
  cwd: ROOT,
  env: { ...process.env, NO_COLOR: "1" },
});
let said = "";
for (const stream of [child.stdout, child.stderr])
  stream.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
const code = await new Promise((resolve) => child.once("close", resolve));
if (code !== 0 || /warn|\(!\)|error|not found|failed/i.test(said)) {
  console.error(said);
  process.exit(1);
}
console.log(`The site is in ${relative(process.cwd(), join(OUT, "html"))}.`);
