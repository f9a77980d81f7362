import { defineConfig } from "vite";
import { withoutWasm } from "./page.config.ts";

/** The view for pages of others, and for notebooks, built into dist/page/view.js: one script, its thread inside. */
export default defineConfig({
  root: import.meta.dirname,
  mode: "page",
  base: "./",
  publicDir: false,
  worker: { format: "es", plugins: () => [withoutWasm] },
  build: {
    outDir: "../dist/page",
    emptyOutDir: false,
    target: "es2023",
    modulePreload: { polyfill: false },
    lib: { entry: "src/embed/element.ts", formats: ["es"], fileName: () => "view.js" },
  },
});
