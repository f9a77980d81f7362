import { defineConfig } from "vitest/config";
import { LONG } from "./vitest.config.ts";

/** What does not fit a quick run: true model shapes, minutes of work. */
export default defineConfig({
  test: { include: ["test/long/**/*.test.ts", ...LONG], testTimeout: 900_000, hookTimeout: 300_000 },
});
