import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../src/server/serve.ts";
import { startEngine } from "../src/server/threads/engine.ts";
import type { ApiDocument } from "./http-page.ts";

/** What a server says of its own API. */
export async function apiDocument(): Promise<ApiDocument> {
  const cache = await mkdtemp(join(tmpdir(), "clip-interpret-api-"));
  const models = await startEngine();
  const server = await startServer({ models, cache, builtIn: [], served: [] });
  try {
    return (await (await fetch(new URL("api/openapi.json", server.url))).json()) as ApiDocument;
  } finally {
    await server.close();
    await models.release();
    await rm(cache, { recursive: true });
  }
}
