/** The address at which a process says whether it lives, whether it is ready, and its figures. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ClipInterpretError, messageOf } from "../support/errors.ts";

/** What is asked of a process. */
export interface Monitored {
  /** Undefined where it can take work; else why it cannot. */
  readiness(): string | undefined;
  metrics(): Promise<string>;
  readonly metricsType: string;
}

/** Reads `9464`, `0.0.0.0:9464` or `[::]:9464`; without a host it is loopback. @throws `USAGE` */
export function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]:|([^:\s]+):)?(\d{1,5})$/i.exec(text) ?? [];
  if (port === undefined || Number(port) > 65535)
    throw new ClipInterpretError("USAGE", `--listen takes PORT or HOST:PORT, not "${text}"`);
  return { host: bracketed ?? plain ?? "127.0.0.1", port: Number(port) };
}

/**
 * Listens: `/healthz` (200 while the process answers), `/readyz` (200, or 503 with the reason), `/metrics`.
 * @throws `ADDRESS_UNUSABLE`
 */
export async function startMonitor(
  { host, port }: { readonly host: string; readonly port: number },
  { readiness, metrics, metricsType }: Monitored,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const answerTo = async (path: string): Promise<readonly [status: number, text: string, type?: string]> => {
    if (path === "/healthz") return [200, "ok\n"];
    if (path === "/metrics") return [200, await metrics(), metricsType];
    if (path !== "/readyz") return [404, "there are /healthz, /readyz and /metrics\n"];
    const reason = readiness();
    return [reason === undefined ? 200 : 503, `${reason ?? "ready"}\n`];
  };
  const server = createServer(async (request, response) => {
    const path = (request.url ?? "").split("?", 1)[0];
    const [status, text, type = "text/plain; charset=utf-8"] = await answerTo(path).catch(
      (error: unknown) => [500, `${messageOf(error)}\n`] as const,
    );
    response.writeHead(status, { "Content-Type": type }).end(text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new ClipInterpretError("ADDRESS_UNUSABLE", `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
          hint: "Choose another with --listen; port 0 takes any that is free.",
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${taken}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
