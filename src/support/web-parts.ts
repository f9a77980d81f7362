import { ClipInterpretError, messageOf } from "./errors.ts";

/** How parts of files are asked for. */
export interface WebPartsOptions {
  /** Hears of each answer's bytes. */
  readonly onFetched?: ((fetched: { readonly address: string; readonly bytes: number }) => void) | undefined;
  /** Default: the environment's own. */
  readonly fetch?: typeof fetch | undefined;
  /** What stops the requests that are sent from now on. */
  readonly signal?: (() => AbortSignal | undefined) | undefined;
}

/** A part of a file as a server sent it. */
export interface WebPart {
  /** Where it begins in the file. */
  readonly at: number;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Bytes of the file; undefined where the server does not let the page see them. */
  readonly size: number | undefined;
  /** What the server tells a file's version by; empty where it says nothing. */
  readonly version: string;
  /** False where the whole file came, asked for or not. */
  readonly isPart: boolean;
}

/** Files of a web server, whole or in parts. */
export interface WebParts {
  /** @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `CORS_REFUSED`, `SERVER_UNREACHABLE`, `CANCELLED` */
  whole(address: string): Promise<WebPart>;
  /**
   * One part. A server that knows no ranges sends the whole file, if that has at most `mostWhole` bytes.
   * @throws as {@link WebParts.whole}; `RANGES_REFUSED`
   */
  part(address: string, begin: number, end: number, mostWhole?: number): Promise<WebPart>;
  /** Whether there is such a file. @throws `CORS_REFUSED`, `SERVER_UNREACHABLE`, `CANCELLED` */
  isThere(address: string): Promise<boolean>;
}

/** Asks past the browser's own cache, which asks for some ranges twice, and holds a second time what is kept elsewhere. */
export const pastCache =
  (ask: typeof fetch = globalThis.fetch.bind(globalThis)): typeof fetch =>
  (address, init) =>
    ask(address, { ...init, cache: "no-store" } as RequestInit);

/** Asks a web server. */
export function webParts({
  onFetched,
  fetch: ask = globalThis.fetch.bind(globalThis),
  signal: stops = () => undefined,
}: WebPartsOptions = {}): WebParts {
  const send = async (address: string, init: RequestInit): Promise<Response> => {
    const signal = stops();
    const sent = { ...init, ...(signal && { signal }) };
    // A connection that was kept for the next request may have been closed meanwhile: it is asked again on another.
    return ask(address, sent)
      .catch((cause: unknown) => {
        if (signal?.aborted || cause instanceof ClipInterpretError) throw cause;
        return ask(address, sent);
      })
      .catch(async (cause: unknown) => {
        throw await failureOf(address, cause, signal);
      });
  };
  /** What a failed request means. A page is not told; but a server that answers whoever reads nothing is there. */
  const failureOf = async (address: string, cause: unknown, signal?: AbortSignal): Promise<unknown> => {
    if (signal?.aborted) return stopped();
    if (cause instanceof ClipInterpretError) return cause;
    const { host } = new URL(address, "http://nowhere");
    const unread = { method: "HEAD", mode: "no-cors", ...(signal && { signal }) } as const;
    const answers = await ask(address, unread).then(
      ({ type }) => type === "opaque",
      () => false,
    );
    return answers
      ? new ClipInterpretError("CORS_REFUSED", `${host} does not let pages of other sites read ${address}`, {
          cause,
        })
      : new ClipInterpretError("SERVER_UNREACHABLE", `cannot read ${address}: ${messageOf(cause)}`, {
          cause,
        });
  };
  const request = async (address: string, init: RequestInit): Promise<Response> => {
    const response = await send(address, init);
    if (response.status === 404 || response.status === 410)
      throw new ClipInterpretError("INPUT_NOT_FOUND", `no such file: ${address}`);
    if (!response.ok) throw unreadable(address, `the server answers ${response.status}`);
    return response;
  };
  const partOf = async (address: string, response: Response, asked?: number): Promise<WebPart> => {
    let body: Uint8Array<ArrayBuffer>;
    try {
      body = new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      if (stops()?.aborted) throw stopped();
      throw unreadable(address, messageOf(cause), cause);
    }
    onFetched?.({ address, bytes: body.length });
    const version = response.headers.get("etag") ?? response.headers.get("last-modified") ?? "";
    if (response.status !== 206) return { at: 0, body, size: body.length, version, isPart: false };
    const [, first, size] =
      /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
    const at = first === undefined ? (asked ?? 0) : Number(first);
    return { at, body, size: size === undefined ? undefined : Number(size), version, isPart: true };
  };
  return {
    whole: async (address) => partOf(address, await request(address, {})),
    async part(address, begin, end, mostWhole = Number.POSITIVE_INFINITY) {
      const response = await request(address, { headers: { range: `bytes=${begin}-${end - 1}` } });
      const length = Number(response.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
      if (response.status !== 206 && mostWhole < Number.POSITIVE_INFINITY && !(length <= mostWhole)) {
        await response.body?.cancel();
        throw new ClipInterpretError(
          "RANGES_REFUSED",
          `${new URL(address).host} sends ${address} whole or not at all, and a model is read in parts`,
        );
      }
      return partOf(address, response, begin);
    },
    async isThere(address) {
      const { ok } = await send(address, { method: "HEAD" });
      return ok;
    },
  };
}

/** A file that is there and cannot be read. */
export const unreadable = (address: string, why: string, cause?: unknown): ClipInterpretError =>
  new ClipInterpretError("INPUT_UNREADABLE", `cannot read ${address}: ${why}`, { cause });

const stopped = () =>
  new ClipInterpretError("CANCELLED", "stopped before all of it was fetched", {
    hint: "Ask again to go on: what was kept is not fetched twice.",
  });

/** What is asked for first of a file: a checkpoint's header, of most. */
export const FIRST_BYTES: number = 64 * 1024;
/** What lies between two parts and is fetched along, where another request would take longer. */
export const GAP_BYTES: number = 64 * 1024;

/** Files that a checkpoint may consist of, for servers that list none. */
export const USUAL_NAMES: readonly string[] = [
  ...["open_clip_config.json", "config.json", "processor_config.json", "preprocessor_config.json"],
  ...["open_clip_model.safetensors", "open_clip_pytorch_model.safetensors"],
  ...["model.safetensors", "model.safetensors.index.json"],
  ...["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"],
];

/** From begin to end of what is in a file. */
export type Span = readonly [begin: number, end: number];

/** Parts in order, those joined that lie at most `gap` apart. */
export function joined(parts: readonly Span[], gap: number): [number, number][] {
  const all: [number, number][] = [];
  for (const [begin, end] of [...parts].sort(([a], [b]) => a - b)) {
    const last = all.at(-1);
    if (last && begin <= last[1] + gap) last[1] = Math.max(last[1], end);
    else if (end > begin) all.push([begin, end]);
  }
  return all;
}

/** What of the wanted parts is not here. */
export function missingOf(wanted: readonly Span[], here: readonly Span[]): [number, number][] {
  return wanted.flatMap(([begin, end]) => {
    const left: [number, number][] = [];
    let at = begin;
    for (const [from, to] of here) {
      if (to <= at || from >= end) continue;
      if (from > at) left.push([at, from]);
      at = Math.max(at, to);
    }
    if (at < end) left.push([at, end]);
    return left;
  });
}
