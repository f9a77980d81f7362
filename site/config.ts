/** The documentation site: VitePress over the pages that `scripts/build-site.ts` has laid out in `out/site/pages`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitepress";
import { anchorOf, readAsWritten } from "./markdown.ts";
import { pageItem, sidebarFrom } from "./sidebar.ts";

const ROOT = process.cwd();
const PAGES = join(ROOT, "out/site/pages");
const read = (path: string) => readFileSync(join(PAGES, path), "utf8");
const titleOf = (path: string) => /^# (.+)$/m.exec(read(path))?.[1].replaceAll("`", "") ?? path;
const pagesIn = (folder: string) =>
  existsSync(join(PAGES, folder))
    ? readdirSync(join(PAGES, folder))
        .filter((name) => name.endsWith(".md"))
        .sort()
        .map((name) => `${folder}/${name}`)
    : [];

const { description, repository } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const address = repository?.url?.replace(/^git\+|\.git$/g, "");
const names = pagesIn("names");
const group = (text: string, paths: readonly string[]) => ({
  text,
  collapsed: true,
  items: paths.map((path) => pageItem(titleOf(path), path)),
});

export default defineConfig({
  title: "clip-interpret",
  description,
  lang: "en",
  // Any host, any folder, and a disk.
  base: "./",
  srcDir: PAGES,
  outDir: join(ROOT, "out/site/html"),
  cacheDir: join(ROOT, "out/site/cache"),
  useWebFonts: false,
  head: [["link", { rel: "icon", href: "data:," }]],
  ignoreDeadLinks: "localhostLinks",
  markdown: {
    languageAlias: { caddy: "nginx" },
    anchor: { slugify: anchorOf },
    attrs: false,
    emoji: false,
    config: (md) => readAsWritten(md, PAGES, address && `${address}/blob/main/`),
  },
  themeConfig: {
    search: { provider: "local" },
    outline: { level: [2, 3], label: "On this page" },
    nav: [
      { text: "Start", link: "/docs/start" },
      { text: "Concepts", link: "/docs/concepts" },
      { text: "Commands", link: "/docs/commands" },
      { text: "Library", link: "/docs/api" },
    ],
    sidebar: [
      ...sidebarFrom(
        readFileSync(join(ROOT, "llms.txt"), "utf8"),
        (path) => path.endsWith(".md") && existsSync(join(PAGES, path)),
      ),
      ...(names.length > 0 ? [group("Public names", names)] : []),
      group("Decisions", pagesIn("docs/decisions")),
    ],
    ...(address && { socialLinks: [{ icon: "github", link: address }] }),
  },
  vite: { build: { chunkSizeWarningLimit: 2000 }, logLevel: "warn" },
});
