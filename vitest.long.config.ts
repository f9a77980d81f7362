import { defineConfig } from "vitest/config";
import { EVERY_KIND, LONG } from "./vitest.config.ts";

/** What does not fit a quick run: true model shapes, minutes of work. */
export default defineConfig({
  test: {
    include: ["test/long/**/*.test.ts", ...LONG, ...EVERY_KIND],
    env: { EVERY_KIND: "1" },
    testTimeout: 900_000,
    hookTimeout: 300_000,
  },
});
