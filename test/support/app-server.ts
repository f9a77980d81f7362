import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { builtInCorpora } from "../../src/server/corpora.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../src/server/serve.ts";
import { type Engine, startEngine } from "../../src/server/threads/engine.ts";
import { once } from "../../src/support/shared.ts";

/** A server on a real socket, with a cache of its own and a demo corpus of a few scenes. */
export interface TestServer {
  readonly url: string;
  readonly cache: string;
  /** How often the image tower and the text tower ran. */
  readonly runs: { images: number; texts: number };
  readonly faults: unknown[];
  /** Its models, for whoever wants to keep them busy. */
  readonly models: Engine;
  /** Stops it, as Ctrl-C does. */
  stop: RunningServer["close"];
  /** Stops it, and removes what it kept. */
  close(): Promise<void>;
}

/** One thread for the encoders of all servers of a test run: it takes a second to start. */
const engine = once(async () => startEngine());

/** Models that count what they are asked; the models are the real ones. */
async function counting(runs: TestServer["runs"]): Promise<Engine> {
  const models = await engine();
  const counted = new WeakMap<ClipModel, ClipModel>();
  return {
    ...models,
    async load(name, otherwise) {
      const model = await models.load(name, otherwise);
      const known = counted.get(model) ?? {
        ...model,
        decompose: (...args) => {
          runs.images++;
          return model.decompose(...args);
        },
        encodeTexts: (...args) => {
          runs.texts++;
          return model.encodeTexts(...args);
        },
      };
      counted.set(model, known);
      return known;
    },
  };
}

/** Starts it. @param scenes in the demo corpus */
export async function startTestServer(
  options: Partial<ServerOptions> = {},
  scenes = 48,
): Promise<TestServer> {
  const cache = options.cache ?? (await mkdtemp(join(tmpdir(), "clip-interpret-app-")));
  const runs = { images: 0, texts: 0 };
  const faults: unknown[] = [];
  const models = await counting(runs);
  const clear = () =>
    options.cache === undefined ? rm(cache, { recursive: true, force: true }) : Promise.resolve();
  const server = await startServer({
    ...{ models, served: [DEFAULT_MODEL], cache },
    builtIn: builtInCorpora({ ...process.env, CLIP_INTERPRET_CACHE: cache }, scenes),
    onFault: (error) => faults.push(error),
    ...options,
  }).catch(async (error) => {
    await clear();
    throw error;
  });
  return {
    ...{ url: server.url.replace(/\/$/, ""), cache, runs, faults, models },
    stop: () => server.close(),
    async close() {
      await server.close();
      await clear();
    },
  };
}

/** An answer as it came over the socket. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
}

/** Sends one request with any headers, Host and a raw path among them, which fetch would not let through. */
export function send(
  base: string,
  path: string,
  {
    method = "GET",
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const whole = Buffer.concat(chunks);
        resolve({
          ...{ status: response.statusCode ?? 0, headers: response.headers, body: whole },
          json: () => JSON.parse(whole.toString()),
        });
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

/** Posts JSON. */
export const post = (base: string, path: string, json: unknown, headers: Record<string, string> = {}) =>
  send(base, path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(json),
  });

/** The code of a failed request. */
export const codeOf = (answer: Answer): string =>
  answer.json<{ error: { code: string } }>().error?.code ?? `status ${answer.status}`;
