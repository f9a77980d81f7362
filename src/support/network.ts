/**
 * `fetch` as networks of companies need it. Node 20's own reads no proxy from the environment; undici, which is Node's
 * `fetch` as a package, does. Everything that connects to somewhere uses the one from here.
 */
import type { Dispatcher, EnvHttpProxyAgent } from "undici";
import { ClipInterpretError } from "./errors.ts";

/** True for a host that is this machine, as a URL or a command line names it. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);

/** What the environment says of proxies. */
interface Proxies {
  /** Undefined, or the variable's name and the proxy's address. */
  readonly http: Named | undefined;
  readonly https: Named | undefined;
  readonly except: string;
}
interface Named {
  readonly variable: string;
  readonly url: URL;
}

/** The agent of the variables as they were when it was made: they are read at every request, for they may be set late. */
let made: { readonly key: string; readonly agent: EnvHttpProxyAgent } | undefined;

/**
 * `fetch` through the proxy that `HTTPS_PROXY` and `HTTP_PROXY` name (small letters go first), except for hosts in
 * `NO_PROXY` and for this machine. Certificates in `NODE_EXTRA_CA_CERTS` are read by Node itself.
 *
 * @throws `CERTIFICATE_UNTRUSTED`, `PROXY_FAILED`, `USAGE` for a proxy that is no address; else what `fetch` throws
 */
export const networkFetch: typeof fetch = async (input, init) => {
  const proxies = proxiesOf(process.env);
  try {
    if (!proxies.http && !proxies.https) return await fetch(input, init);
    const undici = await import("undici");
    const dispatcher = agentOf(undici, proxies);
    const options = { ...init, dispatcher } as Parameters<typeof undici.fetch>[1];
    return (await undici.fetch(input as string | URL, options)) as unknown as Response;
  } catch (error) {
    throw faultOfNetwork(error, proxies) ?? error;
  }
};

/** A request as a client of its own puts it together: nothing is added to it, and nothing of its answer is unpacked. */
export interface RawRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  readonly signal?: AbortSignal;
  /** Milliseconds that a server may stay silent. */
  readonly silenceMs: number;
}

/**
 * Makes a request through the proxy that the environment names.
 * @throws as {@link networkFetch}; what undici throws
 */
export async function requestThroughProxy(
  url: string,
  { method, silenceMs, ...request }: RawRequest,
): Promise<Dispatcher.ResponseData> {
  const proxies = proxiesOf(process.env);
  try {
    const undici = await import("undici");
    const answer = await undici.request(url, {
      ...request,
      method: method as Dispatcher.HttpMethod,
      ...{ headersTimeout: silenceMs, bodyTimeout: silenceMs, dispatcher: agentOf(undici, proxies) },
    });
    // Of plain http a proxy refuses a request as a server would.
    if (answer.statusCode === 407 && proxies.http) throw proxyFailed(proxies.http, WANTS_A_NAME);
    return answer;
  } catch (error) {
    throw faultOfNetwork(error, proxies) ?? error;
  }
}

/** Whether the environment names a proxy. @throws `USAGE` for one that is no address */
export function hasProxy(env: NodeJS.ProcessEnv): boolean {
  const { http, https } = proxiesOf(env);
  return http !== undefined || https !== undefined;
}

function agentOf({ EnvHttpProxyAgent }: typeof import("undici"), { http, https, except }: Proxies) {
  const key = JSON.stringify([http, https, except]);
  if (made?.key === key) return made.agent;
  const agent = new EnvHttpProxyAgent({
    ...(http && { httpProxy: http.url.href }),
    ...(https && { httpsProxy: https.url.href }),
    // As Go and browsers do: a proxy cannot reach this machine's own servers.
    noProxy: except === "*" ? except : `${except},localhost,127.0.0.1,[::1]`,
    // Plain http is asked of a proxy as a whole address; many refuse a tunnel to port 80.
    proxyTunnel: false,
  });
  made = { key, agent };
  return agent;
}

function proxiesOf(env: NodeJS.ProcessEnv): Proxies {
  const named = (variable: string): Named | undefined => {
    const text = env[variable.toLowerCase()] || env[variable];
    if (!text) return undefined;
    const url = text.includes("://") ? text : `http://${text}`;
    if (URL.canParse(url)) return { variable, url: new URL(url) };
    throw new ClipInterpretError("USAGE", `${variable} is no address of a proxy: ${text}`, {
      hint: "Set it to something like http://proxy.example:3128, or unset it.",
    });
  };
  const http = named("HTTP_PROXY");
  return { http, https: named("HTTPS_PROXY") ?? http, except: (env.no_proxy || env.NO_PROXY) ?? "" };
}

/** What OpenSSL and Node call a certificate that they do not accept. */
const OF_CERTIFICATE =
  /^(CERT_|ERR_TLS_CERT_|(DEPTH_ZERO_)?SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)|(INVALID|PATH_LENGTH)_|HOSTNAME_MISMATCH)/;

/** The errors that trying again does not mend, found below fetch's "fetch failed". */
function faultOfNetwork(error: unknown, { http, https }: Proxies): ClipInterpretError | undefined {
  const cause = rootOf(error);
  const { code = "", message = "" } = cause;
  if (OF_CERTIFICATE.test(code)) {
    return new ClipInterpretError("CERTIFICATE_UNTRUSTED", `${message} (${code})`, { cause: error });
  }
  const refusal = /^Proxy .*\((4\d\d)\)/.exec(message)?.[1];
  for (const proxy of [https, http]) {
    if (!proxy) continue;
    if (refusal !== undefined) {
      return proxyFailed(
        proxy,
        refusal === "407" ? WANTS_A_NAME : `refuses the connection (${refusal})`,
        error,
      );
    }
    const isThere =
      cause.hostname === proxy.url.hostname ||
      (cause.port !== undefined &&
        String(cause.port) === (proxy.url.port || (proxy.url.protocol === "https:" ? "443" : "80")));
    if (["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"].includes(code) && isThere)
      return proxyFailed(proxy, message, error);
  }
  return undefined;
}

interface Rooted {
  readonly code?: string;
  readonly message?: string;
  readonly hostname?: string;
  readonly port?: number;
}

function rootOf(error: unknown): Rooted {
  let found = error;
  while (found instanceof Error && found.cause instanceof Error) found = found.cause;
  return (found instanceof AggregateError ? found.errors[0] : found) ?? {};
}

const WANTS_A_NAME = "wants a name and a password (407)";

function proxyFailed({ variable, url }: Named, why: string, cause?: unknown): ClipInterpretError {
  // Without the name and password that an address may hold.
  const shown = `${url.protocol}//${url.host}`;
  return new ClipInterpretError("PROXY_FAILED", `the proxy ${shown} of ${variable}: ${why}`, { cause });
}
