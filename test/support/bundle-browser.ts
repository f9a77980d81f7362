import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A module and what it imports, as a browser gets it. */
export interface Bundle {
  /** Paths in this repository of all modules, those of packages with `node_modules/`. */
  readonly modules: readonly string[];
  /** What in the modules is Node's. */
  readonly node: readonly string[];
}

/** Node's own names. `globalThis.process` is asked for and not assumed. */
const NODES = /(?<![.\w$])(Buffer|process|require|__dirname|__filename)\b(?!['"`:])/;

/**
 * Bundles a module for browsers.
 * @param entry its path in this repository
 * @param outDir where the bundle is written; nowhere by default
 */
export async function bundleBrowser(entry: string, outDir?: string): Promise<Bundle> {
  const modules: string[] = [];
  const node: string[] = [];
  await build({
    ...{ root, configFile: false, logLevel: "error" },
    plugins: [
      {
        name: "what-is-bundled",
        enforce: "pre",
        resolveId(id, from) {
          if (id.startsWith("node:")) node.push(`${id} in ${from?.replace(root, "")}`);
          return null;
        },
        moduleParsed({ id, code }) {
          const path = id.replace(root, "").replace(/^\//, "");
          modules.push(path);
          const own = path.startsWith("src/") ? NODES.exec(withoutTexts(code ?? "")) : undefined;
          if (own) node.push(`${own[1]} in ${path}`);
        },
      },
    ],
    build: {
      ...{ write: outDir !== undefined, target: "es2023", minify: false, reportCompressedSize: false },
      ...(outDir !== undefined && { outDir, emptyOutDir: true }),
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: entry,
        output: { entryFileNames: "[name].js" },
        preserveEntrySignatures: "strict",
      },
    },
  });
  return { modules, node };
}

/** Code without comments and texts. */
const withoutTexts = (code: string) =>
  code.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g,
    '""',
  );
