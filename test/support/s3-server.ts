/**
 * An S3 server for tests: s3rver, behind a door that a test can make go wrong. The door also does what s3rver does not:
 * conditional writes (`If-Match`, `If-None-Match`), one at a time for each object.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import S3rver from "s3rver";

/** What a request is, as a fault looks at it. */
export interface Asked {
  readonly method: string;
  /** Without the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
}

/** What the door does with a request instead of handing it on; "late" hands it on and loses the answer. */
export type Fault = "refuse" | "hang" | "cut" | "truncate" | "late" | undefined;

export interface TestStore {
  /** `s3://bucket`. */
  readonly address: string;
  /** Variables by which a program finds the server and may use it. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests so far. */
  readonly asked: Asked[];
  /** Decides what goes wrong; undefined for nothing. */
  fault: ((asked: Asked) => Fault) | undefined;
  /** Most entries of a page of a listing, where the server is to give fewer than it does. */
  pageSize: number | undefined;
  /** Answers a listing instead of the server; for listings that are late. */
  listing: ((asked: Asked, fresh: () => Promise<Buffer>) => Promise<Buffer>) | undefined;
  close(): Promise<void>;
}

const BUCKET = "bucket";

export async function startTestStore(): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), "clip-interpret-s3-"));
  const server = new S3rver({
    ...{ address: "127.0.0.1", port: 0, silent: true, directory, vhostBuckets: false },
    configureBuckets: [{ name: BUCKET, configs: [] }],
  });
  // Another server to try the same tests with; it has to have the bucket, and conditional writes of its own.
  const other = process.env.CLIP_INTERPRET_TEST_S3 ? new URL(process.env.CLIP_INTERPRET_TEST_S3) : undefined;
  const own = (await server.run()) as AddressInfo;
  const { hostname: host, port } = other ?? { hostname: "127.0.0.1", port: own.port };
  const busy = new Map<string, Promise<unknown>>();
  const ask = (incoming: Pick<IncomingMessage, "method" | "url" | "headers">, body: Buffer) =>
    new Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }>((resolve, reject) => {
      const { method, url, headers } = incoming;
      const out = request(
        { host, port, method, path: url, headers, agent: false },
        (answer) =>
          void gather(answer).then(
            (bytes) => resolve({ status: answer.statusCode!, headers: answer.headers, body: bytes }),
            reject,
          ),
      );
      out.on("error", reject).end(body);
    });
  const conditional = async (incoming: IncomingMessage, body: Buffer) => {
    const path = incoming.url!.split("?")[0];
    const head = await ask({ method: "HEAD", url: path, headers: {} }, Buffer.alloc(0));
    const etag = head.status === 200 ? String(head.headers.etag) : undefined;
    const { "if-match": match, "if-none-match": noneMatch } = incoming.headers;
    if (match !== undefined && etag === undefined) return failure(404, "NoSuchKey");
    if ((match !== undefined && match !== etag) || (noneMatch === "*" && etag !== undefined))
      return failure(412, "PreconditionFailed");
    return ask(incoming, body);
  };
  /** A page of a listing: s3rver gives all at once, and fails where it should give less. */
  const listed = async (incoming: IncomingMessage, query: URLSearchParams) => {
    // Unsigned, since what was signed is another request.
    const { authorization: _, ...headers } = incoming.headers;
    const [path, asked] = incoming.url!.split("?");
    const rest = new URLSearchParams(asked);
    rest.delete("continuation-token");
    const all = (
      await ask({ method: "GET", url: `${path}?${rest}`, headers }, Buffer.alloc(0))
    ).body.toString();
    const entries = /<(Contents|CommonPrefixes)>.*?<\/\1>/gs;
    const from = Number(query.get("continuation-token") ?? 0);
    const to = from + (store.pageSize ?? 1000);
    const found = all.match(entries) ?? [];
    const more = found.length > to ? `<NextContinuationToken>${to}</NextContinuationToken>` : "";
    const page = all
      .replace(entries, "")
      .replace(/<IsTruncated>.*?<\/IsTruncated>/, `<IsTruncated>${more !== ""}</IsTruncated>${more}`)
      .replace("</ListBucketResult>", `${found.slice(from, to).join("")}</ListBucketResult>`);
    return Buffer.from(page);
  };
  const answerTo = async (incoming: IncomingMessage, body: Buffer, asked: Asked) => {
    const writes = incoming.method === "PUT" || incoming.method === "POST";
    const { "if-match": match, "if-none-match": noneMatch } = incoming.headers;
    if (!other && writes && (match ?? noneMatch) !== undefined) {
      const turn = (busy.get(asked.key) ?? Promise.resolve()).then(() => conditional(incoming, body));
      busy.set(
        asked.key,
        turn.catch(() => {}),
      );
      return turn;
    }
    const lists = incoming.method === "GET" && asked.key === "";
    if (lists && (!other || store.listing)) {
      const fresh = () => listed(incoming, asked.query);
      const page = store.listing ? await store.listing(asked, fresh) : await fresh();
      return { status: 200, headers: { "content-type": "application/xml" }, body: page };
    }
    return ask(incoming, body);
  };
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const url = new URL(incoming.url!, "http://store");
    const key = decodeURIComponent(url.pathname.split("/").slice(2).join("/"));
    const asked = { method: incoming.method!, key, query: url.searchParams };
    store.asked.push(asked);
    const body = await gather(incoming);
    const fault = store.fault?.(asked);
    if (fault === "cut") return void incoming.socket.destroy();
    if (fault === "hang") return;
    if (fault === "refuse") return send(outgoing, failure(503, "SlowDown"));
    const answer = await answerTo(incoming, body, asked);
    if (fault === "late") return void incoming.socket.destroy();
    if (fault === "truncate" && answer.body.length > 1) {
      outgoing.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
      outgoing.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)));
      await sleep(5);
      return void outgoing.destroy();
    }
    send(outgoing, answer, incoming.method === "HEAD");
  };
  const door = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  const store: TestStore = {
    address: `s3://${BUCKET}`,
    env: {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
      ...{ AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER", AWS_REGION: "us-east-1" },
      AWS_EC2_METADATA_DISABLED: "true",
    },
    asked: [],
    fault: undefined,
    pageSize: undefined,
    listing: undefined,
    async close() {
      door.closeAllConnections();
      await new Promise((resolve) => door.close(resolve));
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return store;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

function send(outgoing: ServerResponse, { status, headers, body }: Answer, bare = false): void {
  const { "transfer-encoding": _, connection: __, ...kept } = headers;
  outgoing.writeHead(status, bare ? kept : { ...kept, "content-length": body.length });
  outgoing.end(bare ? undefined : body);
}

const failure = (status: number, code: string): Answer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`),
});

async function gather(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
