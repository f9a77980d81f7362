import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { createPuller, type Puller } from "../hub/pull.ts";
import type { ModelLoader } from "../model/registry.ts";
import { ownCacheFolder } from "../support/environment.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { isLoopback } from "../support/network.ts";
import { basePathOf, originOf } from "./address.ts";
import { createApp } from "./app.ts";
import { builtInCorpora, type CorpusSpec, createCorpora, requireServed } from "./corpora.ts";
import { requireLabels } from "./insights.ts";
import { createJobs } from "./jobs.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { createLooks } from "./looks.ts";
import { serveModels } from "./models.ts";
import { createFairQueue } from "./queue.ts";
import { openUploads } from "./uploads.ts";

/** What a server serves and where. */
export interface ServerOptions {
  readonly models: ModelLoader;
  /** Names or folders of models that are served beside those of the list; the first is what the page opens with. */
  readonly served: readonly string[];
  /** Default: 127.0.0.1. Any other than loopback needs a token. */
  readonly host?: string;
  /** 0 takes any free one. */
  readonly port?: number;
  /** At least 16 characters; who has it may use the server. */
  readonly token?: string | undefined;
  /** Where a reverse proxy shows the pages: `https://clip.example.org`. */
  readonly origins?: readonly string[];
  /** Origins whose pages may show a single view (`?embed=1`) in a frame. Default: none. */
  readonly embed?: readonly string[];
  /** The path below which they lie there, such as `/clip`. */
  readonly basePath?: string;
  /** Beside the built-in ones. */
  readonly corpora?: readonly CorpusSpec[];
  /** A labels file, for properties. */
  readonly labels?: string | undefined;
  /** Where uploads, indexes and measurements are kept. Default: this program's cache. */
  readonly cache?: string;
  readonly limits?: Partial<Limits>;
  readonly puller?: Puller;
  readonly builtIn?: readonly CorpusSpec[];
  readonly onFault?: (error: unknown) => void;
}

/** A server that listens. */
export interface RunningServer {
  /** Where to open it, without the token. */
  readonly url: string;
  /** Where a reverse proxy shows it. */
  readonly outside: readonly string[];
  /** Stops jobs, ends connections. */
  close(): Promise<void>;
}

/** dist/web, from src/server/ and dist/server/ alike. */
const WEB = fileURLToPath(new URL("../../dist/web/", import.meta.url)).replace(/[\\/]$/, "");

/**
 * Starts the server.
 * @throws `USAGE` for an address beyond this machine without a token, or an origin or path that is none;
 *   `ADDRESS_UNUSABLE`; what is wrong with a model, an index or labels that it is to serve, before anything is opened
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 0, token, labels } = options;
  if (!isLoopback(host) && token === undefined) {
    throw new ClipInterpretError(
      "USAGE",
      `${host} can be reached from other machines, so it needs a --token`,
    );
  }
  if (token !== undefined && token.length < 16) {
    throw new ClipInterpretError("USAGE", "a token has at least 16 characters");
  }
  const origins = (options.origins ?? []).map((origin) => originOf(origin));
  const embed = (options.embed ?? []).map((origin) => originOf(origin, "--embed"));
  const basePath = basePathOf(options.basePath ?? "");
  const cache = join(options.cache ?? ownCacheFolder(process.env), "app");
  const limits = { ...LIMITS, ...options.limits };
  const specs = distinct([...(options.corpora ?? []), ...(options.builtIn ?? builtInCorpora())]);
  const models = await serveModels(options.models, options.served);
  const indexes = specs.flatMap(({ index }) => (index === undefined ? [] : [index]));
  for (const index of indexes) await requireServed(index, models);
  if (labels !== undefined) await requireLabels(labels, models);
  const corpora = createCorpora(specs, cache);
  const uploads = openUploads(join(cache, "uploads"), limits);
  const queue = createFairQueue(limits);
  const jobs = createJobs();
  const services = {
    ...{ corpora, uploads, queue, jobs, limits, cache, labels, models },
    looks: createLooks(corpora, uploads, queue, limits),
    puller: options.puller ?? createPuller(),
  };
  const onFault = options.onFault ?? (() => {});
  const app = await createApp(services, { token, origins, embed, basePath, webFolder: WEB, onFault });
  const server = await listen(app.fetch, host, port);
  const { port: taken } = server.address() as AddressInfo;
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shown}:${taken}${basePath}/`,
    outside: origins.map((origin) => `${origin}${basePath}/`),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await jobs.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(
  fetch: Parameters<typeof serve>[0]["fetch"],
  hostname: string,
  port: number,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname, port, overrideGlobalObjects: false }) as Server;
    server.headersTimeout = 10_000;
    server.requestTimeout = 120_000;
    server.once("error", (cause) =>
      reject(
        new ClipInterpretError(
          "ADDRESS_UNUSABLE",
          `cannot listen on ${hostname}:${port}: ${messageOf(cause)}`,
          { cause },
        ),
      ),
    );
    server.once("listening", () => resolve(server));
  });
}

/** The first of each name: what a user registers goes before what is built in. */
function distinct(specs: readonly CorpusSpec[]): CorpusSpec[] {
  const names = new Map<string, CorpusSpec>();
  for (const spec of specs) {
    let name = spec.name;
    for (let n = 2; names.has(name); n++) name = `${spec.name}-${n}`;
    names.set(name, { ...spec, name });
  }
  return [...names.values()];
}
