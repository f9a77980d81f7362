import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { MiddlewareHandler } from "hono";
import { ClipInterpretError } from "../support/errors.ts";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ttf": "font/ttf",
  ".woff2": "font/woff2",
};

/** Views of the web app; each address is the same page. */
const VIEWS = new Set(["/", "/look", "/segment", "/neighbors"]);

/**
 * Serves the built web app. Its files are read once, at the start, and only what was there then can be asked for, so no
 * address can name another file.
 */
export async function webApp(folder: string): Promise<MiddlewareHandler> {
  const files = new Map<string, Buffer>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !TYPES[extname(entry.name)]) continue;
    files.set(`/${path.slice(folder.length + 1).replaceAll("\\", "/")}`, await readFile(path));
  }
  return async (context) => {
    const { path } = context.req;
    const name = VIEWS.has(path) ? "/index.html" : path;
    const bytes = files.get(name);
    if (!bytes) throw new ClipInterpretError("NOT_FOUND", "there is no such page");
    const isNamedByContent = name.startsWith("/assets/");
    return context.body(new Uint8Array(bytes), 200, {
      "Content-Type": TYPES[extname(name)]!,
      "Cache-Control": isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache",
    });
  };
}
