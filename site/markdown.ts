/**
 * How the documentation's pages become the site's: they are written for people who read them in the repository, and are
 * taken as they are.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MarkdownRenderer } from "vitepress";

type Token = ReturnType<MarkdownRenderer["parse"]>[number];

/**
 * The anchor of a heading, as GitHub makes it, so that a link with `#…` leads to the same place there and here.
 *
 * @param heading its text, without Markdown
 */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");

const isComment = (html: string) => /^\s*<!--[\s\S]*-->\s*$/.test(html);
/** A place to link to, as TypeDoc writes them into tables. */
const isAnchor = (tokens: Token[], i: number) =>
  /^<a id="[^"<>]*">$/.test(tokens[i]?.content ?? "") && tokens[i + 1]?.content === "</a>";
/** Vue reads `{{` in a page as code; as a reference to a character it is text. */
const asText = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("{{", "&#123;&#123;");

/** Takes links out that lead to files which are no pages, or sends them to where the repository is. */
function keepLinks(tokens: Token[], leadsTo: (href: string) => string | undefined): Token[] {
  const open: boolean[] = [];
  return tokens.filter((token) => {
    if (token.type === "link_open") {
      const href = leadsTo(token.attrGet("href") ?? "");
      if (href !== undefined) token.attrSet("href", href);
      open.push(href !== undefined);
    }
    return token.type === "link_close" ? open.pop() : token.type !== "link_open" || open.at(-1);
  });
}

/**
 * Teaches the site's Markdown what GitHub's does: what looks like HTML or like a template in prose is text, comments are
 * not shown, and a link to a file of the repository that is no page leads to it there.
 *
 * @param md VitePress' renderer
 * @param pages the folder of pages, laid out like the repository
 * @param repository where the repository's files can be read, with `/` at the end; without it such links are text
 */
export function readAsWritten(md: MarkdownRenderer, pages: string, repository: string | undefined): void {
  const html: NonNullable<MarkdownRenderer["renderer"]["rules"]["html_inline"]> = (tokens, i) => {
    const { content } = tokens[i];
    return isComment(content)
      ? ""
      : isAnchor(tokens, i) || isAnchor(tokens, i - 1)
        ? content
        : asText(content);
  };
  md.renderer.rules.html_inline = html;
  md.renderer.rules.html_block = html;
  md.renderer.rules.text = (tokens, i) => asText(tokens[i].content);
  md.core.ruler.push("links", ({ tokens, env }) => {
    const folder = dirname(env.relativePath ?? "");
    const leadsTo = (href: string): string | undefined => {
      if (/^([a-z]+:|#|\/)/i.test(href)) return href;
      const path = join(folder, decodeURI(href.replace(/#.*/, "")));
      if (path.endsWith(".md") && existsSync(join(pages, path))) return href;
      return repository && `${repository}${path}`;
    };
    for (const token of tokens) {
      if (token.children !== null) token.children = keepLinks(token.children, leadsTo);
      // Formulas and folders are indented: they look like other blocks of code.
      if (token.type === "code_block") Object.assign(token, { type: "fence", tag: "code", info: "txt" });
    }
  });
}
