/** The client of stores behind the S3 protocol, loaded when a store is first asked for something, and what its failures mean here. */
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { ClipInterpretError, messageOf } from "../support/errors.ts";

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
  const named = Object.entries(env).filter(([name]) => /^AWS_|^CLIP_INTERPRET_STORE_/.test(name));
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
    requestHandler: { connectionTimeout: silence, requestTimeout: silence, throwOnRequestTimeout: true },
    ...(!env.AWS_MAX_ATTEMPTS && { maxAttempts: ATTEMPTS }),
    ...(!env.AWS_REGION && env.AWS_DEFAULT_REGION && { region: env.AWS_DEFAULT_REGION }),
  };
  const client = new sdk.S3Client(config);
  const region = await client.config.region().catch(() => undefined);
  // Most servers of one's own take any.
  if (!region) return { sdk, client: new sdk.S3Client({ ...config, region: "us-east-1" }) };
  return { sdk, client };
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
