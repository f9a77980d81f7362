import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The web app, built into dist/web, from which the server reads it. */
export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses: the app may lie below a path.
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    // Bundled, without their licences, they would not be ours to give.
    license: { fileName: "licenses.md" },
    target: "es2023",
    // Inlined files would be data: scripts and styles, which the content security policy forbids.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
