import type { DefaultTheme } from "vitepress";

type Item = DefaultTheme.SidebarItem;

/** The site's contents are those of `llms.txt`: a group a heading, a page a line. Lines that name no page are left out. */
export function sidebarFrom(contents: string, isPage: (path: string) => boolean): Item[] {
  const groups: (Item & { items: Item[] })[] = [];
  for (const line of contents.split("\n")) {
    const heading = /^## (.+)$/.exec(line)?.[1];
    if (heading !== undefined) groups.push({ text: heading, items: [] });
    const [, text, path] = /^- \[(.+)\]\((.+)\)/.exec(line) ?? [];
    if (path !== undefined && isPage(path)) groups.at(-1)?.items.push(pageItem(text, path));
  }
  return groups.filter(({ items }) => items.length > 0);
}

/** A line of the sidebar: a page's title, and the page. */
export const pageItem = (text: string, path: string): Item => ({
  text,
  link: `/${path.replace(/\.md$/, "")}`,
});
