import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A repository to serve: its files, and which of them are large (LFS) and so come from another host. */
export interface ServedRepository {
  readonly commit: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly large?: readonly string[];
}

/** A request as it came, and how many bytes of a file were sent for it. */
export interface Seen {
  readonly host: "hub" | "files";
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  sent: number;
}

/** What a test makes go wrong; called before every request, true if it answered. */
export type Interfere = (seen: Seen, response: ServerResponse) => boolean | Promise<boolean>;

/** A stand-in for the hub on the loopback interface: same addresses, headers and redirects, another host for large files. */
export interface HubServer {
  readonly endpoint: string;
  readonly seen: Seen[];
  /** What is listed of a repository may be replaced to lie about it. */
  readonly listed: Map<string, unknown[]>;
  interfere: Interfere;
  /** Bytes of file content sent, of one file or all. */
  sent(file?: string): number;
}

/** Starts a server that ends with the running test. */
export async function serveHub(repositories: Readonly<Record<string, ServedRepository>>): Promise<HubServer> {
  const seen: Seen[] = [];
  const listed = new Map<string, unknown[]>();
  const handler = (host: Seen["host"]) => async (request: IncomingMessage, response: ServerResponse) => {
    const one: Seen = { host, path: request.url ?? "", headers: request.headers, sent: 0 };
    seen.push(one);
    if (await hub.interfere(one, response)) return;
    // As hubs behind a repository manager do: they know fewer addresses.
    if (/revision.*expand=/.test(one.path)) return response.writeHead(404).end("{}");
    const path = decodeURIComponent(one.path.replace(/\?.*/, ""));
    for (const [id, repository] of Object.entries(repositories)) {
      if (path === `/api/models/${id}/revision/main`) {
        return json(response, {
          _id: "0",
          id,
          sha: repository.commit,
          private: false,
          lastModified: "2024-01-01",
        });
      }
      const tree = `/api/models/${id}/tree/${repository.commit}`;
      if (path === tree || path.startsWith(`${tree}/`)) {
        const folder = path.slice(tree.length + 1);
        return json(response, listed.get(id) ?? entriesOf(repository, folder));
      }
      const [, name] = path.split(`/${id}/resolve/${repository.commit}/`);
      const content = name === undefined ? undefined : repository.files[name];
      if (!content) continue;
      const { size, oid, lfs } = entry(repository, name);
      const etag = `"${lfs?.oid ?? oid}"`;
      if (host === "hub") response.setHeader("x-repo-commit", repository.commit);
      if (host === "hub" && lfs) {
        response.writeHead(302, {
          location: `${files}${one.path}?signature=1`,
          "x-linked-etag": etag,
          "x-linked-size": size,
        });
        return void response.end();
      }
      return sendFile(one, response, content, etag);
    }
    response.writeHead(404, { "x-error-code": "RepoNotFound" }).end();
  };
  const [endpoint, files] = await Promise.all([listen(handler("hub")), listen(handler("files"))]);
  const hub: HubServer = {
    endpoint,
    seen,
    listed,
    interfere: () => false,
    sent: (file) =>
      seen
        .filter(({ path }) => path.includes("/resolve/") && (!file || path.includes(`/${file}`)))
        .reduce((total, { sent }) => total + sent, 0),
  };
  return hub;
}

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server: Server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** What the hub's tree says of a folder: its files, and its folders without what is in them. */
function entriesOf(repository: ServedRepository, folder: string) {
  const prefix = folder && `${folder}/`;
  const inside = Object.keys(repository.files).filter((name) => name.startsWith(prefix));
  const rest = inside.map((name) => name.slice(prefix.length).split("/"));
  const folders = new Set(rest.flatMap(([first, ...more]) => (more.length > 0 ? [first] : [])));
  return [
    ...[...folders].map((name) => ({
      type: "directory",
      path: `${prefix}${name}`,
      size: 0,
      oid: "0".repeat(40),
    })),
    ...inside.filter((_, i) => rest[i]!.length === 1).map((name) => entry(repository, name)),
  ];
}

/** What the hub's tree says of a file. */
export function entry({ files, large = [] }: ServedRepository, name: string) {
  const content = files[name];
  const blob = (bytes: Uint8Array) =>
    createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  const described = { type: "file", path: name, size: content.length };
  if (!large.includes(name)) return { ...described, oid: blob(content), lfs: undefined };
  const oid = createHash("sha256").update(content).digest("hex");
  const pointer = Buffer.from(`version 1\noid sha256:${oid}\nsize ${content.length}\n`);
  return {
    ...described,
    oid: blob(pointer),
    lfs: { oid, size: content.length, pointerSize: pointer.length },
  };
}

/** Sends a file or the range asked for, counting what went out; `stopAt` leaves the answer unfinished there. */
export function sendFile(
  seen: Seen,
  response: ServerResponse,
  content: Uint8Array,
  etag = '"0"',
  stopAt = content.length,
): void {
  const [, start] = /^bytes=(\d+)-$/.exec(seen.headers.range ?? "") ?? [];
  const from = Number(start ?? 0);
  const end = content.length;
  response.writeHead(start ? 206 : 200, {
    etag,
    "accept-ranges": "bytes",
    "content-length": end - from,
    ...(start && { "content-range": `bytes ${from}-${end - 1}/${end}` }),
  });
  const piece = Buffer.from(content.subarray(from, stopAt));
  seen.sent += piece.length;
  if (stopAt === end) response.end(piece);
  else response.write(piece);
}
