/** The documentation site builds without a warning, holds every page, and every link in it leads to a file and to a place in it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { repositoryPath } from "../e2e/cli.ts";

const HTML = repositoryPath("out/site/html");
let pages: ReadonlyMap<string, string>;

beforeAll(async () => {
  await promisify(execFile)("npm", ["run", "--silent", "docs:build"], { cwd: repositoryPath("") });
  const names = (await readdir(HTML, { recursive: true })).filter((name) => name.endsWith(".html"));
  pages = new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(HTML, name), "utf8")] as const)),
  );
}, 900_000);

it("has every page of docs, the decisions, and the public names", async () => {
  for (const folder of ["docs", "docs/decisions"])
    for (const name of await readdir(repositoryPath(folder)))
      if (name.endsWith(".md"))
        expect([...pages.keys()]).toContain(`${folder}/${name.replace(/md$/, "html")}`);
  expect(pages.get("names/clip-interpret.html")).toContain('id="explainimage"');
});

it("has its contents as a text too, whose links lead to pages", async () => {
  const contents = await readFile(join(HTML, "llms.txt"), "utf8");
  const leads = [...contents.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path);
  expect(leads.length).toBeGreaterThan(40);
  expect(leads.filter((path) => !pages.has(path))).toEqual([]);
});

it("shows what is written: no comment, no template, nothing of another host", () => {
  for (const [name, html] of pages) {
    const body = html.slice(html.indexOf("<body"));
    expect(body, name).not.toMatch(/&lt;!--|\[object Object\]/);
    expect(html, name).not.toMatch(/<(script|link|img)[^>]+(src|href)="(https?:)?\/\//);
  }
});

it("leads to what is there, wherever it is served", () => {
  const dead: string[] = [];
  for (const [name, html] of pages) {
    if (name === "404.html") continue;
    for (const [, address] of html.matchAll(/\s(?:href|src)="([^"]+)"/g)) {
      if (/^(https?|data|mailto):/.test(address)) continue;
      const [path, anchor] = decodeURI(address.replaceAll("&amp;", "&")).split("#");
      const target =
        path === "" ? name : join(dirname(name), path.endsWith("/") ? `${path}index.html` : path);
      const there = existsSync(join(HTML, target));
      const place = !anchor || (pages.get(target) ?? "").includes(`id="${anchor}"`);
      if (path.startsWith("/") || !there || !place) dead.push(`${name}: ${address}`);
    }
  }
  expect(dead).toEqual([]);
});
