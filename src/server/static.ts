import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { MiddlewareHandler } from "hono";
import { ClipInterpretError } from "../support/errors.ts";
import { sharedCache } from "../support/shared.ts";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ttf": "font/ttf",
  ".woff2": "font/woff2",
};

/** Types that are packed already. */
const PACKED = new Set([".png", ".woff2"]);

/** How a file may travel; the first that a browser takes. */
const ENCODINGS = {
  br: (bytes: Buffer) => brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (bytes: Buffer) => gzipped(bytes, { level: 9 }),
};
const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

/** Views of the web app; each address is the same page. */
const VIEWS = new Set(["/", "/look", "/segment", "/neighbors", "/heads", "/reports"]);
/** The page of a head, or a report, lies one step deeper. */
const BELOW = /^\/(heads\/L\d{1,3}\.H\d{1,3}|reports\/[a-z0-9-]{1,60})$/;

/** What that is sent as; no file is called so. */
const DEEPER = "/heads/*.html";

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
  const index = files.get("/index.html");
  if (index) files.set(DEEPER, Buffer.from(index.toString().replace('<base href="./"', '<base href="../"')));
  const compressed = sharedCache<Buffer>(Number.MAX_SAFE_INTEGER);
  return async (context) => {
    const { path } = context.req;
    const name = VIEWS.has(path) ? "/index.html" : BELOW.test(path) ? DEEPER : path;
    const bytes = files.get(name);
    if (!bytes) throw new ClipInterpretError("NOT_FOUND", "there is no such page");
    const isNamedByContent = name.startsWith("/assets/");
    const accepted = context.req.header("accept-encoding") ?? "";
    const encoding = PACKED.has(extname(name)) ? undefined : encodingOf(accepted);
    const sent = encoding
      ? await compressed.get(`${encoding} ${name}`, () => ENCODINGS[encoding](bytes))
      : bytes;
    return context.body(new Uint8Array(sent), 200, {
      "Content-Type": TYPES[extname(name)]!,
      Vary: "Accept-Encoding",
      ...(encoding && { "Content-Encoding": encoding }),
      "Cache-Control": isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache",
    });
  };
}

/** The best encoding that a request takes: named, and not with a weight of 0. */
function encodingOf(accepted: string): keyof typeof ENCODINGS | undefined {
  const named = new Map(
    accepted.split(",").map((one) => {
      const [name, weight = "q=1"] = one
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      return [name, Number(weight.replace("q=", ""))];
    }),
  );
  return (["br", "gzip"] as const).find((name) => (named.get(name) ?? 0) > 0);
}
