import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as ort from "onnxruntime-web/wasm";
import type { WebRuntime } from "../../src/onnx/web-session.ts";

/** ONNX Runtime for the web, which runs in Node too: its WebAssembly is that of the browser, with one thread. */
export function webRuntime(): WebRuntime {
  const wasm = createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
  ort.env.wasm.wasmBinary = Uint8Array.from(readFileSync(wasm)).buffer;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  return ort;
}
