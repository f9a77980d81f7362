import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const source = (path: string) => here(`src/${path}`);

/** Whether what is compiled is of these sources: nothing was written after it. */
function compiledIsFresh(): boolean {
  const compiled = statSync(here("dist/cli/main.js"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(here("src"), { recursive: true, encoding: "utf8" });
  return sources.every((path) => statSync(source(path)).mtimeMs <= compiled);
}

/**
 * What `npm run test:long` takes: journeys of minutes (every view in a browser, the first hour of a newcomer), and suites of ten
 * seconds and more whose subject changes seldom: other models, damaged indexes, whole studies, a server with much to do.
 */
export const LONG = [
  ...[
    "app",
    "embed",
    "fetched",
    "firefox",
    "memory",
    "neighbors",
    "new-version",
    "own-pictures",
    "page",
    "pooled",
    "reverse-proxy",
    "same",
  ].map((name) => `web/test/${name}.test.ts`),
  ...["ablation", "cluster", "first-hour", "queue", "study"].map((name) => `test/e2e/${name}.test.ts`),
  ...[
    ...[
      "describe-heads",
      "hub-failures",
      "index-damage",
      "index-in-store",
      "index-parts",
      "kinds-measured",
      "pools",
      "referee",
      "selectivity",
    ],
    ...["server-models", "server-own-corpora", "stored-index", "study-labellers", "study-steps"],
  ].map((name) => `test/integration/${name}.test.ts`),
];

/** What a quick run tries on a few kinds of models or commands, and `npm run test:long` on all (`test/support/every-kind.ts`). */
export const EVERY_KIND = [
  "embedded-models",
  "kinds-by-command",
  "stored-index",
  "text-towers-by-command",
].map((name) => `test/integration/${name}.test.ts`);

/** What makes threads run what is compiled, and numbers that are kept follow from it everywhere. */
const COMPILED_THREADS = [
  { find: /^.*\/support\/thread\.ts$/, replacement: here("test/support/compiled-thread.ts") },
  { find: /^.*\/code-version\.ts$/, replacement: here("dist/support/code-version.js") },
];

export default defineConfig({
  // Examples import the package by its name.
  resolve: {
    alias: [
      { find: /^clip-interpret$/, replacement: source("index.ts") },
      { find: /^clip-interpret\/(.+)$/, replacement: source("public/$1.ts") },
      ...(compiledIsFresh() ? COMPILED_THREADS : []),
    ],
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts", "web/**/*.test.ts"],
    exclude: ["test/long/**", ...LONG, "**/node_modules/**"],
    setupFiles: ["test/support/equal-bytes.ts"],
    maxWorkers: 2,
    // Most of what tests make is soon gone: with more room for it, a tenth of the time is not spent on clearing it away.
    execArgv: ["--max-semi-space-size=64"],
    // Files of a worker share their modules: loading them anew for each takes a third of the time.
    isolate: false,
    unstubEnvs: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
