import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url));

/** Journeys of minutes, which `npm run test:long` takes: every view in a browser, and the first hour of a newcomer. */
export const LONG = ["web/test/app.test.ts", "test/e2e/first-hour.test.ts"];

export default defineConfig({
  // Examples import the package by its name.
  resolve: {
    alias: [
      { find: /^clip-interpret$/, replacement: source("index.ts") },
      { find: /^clip-interpret\/(.+)$/, replacement: source("public/$1.ts") },
    ],
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts", "web/**/*.test.ts"],
    exclude: ["test/long/**", ...LONG, "**/node_modules/**"],
    maxWorkers: 2,
    // Files of a worker share their modules: loading them anew for each takes a third of the time.
    isolate: false,
    unstubEnvs: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
