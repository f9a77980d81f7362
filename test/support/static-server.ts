import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

/** What was asked of the server. */
export interface Asked {
  readonly path: string;
  readonly method: string;
  readonly range: string | undefined;
  /** Bytes of the answer's body. */
  readonly bytes: number;
}

const TYPES: Readonly<Record<string, string>> = {
  ...{ ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript" },
  ...{
    ".css": "text/css",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
  },
};

/** How files are served. */
export interface StaticServerOptions {
  readonly ranges?: boolean;
  /** Sends pages and scripts packed, as most servers do. */
  readonly packs?: boolean;
  /** Lets pages of other sites read them. */
  readonly cors?: boolean;
  /** Sent with every file. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Serves folders as any static server does, ranges included.
 * @param folders by the first part of the address, "" for the rest
 */
export async function startStaticServer(
  folders: Readonly<Record<string, string>>,
  { ranges = true, packs = false, cors = false, headers = {} }: StaticServerOptions = {},
): Promise<{ readonly url: string; readonly asked: Asked[]; readonly close: () => Promise<void> }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const asIndex = (given: string) => (given.endsWith("/") ? `${given}index.html` : given);
    const path = normalize(asIndex(decodeURIComponent(new URL(request.url!, "http://x").pathname))).slice(1);
    const [first = "", ...rest] = path.split("/");
    const file =
      first in folders && rest.length > 0
        ? join(folders[first]!, ...rest)
        : join(folders[""] ?? "/none", path);
    const { range } = request.headers;
    const note = (bytes: number) =>
      asked.push({
        path: `/${path}`,
        method: request.method!,
        range,
        bytes: request.method === "HEAD" ? 0 : bytes,
      });
    if (cors) {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-headers", "range");
      response.setHeader("access-control-expose-headers", "content-range, etag");
    }
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) {
      note(0);
      response.writeHead(404).end();
      return;
    }
    const [, from, to] = (ranges && /^bytes=(\d+)-(\d*)$/.exec(range ?? "")) || [];
    const start = from === undefined ? 0 : Number(from);
    const end = Math.min(to ? Number(to) : found.size - 1, found.size - 1);
    const all = {
      ...headers,
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-length": String(end + 1 - start),
      etag: `"${found.size}-${found.mtimeMs}"`,
      ...(ranges && { "accept-ranges": "bytes" }),
      ...(from !== undefined && { "content-range": `bytes ${start}-${end}/${found.size}` }),
    };
    if (packs && from === undefined && /\.(html|js|css|json|svg)$/.test(file)) {
      const packed = gzipSync(await readFile(file));
      note(packed.length);
      const how = { ...all, "content-length": String(packed.length), "content-encoding": "gzip" };
      response.writeHead(200, how).end(packed);
      return;
    }
    note(end + 1 - start);
    response.writeHead(from === undefined ? 200 : 206, all);
    if (request.method === "HEAD" || found.size === 0) response.end();
    else createReadStream(file, { start, end }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
