import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import { onTestFinished } from "vitest";

/** A proxy on the loopback interface, the only one that knows where the hosts of a test are. */
export interface ProxyServer {
  readonly url: string;
  readonly port: number;
  /** What it was asked: `CONNECT hub.example:443`, `POST http://llm.example/v1/chat/completions`. */
  readonly asked: string[];
  /** Answers everything with this status instead. */
  refuse: number | undefined;
  /** The `Proxy-Authorization` of the last request. */
  readonly authorization: () => string | undefined;
}

/** Starts one that ends with the running test. @param hosts local ports by `host` or `host:port` as clients name them */
export async function serveProxy(hosts: Readonly<Record<string, number>>): Promise<ProxyServer> {
  const asked: string[] = [];
  let authorization: string | undefined;
  const note = ({ method, url, headers }: IncomingMessage) => {
    asked.push(`${method} ${url}`);
    authorization = headers["proxy-authorization"];
  };
  const server: Server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    note(incoming);
    const url = new URL(incoming.url ?? "");
    const port = hosts[url.host];
    if (proxy.refuse || port === undefined) return void response.writeHead(proxy.refuse ?? 502).end();
    const { method, headers } = incoming;
    const options = { host: "127.0.0.1", port, method, headers, path: url.pathname + url.search };
    const onward = request(options, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      pipeline(answer, response, () => {});
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
  });
  const open = new Set<Duplex>();
  server.on("connect", (incoming: IncomingMessage, client: Duplex) => {
    note(incoming);
    const port = hosts[incoming.url ?? ""];
    client.on("error", () => {});
    if (proxy.refuse || port === undefined) {
      client.end(`HTTP/1.1 ${proxy.refuse ?? 502} No\r\n\r\n`);
      return;
    }
    const onward = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    onward.on("error", () => client.destroy());
    for (const end of [client, onward]) open.add(end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    for (const end of open) end.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const proxy: ProxyServer = {
    ...{ url: `http://127.0.0.1:${port}`, port, asked, refuse: undefined },
    authorization: () => authorization,
  };
  return proxy;
}
