/** The client of stores behind the S3 protocol, loaded when a store is first asked for something, and what its failures mean here. */
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { hasProxy, requestThroughProxy } from "../support/network.ts";

/** How often a request is tried; `AWS_MAX_ATTEMPTS` says otherwise. */
export const ATTEMPTS = 8;
/** How long a store may stay silent; `CLIP_INTERPRET_STORE_TIMEOUT` (in seconds) says otherwise. */
const SILENCE_MS = 30_000;
type Sdk = typeof import("@aws-sdk/client-s3");
/** A client, with the commands that it sends. */
export interface Client {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

let made: { readonly key: string; readonly client: Promise<Client> } | undefined;

/** The client for an environment; the one before is used again as long as nothing that concerns it has changed. */
export function clientOf(env: NodeJS.ProcessEnv): Promise<Client> {
  const named = Object.entries(env).filter(([name]) => /^AWS_|^CLIP_INTERPRET_STORE_|_PROXY$/i.test(name));
  const key = JSON.stringify(named.sort());
  if (made?.key !== key) {
    const client = makeClient(env);
    made = { key, client };
    client.catch(() => (made = undefined));
  }
  return made.client;
}

async function makeClient(env: NodeJS.ProcessEnv): Promise<Client> {
  // Its notice of what later versions need of Node is for who updates it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const sdk = await import("@aws-sdk/client-s3");
  const silence = Number(env.CLIP_INTERPRET_STORE_TIMEOUT) * 1000 || SILENCE_MS;
  const config: S3ClientConfig = {
    // Servers other than Amazon's rarely have a host name for each bucket.
    forcePathStyle: Boolean(env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL),
    followRegionRedirects: true,
    requestHandler: hasProxy(env)
      ? (proxied(silence) as unknown as NonNullable<S3ClientConfig["requestHandler"]>)
      : { connectionTimeout: silence, requestTimeout: silence, throwOnRequestTimeout: true },
    ...(!env.AWS_MAX_ATTEMPTS && { maxAttempts: ATTEMPTS }),
    ...(!env.AWS_REGION && env.AWS_DEFAULT_REGION && { region: env.AWS_DEFAULT_REGION }),
  };
  const client = new sdk.S3Client(config);
  const region = await client.config.region().catch(() => undefined);
  // Most servers of one's own take any.
  if (!region) return { sdk, client: new sdk.S3Client({ ...config, region: "us-east-1" }) };
  return { sdk, client };
}

/** A request as the client hands it on. */
interface Sent {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Sends the client's requests through the proxy that the environment names; by itself it knows none. */
const proxied = (silenceMs: number) => ({
  metadata: { handlerProtocol: "http/1.1" },
  async handle(request: Sent, { abortSignal: signal }: { readonly abortSignal?: AbortSignal } = {}) {
    // The proxy's agent counts the body itself, and waits for no permission to send it.
    const sent = Object.entries(request.headers).filter(([name]) => !/^(expect|content-length)$/i.test(name));
    const { method, body = null } = request;
    try {
      const answer = await requestThroughProxy(addressOf(request), {
        ...{ method, headers: Object.fromEntries(sent), body, silenceMs },
        ...(signal && { signal }),
      });
      const plain = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
      const { statusCode, body: bytes } = answer;
      return { response: { statusCode, headers: Object.fromEntries(plain), body: bytes } };
    } catch (error) {
      // What the client tries again goes by this name.
      throw error instanceof ClipInterpretError
        ? error
        : Object.assign(error as Error, { name: "TimeoutError" });
    }
  },
});

function addressOf({ protocol, hostname, port, path, query }: Sent): string {
  const asked = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one ?? "")}`),
  );
  const search = asked.length > 0 ? `?${asked.join("&")}` : "";
  return `${protocol}//${hostname}${port ? `:${port}` : ""}${path}${search}`;
}

/** What a failed request says. */
interface Failure {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}
const statusOf = (cause: unknown) => (cause as Failure).$metadata?.httpStatusCode;
/** Whether a file, and not its bucket, is not there. */
export const isMissing = (cause: unknown) =>
  statusOf(cause) === 404 && (cause as Failure).name !== "NoSuchBucket";
/** Whether a condition was not met: another process was faster. */
export const isLost = (cause: unknown) =>
  statusOf(cause) === 412 || (cause as Failure).name === "ConditionalRequestConflict" || isMissing(cause);

/** The coded error of a request that failed. */
export function faultOf(cause: unknown, address: string, writing: boolean): ClipInterpretError {
  if (cause instanceof ClipInterpretError) return cause;
  const { name = "" } = cause as Failure;
  const status = statusOf(cause);
  const doing = writing ? "write" : "read";
  if (name === "NoSuchBucket") {
    return new ClipInterpretError(
      "STORE_UNREACHABLE",
      `cannot ${doing} ${address}: there is no such bucket`,
      {
        cause,
      },
    );
  }
  if (isMissing(cause)) {
    return new ClipInterpretError("INPUT_NOT_FOUND", `no such file: ${address}`, { cause });
  }
  const why = messageOf(cause) || name;
  if (status === 401 || status === 403 || /Credentials|AccessDenied|ExpiredToken/.test(name)) {
    return new ClipInterpretError("STORE_DENIED", `may not ${doing} ${address}: ${why}`, { cause });
  }
  if (status === undefined || status >= 500 || status === 429) {
    return new ClipInterpretError("STORE_UNREACHABLE", `cannot ${doing} ${address}: ${why}`, { cause });
  }
  return new ClipInterpretError(
    writing ? "OUTPUT_UNWRITABLE" : "INPUT_UNREADABLE",
    `cannot ${doing} ${address}: ${why} (${status})`,
    { cause },
  );
}
