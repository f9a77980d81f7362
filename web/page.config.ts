import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/**
 * ONNX Runtime names its WebAssembly beside itself, and Vite would copy all 14 MB of it; the page brings it packed and hands it
 * over (`web/src/tab/worker.ts`).
 */
export const withoutWasm: Plugin = {
  name: "without-wasm",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("onnxruntime-web")) return null;
    return code.replaceAll(
      /new URL\("ort-wasm-simd-threaded(\.asyncify)?\.wasm",import\.meta\.url\)\.href/g,
      '""',
    );
  },
};

/** The app without a server, built into dist/page: files for any web server. `npm run build:page` adds what it answers from. */
export default defineConfig({
  root: import.meta.dirname,
  mode: "page",
  // Relative addresses: the page may lie below a path.
  base: "./",
  plugins: [react(), withoutWasm],
  worker: { format: "es", plugins: () => [withoutWasm] },
  build: {
    outDir: "../dist/page",
    emptyOutDir: true,
    license: { fileName: "licenses.md" },
    target: "es2023",
    // Inlined files would be data: scripts and styles, which the content security policy forbids.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: "tab.html" },
  },
});
