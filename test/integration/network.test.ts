import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { createServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { storeAt } from "../../src/corpus/store-at.ts";
import { createPuller } from "../../src/hub/pull.ts";
import { createChat } from "../../src/labeling/llm-chat.ts";
import { failureOf } from "../../src/labeling/llm-errors.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { runCli } from "../e2e/cli.ts";
import { FILES, failure, NAME, WEIGHTS, type World, world } from "../support/hub-world.ts";
import { serveLlm } from "../support/llm-server.ts";
import { serveProxy } from "../support/proxy-server.ts";
import { startTestStore } from "../support/s3-server.ts";

/** For hub.example, signed by itself; its key stands in the same file. */
const CERTIFICATE = fileURLToPath(new URL("../support/certificates/hub.pem", import.meta.url));
const VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"];
const PATIENT = { attempts: 4, pauseMs: 5, longestPauseMs: 1000, silenceMs: 5000 };

beforeEach(() => {
  for (const name of VARIABLES) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toLowerCase(), undefined);
  }
});
afterEach(() => vi.unstubAllEnvs());

const portOf = (url: string) => Number(new URL(url).port);

/** TLS before a plain server; returns its port and how many connections came to the handshake. */
async function serveTls(to: number): Promise<{ port: number; connections: () => number }> {
  const pem = readFileSync(CERTIFICATE);
  let connections = 0;
  const server = createServer({ key: pem, cert: pem }, (client) => {
    const onward = connect(to, "127.0.0.1");
    onward.pipe(client).pipe(onward);
    for (const end of [client, onward]) end.on("error", () => end.destroy());
  });
  server.on("connection", () => connections++);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

/** Pulls from a hub that only the proxy can find. */
function pullFrom(here: World, endpoint: string, events: ProgressEvent[] = []) {
  const puller = createPuller({ ...here.env, HF_ENDPOINT: endpoint }, PATIENT);
  return puller.pull(NAME, { report: (event) => events.push(event) });
}

describe("a proxy that the environment names", () => {
  it("is asked for every address of a hub, but not for this machine's own", async () => {
    const here = await world();
    const proxy = await serveProxy({ "hub.example": portOf(here.hub.endpoint) });
    vi.stubEnv("HTTP_PROXY", proxy.url.replace("http://", ""));
    await pullFrom(here, "http://hub.example");
    expect(readFileSync(here.weights).equals(FILES[WEIGHTS])).toBe(true);
    expect(proxy.asked[0]).toMatch(/^GET http:\/\/hub\.example\/api\/models\//);
    // Large files come from another host; it is 127.0.0.1 here.
    expect(here.hub.seen.some(({ host }) => host === "files")).toBe(true);
    expect(proxy.asked.filter((address) => address.includes("127.0.0.1"))).toEqual([]);
  });

  it("tunnels https, gets the name and password of its address, and small letters go first", async () => {
    const here = await world();
    const tls = await serveTls(portOf(here.hub.endpoint));
    const proxy = await serveProxy({ "hub.example:443": tls.port });
    vi.stubEnv("HTTPS_PROXY", "http://127.0.0.1:9");
    vi.stubEnv("https_proxy", proxy.url.replace("http://", "http://me:my%20word@"));
    const error = failure("CERTIFICATE_UNTRUSTED", /self-signed certificate/i);
    await expect(pullFrom(here, "https://hub.example")).rejects.toMatchObject(error);
    expect(proxy.asked).toEqual(["CONNECT hub.example:443"]);
    expect(proxy.authorization()).toBe(`Basic ${btoa("me:my word")}`);
  });

  it("is passed by for the hosts of NO_PROXY", async () => {
    const here = await world();
    const proxy = await serveProxy({ "hub.invalid": portOf(here.hub.endpoint) });
    vi.stubEnv("HTTP_PROXY", proxy.url);
    vi.stubEnv("NO_PROXY", "elsewhere.example, .invalid");
    await expect(pullFrom(here, "http://hub.invalid")).rejects.toMatchObject(failure("HUB_UNREACHABLE"));
    expect(proxy.asked).toEqual([]);
    vi.stubEnv("NO_PROXY", "elsewhere.example");
    await pullFrom(here, "http://hub.invalid");
  });

  it("is asked for a language model too", async () => {
    const llm = await serveLlm();
    const proxy = await serveProxy({ "llm.example": portOf(llm.url) });
    vi.stubEnv("HTTP_PROXY", proxy.url);
    const ask = (url: string) =>
      createChat({ url, model: "stand-in" })(
        { system: "s", turns: [{ role: "user", content: "q" }] },
        { temperature: true, limit: "max_tokens", structured: true },
        10,
        new AbortController().signal,
      );
    expect((await ask("http://llm.example/v1")).text).toBe("Location");
    expect(proxy.asked).toEqual(["POST http://llm.example/v1/chat/completions"]);
    expect((await ask(llm.url)).text).toBe("Location");
    expect(proxy.asked).toHaveLength(1);

    proxy.refuse = 407;
    const address = { url: "http://llm.example/v1", model: "stand-in" };
    const error = await ask(address.url).catch((reason: unknown) => reason);
    expect(failureOf(error, address, undefined)).toMatchObject(failure("PROXY_FAILED", /407/));
  });

  it("is asked for a store: bodies, ranges, listings and failures go the same way as without one", async () => {
    const server = await startTestStore();
    onTestFinished(() => server.close());
    const port = portOf(server.env.AWS_ENDPOINT_URL_S3);
    const proxy = await serveProxy({ "store.example": port });
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    vi.stubEnv("AWS_ENDPOINT_URL_S3", "http://store.example");
    vi.stubEnv("HTTP_PROXY", proxy.url);
    const store = storeAt(`${server.address}/an index & more`);
    const kinds = ["refuse", "cut", "truncate", "late"] as const;
    let n = 0;
    server.fault = () => (++n % 5 === 0 ? kinds[(n / 5) % kinds.length] : undefined);
    const large = Buffer.alloc((16 << 20) + 5, 7);
    await store.put("large", [large]);
    expect((await store.readRange("large", large.length - 9, 9)).equals(large.subarray(-9))).toBe(true);
    for (let i = 0; i < 4; i++) await store.put(`a b/${i}+é`, [Buffer.from(`${i}`)]);
    expect((await store.list("a b")).sort()).toEqual(["0+é", "1+é", "2+é", "3+é"]);
    expect((await store.read("a b/3+é")).toString()).toBe("3");
    expect(await store.claim("a b/3+é", [Buffer.from("other")])).toBe(false);
    await store.remove("a b");
    expect(await store.size("a b/3+é")).toBeUndefined();
    server.fault = undefined;
    expect(proxy.asked).toHaveLength(server.asked.length);
    expect(proxy.asked[0]).toMatch(/^POST http:\/\/store\.example\/bucket\/an%20index/);

    vi.stubEnv("NO_PROXY", "store.example");
    vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
    await expect(store.read("large")).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    expect(proxy.asked).toHaveLength(server.asked.length);
  });

  it("is asked to tunnel to a store, and named where it refuses or is not there", async () => {
    const server = await startTestStore();
    onTestFinished(() => server.close());
    const tls = await serveTls(portOf(server.env.AWS_ENDPOINT_URL_S3));
    const proxy = await serveProxy({ "store.example:443": tls.port });
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    vi.stubEnv("AWS_ENDPOINT_URL_S3", "https://store.example");
    vi.stubEnv("HTTPS_PROXY", proxy.url.replace("//", "//me:secret@"));
    const store = storeAt(server.address);
    await expect(store.read("x")).rejects.toMatchObject(failure("CERTIFICATE_UNTRUSTED", /self-signed/));
    expect([proxy.asked, proxy.authorization()]).toEqual([
      ["CONNECT store.example:443"],
      `Basic ${btoa("me:secret")}`,
    ]);
    for (const endpoint of ["https://store.example", "http://store.example"]) {
      vi.stubEnv("AWS_ENDPOINT_URL_S3", endpoint);
      vi.stubEnv("HTTP_PROXY", proxy.url);
      proxy.refuse = 407;
      await expect(store.read("x")).rejects.toMatchObject(
        failure("PROXY_FAILED", new RegExp(`^the proxy ${proxy.url} .*407`)),
      );
    }
    vi.stubEnv("HTTP_PROXY", "http://127.0.0.1:9");
    await expect(store.read("x")).rejects.toMatchObject(
      failure("PROXY_FAILED", /127\.0\.0\.1:9 of HTTP_PROXY/),
    );
    vi.stubEnv("HTTP_PROXY", "http://");
    await expect(store.read("x")).rejects.toMatchObject({ code: "USAGE" });
  });

  it.each(["http://hub.example", "https://hub.example"])(
    "is named, once, where it refuses or is not there: %s",
    async (endpoint) => {
      const here = await world();
      const proxy = await serveProxy({});
      vi.stubEnv("HTTP_PROXY", proxy.url);
      vi.stubEnv("HTTPS_PROXY", proxy.url.replace("//", "//me:secret@"));
      for (const status of [407, ...(endpoint.startsWith("https") ? [403] : [])]) {
        proxy.refuse = status;
        const error = await pullFrom(here, endpoint).catch((reason: unknown) => reason);
        expect(error).toMatchObject(failure("PROXY_FAILED", new RegExp(`${proxy.url} .*${status}`)));
        expect(String(error)).not.toContain("secret");
        expect(proxy.asked.splice(0)).toHaveLength(1);
      }
      const events: ProgressEvent[] = [];
      for (const name of ["HTTP_PROXY", "HTTPS_PROXY"]) vi.stubEnv(name, "http://127.0.0.1:9");
      const away = failure("PROXY_FAILED", /127\.0\.0\.1:9 .*ECONNREFUSED/);
      await expect(pullFrom(here, endpoint, events)).rejects.toMatchObject(away);
      for (const name of ["HTTP_PROXY", "HTTPS_PROXY"]) vi.stubEnv(name, "http://proxy.invalid:3128");
      const unknown = failure("PROXY_FAILED", /proxy\.invalid:3128 .*(ENOTFOUND|EAI_AGAIN)/);
      await expect(pullFrom(here, endpoint, events)).rejects.toMatchObject(unknown);
      expect(events).toEqual([]);
    },
  );

  it("that is no address is refused with the variable's name", async () => {
    vi.stubEnv("HTTPS_PROXY", "http://");
    const here = await world();
    await expect(pullFrom(here, "https://hub.example")).rejects.toMatchObject(
      failure("USAGE", /HTTPS_PROXY/),
    );
  });
});

describe("a certificate", () => {
  it("that nobody vouches for is refused at once, and the hint names NODE_EXTRA_CA_CERTS", async () => {
    const here = await world();
    const tls = await serveTls(portOf(here.hub.endpoint));
    const events: ProgressEvent[] = [];
    await expect(pullFrom(here, `https://127.0.0.1:${tls.port}`, events)).rejects.toMatchObject({
      ...failure("CERTIFICATE_UNTRUSTED"),
      hint: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
    });
    expect([events, tls.connections()]).toEqual([[], 1]);
  });

  it("in NODE_EXTRA_CA_CERTS is trusted, through a proxy too, for its own host alone", async () => {
    const here = await world();
    const tls = await serveTls(portOf(here.hub.endpoint));
    const proxy = await serveProxy({ "hub.example:443": tls.port, "other.example:443": tls.port });
    const env = { ...here.env, HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: CERTIFICATE };
    // Node reads it as it starts.
    const other = await runCli(["pull", NAME], {
      ...{ apart: true, env: { ...env, HF_ENDPOINT: "https://other.example" } },
    });
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/CERTIFICATE_UNTRUSTED.*other\.example/),
    });
    const pulled = await runCli(["pull", NAME], {
      ...{ apart: true, env: { ...env, HF_ENDPOINT: "https://hub.example" } },
    });
    expect(pulled).toMatchObject({ code: 0, stdout: expect.stringContaining(NAME) });
    expect(new Set(proxy.asked)).toEqual(new Set(["CONNECT other.example:443", "CONNECT hub.example:443"]));
  });
});
