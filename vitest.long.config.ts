import { defineConfig } from "vitest/config";
import quick, { EVERY_KIND, LONG } from "./vitest.config.ts";

/** What does not fit a quick run: true model shapes, minutes of work. Each file by itself: memory and processes are looked at. */
export default defineConfig({
  ...quick,
  test: {
    ...quick.test,
    include: ["test/long/**/*.test.ts", ...LONG, ...EVERY_KIND],
    exclude: ["**/node_modules/**"],
    isolate: true,
    env: { EVERY_KIND: "1" },
    testTimeout: 900_000,
    hookTimeout: 300_000,
  },
});
