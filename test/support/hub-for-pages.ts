import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { disk } from "../../src/support/disk-bytes.ts";
import { type Asked, startStaticServer } from "./static-server.ts";

/** The commit of every repository. */
export const COMMIT: string = `${"c0ffee".repeat(6)}abcd`;

/** A stand-in for the hub as pages see it: its API, its addresses of files, and another host that large ones come from. */
export interface HubForPages {
  readonly url: string;
  /** Where its large files are: another origin. */
  readonly files: string;
  /** What was asked of the hub. */
  readonly asked: string[];
  /** What was asked of the files' host. */
  readonly askedFiles: Asked[];
  close(): Promise<void>;
}

/** Serves folders as repositories. @param repositories folders by `owner/name` */
export async function startHubForPages(repositories: Readonly<Record<string, string>>): Promise<HubForPages> {
  const large = await startStaticServer(
    Object.fromEntries(Object.entries(repositories).map(([id, folder]) => [id.replace("/", "--"), folder])),
    { cors: true },
  );
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url!, "http://x").pathname);
    asked.push(`${request.method} ${path}`);
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "Content-Range, ETag, X-Repo-Commit");
    const json = (value: unknown) =>
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    for (const [id, folder] of Object.entries(repositories)) {
      if (path === `/api/models/${id}/revision/main`) return json({ id, sha: COMMIT });
      if (path === `/api/models/${id}/tree/${COMMIT}`) return json(await entriesOf(folder));
      const [, name] = path.split(`/${id}/resolve/${COMMIT}/`);
      const found = name && (await stat(join(folder, name)).catch(() => undefined));
      if (!found) continue;
      if (isLarge(name)) {
        const location = `${large.url}/${id.replace("/", "--")}/${name}?signature=1`;
        return response.writeHead(302, { location }).end();
      }
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
      const start = Number(from ?? 0);
      const end = Math.min(Number(to ?? found.size - 1), found.size - 1);
      const range = `bytes ${start}-${end}/${found.size}`;
      response.writeHead(from ? 206 : 200, { etag: '"1"', ...(from && { "content-range": range }) });
      return createReadStream(join(folder, name), { start, end }).pipe(response);
    }
    return response.writeHead(401, { "x-error-code": "RepoNotFound" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files: large.url,
    asked,
    askedFiles: large.asked,
    async close() {
      server.close();
      server.closeAllConnections();
      await large.close();
    },
  };
}

const isLarge = (name: string) => /\.(safetensors|bin)$/.test(name);

/** What the hub's tree says of a folder. */
const entriesOf = async (folder: string) =>
  Promise.all(
    (await readdir(folder)).map(async (name) => {
      const path = join(folder, name);
      const { size } = await stat(path);
      const entry = { type: "file", path: name, size, oid: "0".repeat(40) };
      return isLarge(name)
        ? { ...entry, lfs: { oid: await disk.hash([path]), size, pointerSize: 134 } }
        : entry;
    }),
  );
