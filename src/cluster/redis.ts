/** The connection to a queue's Redis: an address with a password in it that nobody sees, and waits that say so. */
import type { Redis } from "ioredis";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";

/** A connection that comes back by itself, however long Redis is away. */
export interface Connection {
  readonly redis: Redis;
  /** As messages name it: without name and password. */
  readonly shown: string;
  /** Whether Redis answers now. */
  isReady(): boolean;
  close(): void;
}

/** How long the first connection may take, in milliseconds. */
const FIRST = 10_000;
/** Between two attempts to come back, at most. */
const AGAIN = 2_000;

/** An address as it may be shown. @throws `USAGE` where it is none of a Redis */
export function shownAddress(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "") {
    throw new ClipInterpretError(
      "USAGE",
      "--queue takes redis://host:6379, or rediss://host:6379 over TLS; name and password go before the host",
    );
  }
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, "")}`;
}

/**
 * Connects. What is asked of Redis while it is away waits until it is back, and `report` says so.
 * @throws `USAGE`, `QUEUE_UNREACHABLE` where the first connection does not come about, `QUEUE_UNAUTHORIZED`
 */
export async function connect(address: string, report: Report): Promise<Connection> {
  const shown = shownAddress(address);
  const { Redis: Client } = await import("ioredis");
  const redis = new Client(address, {
    lazyConnect: true,
    // Commands wait for ever rather than fail: whoever gives up loses what Redis will still have.
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(attempt * 100, AGAIN),
    connectionName: "clip-interpret",
  });
  let reason: unknown;
  let away = false;
  let closed = false;
  const close = () => redis.disconnect();
  redis.on("error", (error) => {
    reason = error;
  });
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(reason), FIRST);
  });
  try {
    const first = redis.connect().catch(async (error: unknown) => {
      reason = error;
      // It goes on trying; a password that is wrong stays wrong.
      if (isUnauthorized(error)) throw error;
      await new Promise<void>((resolve, reject) => {
        redis.once("ready", resolve);
        redis.on("error", (again) => isUnauthorized(again) && reject(again));
      });
    });
    await Promise.race([first, tooLong]);
  } catch (cause) {
    close();
    if (isUnauthorized(cause)) throw unauthorized(shown, cause);
    throw new ClipInterpretError(
      "QUEUE_UNREACHABLE",
      `no answer from ${shown}: ${messageOf(reason ?? cause)}`,
      {
        cause,
      },
    );
  } finally {
    clearTimeout(timer);
  }
  redis.on("close", () => {
    if (away || closed) return;
    away = true;
    report({
      type: "warning",
      code: "QUEUE_UNREACHABLE",
      message: `${shown} is away; waiting until it is back`,
    });
  });
  redis.on("ready", () => {
    if (away) report({ type: "note", message: `${shown} is back` });
    away = false;
  });
  const end = () => {
    closed = true;
    close();
  };
  return { redis, shown, isReady: () => redis.status === "ready", close: end };
}

const isUnauthorized = (error: unknown) =>
  /^(NOAUTH|WRONGPASS|ERR invalid password|NOPERM)/.test(messageOf(error));

const unauthorized = (shown: string, cause: unknown) =>
  new ClipInterpretError("QUEUE_UNAUTHORIZED", `${shown} refuses: ${messageOf(cause)}`, { cause });
