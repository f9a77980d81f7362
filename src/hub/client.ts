import { ClipInterpretError } from "../support/errors.ts";
import { networkFetch } from "../support/network.ts";
import type { WorkOptions } from "../support/progress.ts";
import type { HubSettings } from "./environment.ts";
import { PassingFailure, type Patience, reasonOf, retrying, silenceGuard } from "./retry.ts";

/** Speaks to one hub. */
export interface HubClient {
  readonly settings: HubSettings;
  readonly patience: Patience;
  /**
   * One request, tried once.
   * @throws {PassingFailure} when trying again may help; coded errors when it will not
   */
  request(url: string, init: { headers?: Record<string, string>; signal: AbortSignal }): Promise<Response>;
  /** The same as a `fetch` that keeps trying and bounds its answers, for @huggingface/hub. */
  fetchFor(work: WorkOptions): typeof fetch;
}

/** A listing of a repository is some kB; nothing that claims to be one may fill the memory. */
const LARGEST_ANSWER = 32 * 1024 * 1024;

/** Makes a client; nothing is sent before it is asked to. */
export function createClient(settings: HubSettings, patience: Patience): HubClient {
  const request: HubClient["request"] = async (url, { headers = {}, signal }) => {
    const sent = { headers: headersFor(url, settings, headers), signal };
    const response = await networkFetch(url, sent).catch((cause) => {
      // What trying again does not mend says itself what to do.
      if (cause instanceof ClipInterpretError) throw cause;
      throw unreachable(settings, reasonOf(cause), cause);
    });
    // 416: the range asked for is not there; whoever asked knows what that means.
    if (response.ok || response.status === 416) return response;
    await response.body?.cancel();
    throw failureOf(response, url, settings);
  };
  return {
    settings,
    patience,
    request,
    fetchFor: (work) => (input, init) =>
      retrying(
        async () => {
          const guard = silenceGuard(patience.silenceMs, work.signal);
          try {
            const headers = Object.fromEntries(new Headers(init?.headers));
            const response = await request(String(input), { headers, signal: guard.signal });
            const chunks: Uint8Array<ArrayBuffer>[] = [];
            let length = 0;
            for await (const chunk of response.body ?? []) {
              guard.touch();
              chunks.push(chunk);
              length += chunk.length;
              if (length > LARGEST_ANSWER) throw endless(settings, String(input));
            }
            // The link to the next page is all that is read of the headers.
            const link = response.headers.get("link");
            return new Response(new Blob(chunks), { headers: link ? { link } : {} });
          } catch (cause) {
            if (cause instanceof ClipInterpretError || cause instanceof PassingFailure) throw cause;
            throw unreachable(settings, reasonOf(cause), cause);
          } finally {
            guard.stop();
          }
        },
        patience,
        work,
      ),
  };
}

/** The token goes to the hub alone; on a redirect to another host, fetch itself leaves it out. */
function headersFor(url: string, { endpoint, token }: HubSettings, headers: Record<string, string>) {
  const own = new URL(url).origin === new URL(endpoint).origin;
  return {
    "user-agent": "clip-interpret",
    // Sizes and ranges are those of the file, not of a compressed answer.
    "accept-encoding": "identity",
    ...headers,
    ...(own && token && { authorization: `Bearer ${token}` }),
  };
}

const endless = ({ endpoint }: HubSettings, url: string) =>
  new ClipInterpretError("HUB_INVALID", `${endpoint}: the answer for ${new URL(url).pathname} has no end`);

/** A connection that failed or broke off. */
export const unreachable = ({ endpoint }: HubSettings, why: string, cause?: unknown): PassingFailure =>
  new PassingFailure(new ClipInterpretError("HUB_UNREACHABLE", `${endpoint}: ${why}`, { cause }));

function failureOf(response: Response, url: string, settings: HubSettings): Error {
  const { status } = response;
  const what = `${settings.endpoint} answers ${status} for ${new URL(url).pathname}`;
  switch (status) {
    case 401:
    case 403:
      return new ClipInterpretError("HUB_UNAUTHORIZED", what);
    case 404:
      return new ClipInterpretError("HUB_NOT_FOUND", what);
    case 429: {
      const waitMs = retryAfter(response.headers.get("retry-after"));
      const until = waitMs === undefined ? "" : `, and asks to wait ${Math.ceil(waitMs / 1000)} s`;
      return new PassingFailure(new ClipInterpretError("HUB_RATE_LIMITED", `${what}${until}`), waitMs);
    }
    case 408:
    case 425:
      return new PassingFailure(new ClipInterpretError("HUB_UNREACHABLE", what));
    default:
      if (status >= 500) return new PassingFailure(new ClipInterpretError("HUB_UNREACHABLE", what));
      return new ClipInterpretError("HUB_INVALID", what);
  }
}

/** `Retry-After` in milliseconds: seconds or a date. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
