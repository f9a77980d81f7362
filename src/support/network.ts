/**
 * `fetch` as networks of companies need it. Node 20's own reads no proxy from the environment; undici, which is Node's
 * `fetch` as a package, does. Everything that connects to somewhere uses the one from here.
 */
import type { EnvHttpProxyAgent } from "undici";
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
    const key = JSON.stringify(proxies);
    if (made?.key !== key) made = { key, agent: agentOf(undici, proxies) };
    const options = { ...init, dispatcher: made.agent } as Parameters<typeof undici.fetch>[1];
    return (await undici.fetch(input as string | URL, options)) as unknown as Response;
  } catch (error) {
    throw faultOfNetwork(error, proxies) ?? error;
  }
};

function agentOf({ EnvHttpProxyAgent }: typeof import("undici"), { http, https, except }: Proxies) {
  return new EnvHttpProxyAgent({
    ...(http && { httpProxy: http.url.href }),
    ...(https && { httpsProxy: https.url.href }),
    // As Go and browsers do: a proxy cannot reach this machine's own servers.
    noProxy: except === "*" ? except : `${except},localhost,127.0.0.1,[::1]`,
    // Plain http is asked of a proxy as a whole address; many refuse a tunnel to port 80.
    proxyTunnel: false,
  });
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
        refusal === "407" ? "wants a name and a password (407)" : `refuses the connection (${refusal})`,
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

function proxyFailed({ variable, url }: Named, why: string, cause?: unknown): ClipInterpretError {
  // Without the name and password that an address may hold.
  const shown = `${url.protocol}//${url.host}`;
  return new ClipInterpretError("PROXY_FAILED", `the proxy ${shown} of ${variable}: ${why}`, { cause });
}
