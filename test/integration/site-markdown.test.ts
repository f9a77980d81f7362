/** Pages of the site say what they say in the repository, whatever Vue would make of it. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMarkdownRenderer, disposeMdItInstance, type MarkdownRenderer } from "vitepress";
import { afterAll, beforeAll, expect, it } from "vitest";
import { anchorOf, readAsWritten } from "../../site/markdown.ts";
import { sidebarFrom } from "../../site/sidebar.ts";

let pages: string;
const renderer = (repository?: string): Promise<MarkdownRenderer> => {
  // VitePress keeps the first.
  disposeMdItInstance();
  return createMarkdownRenderer(pages, {
    ...{ attrs: false, anchor: { slugify: anchorOf } },
    config: (md) => readAsWritten(md, pages, repository),
  });
};
/** In `docs/a.md`. */
const render = async (text: string, repository?: string) =>
  (await renderer(repository)).renderAsync(text, {
    path: join(pages, "docs/a.md"),
    relativePath: "docs/a.md",
  });

beforeAll(async () => {
  pages = await mkdtemp(join(tmpdir(), "pages-"));
  await mkdir(join(pages, "docs"));
  for (const name of ["README.md", "docs/a.md", "docs/b.md"])
    await writeFile(join(pages, name), "# A page\n");
});
afterAll(() => rm(pages, { recursive: true, force: true }));

it("templates, tags and braces in prose are text; comments are not shown", async () => {
  const html = await render("Say {{ name }} of {id} in <b or <Folder>.\n\n<!-- not this -->\n\n<Whole>\n");
  expect(html).toContain("Say &#123;&#123; name }} of {id} in &lt;b or &lt;Folder&gt;.");
  expect(html).toContain("&lt;Whole&gt;");
  expect(html).not.toContain("not this");
});

it("links lead to pages; to other files where the repository is, or nowhere", async () => {
  const text =
    "[b](b.md#what-it-is), [all](../README.md), [code](../src/index.ts), [web](https://example.org)";
  const html = await render(text);
  for (const href of ["./b.html#what-it-is", "./../README.html", "https://example.org"])
    expect(html).toContain(`href="${href}"`);
  expect(html).not.toContain("index.ts");
  expect(html).toContain(", code, ");
  expect(await render(text, "https://example.org/blob/")).toContain(
    'href="https://example.org/blob/src/index.ts"',
  );
});

it("headings have GitHub's anchors, and indented lines are blocks of code", async () => {
  const html = await render("## Where it looks – `last4`, 2 × 2\n\n    z̃ = {{ z }}\n");
  expect(html).toContain('id="where-it-looks--last4-2--2"');
  expect(html).toContain('class="language-txt');
  expect(html).toContain("v-pre");
});

it("the contents are those of llms.txt, less what is no page", () => {
  const contents = "# x\n\n## Start\n\n- [Begin](docs/a.md)\n\n## Source\n\n- [Licence](LICENSE)\n";
  expect(sidebarFrom(contents, (path) => path.endsWith(".md"))).toEqual([
    { text: "Start", items: [{ text: "Begin", link: "/docs/a" }] },
  ]);
});
