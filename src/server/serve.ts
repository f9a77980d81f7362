import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { createPuller, type Puller } from "../hub/pull.ts";
import { isEmbedded } from "../model/embedded.ts";
import { ownCacheFolder } from "../support/environment.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { isLoopback } from "../support/network.ts";
import { once } from "../support/shared.ts";
import { basePathOf, originOf } from "./address.ts";
import { createApp } from "./app.ts";
import { createLabels } from "./atlas.ts";
import { createComparisons } from "./comparisons.ts";
import { builtInCorpora, type CorpusSpec, createCorpora, requireServed } from "./corpora.ts";
import { createPictures } from "./drawing.ts";
import { requireLabels } from "./insights.ts";
import { createJobs } from "./jobs.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { loadAhead, lookAhead } from "./look-ahead.ts";
import { createLooks } from "./looks.ts";
import { serveModels } from "./models.ts";
import type { Answered } from "./operations.ts";
import { openCorpusMemory } from "./own-corpora.ts";
import { createFairQueue } from "./queue.ts";
import { openReports } from "./reports.ts";
import { openRoots } from "./roots.ts";
import type { Engine } from "./threads/engine.ts";
import { createTaskRunner } from "./threads/task-runner.ts";
import { openUploads } from "./uploads.ts";

/** What a server serves and where. */
export interface ServerOptions {
  readonly models: Engine;
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
  /** Folders below which pages may choose folders of pictures to add. */
  readonly roots?: readonly string[];
  /** Pages that commands wrote, or folders of studies, which the app shows. */
  readonly reports?: readonly string[];
  /** A labels file, for properties. */
  readonly labels?: string | undefined;
  /** Where uploads, indexes and measurements are kept. Default: this program's cache. */
  readonly cache?: string;
  readonly limits?: Partial<Limits>;
  readonly puller?: Puller;
  readonly builtIn?: readonly CorpusSpec[];
  readonly onFault?: (error: unknown) => void;
  /** Whether the first page's answers are computed before anybody asks, where the model is an embedded one. Default: false. */
  readonly ahead?: boolean;
  /** Hears of each request that was answered. */
  readonly onRequest?: ((answered: Answered) => void) | undefined;
}

/** A server that listens. */
export interface RunningServer {
  /** Where to open it, without the token. */
  readonly url: string;
  /** Where a reverse proxy shows it. */
  readonly outside: readonly string[];
  /** Requests that are being answered, and jobs that wait or run. */
  underWay(): { readonly requests: number; readonly jobs: number };
  /**
   * Takes no further requests, lets those under way end, and jobs stop where they can go on later; both have ten seconds.
   * @returns how many were cut off
   */
  close(): Promise<{ readonly requests: number; readonly jobs: number }>;
}

/** How long what runs may take to end. */
const STOP_SECONDS = 10;

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
  const given = options.corpora ?? [];
  const roots = await openRoots(options.roots ?? []);
  const reports = await openReports(options.reports ?? []);
  const models = await serveModels(options.models, options.served, process.env, (model) => {
    if (options.ahead) void loadAhead(model);
  });
  for (const { index } of given) if (index !== undefined) await requireServed(index, models);
  if (labels !== undefined) await requireLabels(labels, models);
  // What a user names at the start goes before what was chosen in a page.
  const first = given.find(({ index }) => index !== undefined)?.name;
  const allowed = roots.all.map(({ folder }) => folder);
  const memory = await openCorpusMemory(cache, allowed, first);
  const tasks = createTaskRunner(options.models, "jobs");
  const asks = createTaskRunner(options.models, "pages");
  const specs = [...given, ...(options.builtIn ?? builtInCorpora())];
  const corpora = createCorpora(specs, { cache, tasks, memory });
  const pictures = createPictures(asks);
  const uploads = openUploads(join(cache, "uploads"), pictures, limits);
  const jobs = createJobs(limits);
  const comparisons = createComparisons(cache, { corpora, models, jobs, tasks });
  const looks = createLooks(corpora, uploads, createFairQueue(limits), limits);
  const stopping = new AbortController();
  const services = {
    ...{
      corpora,
      uploads,
      pictures,
      looks,
      jobs,
      limits,
      cache,
      models,
      tasks,
      asks,
      roots,
      reports,
      comparisons,
    },
    searches: createFairQueue(limits),
    ...{ labelsFile: labels, labels: createLabels(cache, labels) },
    puller: options.puller ?? createPuller(),
    stopping: stopping.signal,
  };
  const { onFault = () => {}, onRequest } = options;
  const reached = { token, origins, embed, basePath, webFolder: WEB };
  const app = await createApp(services, { ...reached, onFault, onRequest });
  let requests = 0;
  const fetch: typeof app.fetch = async (...asked) => {
    requests++;
    try {
      return await app.fetch(...asked);
    } finally {
      requests--;
    }
  };
  const server = await listen(fetch, host, port);
  const { port: taken } = server.address() as AddressInfo;
  // Of a large model it would be seconds that somebody may wait for.
  if (options.ahead && isEmbedded(models.defaultModel))
    lookAhead(services, models.defaultModel).catch((error: unknown) => {
      if (!stopping.signal.aborted) onFault(error);
    });
  const shown = host.includes(":") ? `[${host}]` : host;
  const underWay = () => ({ requests, jobs: jobs.underWay() });
  const stop = async () => {
    stopping.abort();
    const closed = new Promise((resolve) => server.close(resolve));
    const stopped = Promise.all([jobs.close(), closed]);
    // A connection that is kept for another request would be waited for.
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    const late = new Promise((resolve) => setTimeout(resolve, STOP_SECONDS * 1000).unref());
    await Promise.race([stopped, late]);
    clearInterval(idle);
    const cut = underWay();
    server.closeAllConnections();
    await closed;
    // A thread ends after what it is at: within that it would take the process with it.
    await Promise.all([looks.close(), asks.close(), tasks.close()]);
    return cut;
  };
  const stopOnce = once(stop);
  return {
    url: `http://${shown}:${taken}${basePath}/`,
    outside: origins.map((origin) => `${origin}${basePath}/`),
    underWay,
    close: stopOnce,
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
