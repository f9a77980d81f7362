import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { scanSource } from "../../src/corpus/source.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { corpusImagesSchema } from "../../src/results/app.ts";
import { type Answer, codeOf, post, send, startTestServer, type TestServer } from "../support/app-server.ts";

const MONKEY = fileURLToPath(new URL("../../examples/scenes/images/0067-monkey.png", import.meta.url));
const model = DEFAULT_MODEL;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const upload = (base: string, body: Uint8Array, headers: Record<string, string> = {}) =>
  send(base, "/api/images", {
    method: "POST",
    headers: { "content-type": "application/octet-stream", ...headers },
    body,
  });
const host = () => new URL(server.url).host;

describe("who is answered", () => {
  it.each([
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "10.0.0.7",
    "localhost.evil.example:7860",
  ])("not a request for the host %s: its name may be bound to this machine", async (name) => {
    const answer = await send(server.url, "/api/app", { headers: { host: name } });
    expect([answer.status, codeOf(answer)]).toEqual([403, "REQUEST_FORBIDDEN"]);
    expect((await send(server.url, "/", { headers: { host: name } })).status).toBe(403);
  });

  it("this machine under any of its own names, through a forwarded port too", async () => {
    for (const name of ["localhost", "127.0.0.1:9", "[::1]:8080", "LOCALHOST:80"]) {
      expect((await send(server.url, "/api/app", { headers: { host: name } })).status).toBe(200);
    }
  });

  it.each([
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://localhost:1" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" },
  ])("not another site's page: %o", async (headers) => {
    const sent = Object.fromEntries(Object.entries(headers));
    expect(codeOf(await send(server.url, "/api/models", { headers: sent }))).toBe("REQUEST_FORBIDDEN");
    const job = { kind: "prepare", corpus: "demo", model };
    expect(codeOf(await post(server.url, "/api/jobs", job, sent))).toBe("REQUEST_FORBIDDEN");
    expect(codeOf(await upload(server.url, await readFile(MONKEY), sent))).toBe("REQUEST_FORBIDDEN");
  });

  it("its own page, and programs that are no browser", async () => {
    const headers = { origin: `http://${host()}`, "sec-fetch-site": "same-origin" };
    expect((await send(server.url, "/api/app", { headers })).status).toBe(200);
    expect((await send(server.url, "/api/app")).status).toBe(200);
  });

  it("a page at an origin that was named, under that host too, and no other", async () => {
    const outside = await startTestServer({ origins: ["https://clip.example.org"], cache: server.cache });
    onTestFinished(() => outside.close());
    const ask = async (headers: Record<string, string>) =>
      (await send(outside.url, "/api/app", { headers })).status;
    expect(await ask({ origin: "https://clip.example.org" })).toBe(200);
    expect(await ask({ origin: "https://clip.example.org", host: "clip.example.org" })).toBe(200);
    expect(await ask({ origin: "http://clip.example.org" })).toBe(403);
    expect(await ask({ origin: "https://clip.example.org:8443" })).toBe(403);
    expect(await ask({ host: "example.org" })).toBe(403);
  });

  it("below a path, as it is or cut off by a proxy", async () => {
    const below = await startTestServer({ basePath: "/a/clip/", cache: server.cache });
    onTestFinished(() => below.close());
    expect(new URL(below.url).pathname).toBe("/a/clip");
    const { origin } = new URL(below.url);
    for (const path of ["/a/clip/api/app", "/api/app", "/a/clip/look", "/look", "/a/clip/"])
      expect([path, (await send(origin, path)).status]).toEqual([path, 200]);
    for (const path of ["/a/clipapi/app", "/a/api/app", "/a/clip/a/clip/api/app"])
      expect([path, (await send(origin, path)).status]).toEqual([path, 404]);
    const folder = await send(origin, "/a/clip?token=x");
    expect([folder.status, folder.headers.location]).toEqual([308, "clip/?token=x"]);
  });

  it.each([
    { origins: ["clip.example.org"] },
    { origins: ["https://example.org/clip"] },
    { origins: ["ftp://example.org"] },
    { basePath: "clip" },
    { basePath: "/a//b" },
    { basePath: "//evil.example" },
  ])("nothing at an address that is none: %j", async (options) => {
    await expect(startTestServer({ ...options, cache: server.cache })).rejects.toMatchObject({
      code: "USAGE",
    });
  });

  it("asks for a token where there is one, and takes it out of the address", async () => {
    const token = "correct-horse-battery";
    const guarded = await startTestServer({ token, cache: server.cache });
    onTestFinished(() => guarded.close());
    for (const headers of [{}, { authorization: "Bearer wrong" }, { cookie: "clip-interpret-token=wrong" }]) {
      const answer = await send(guarded.url, "/api/app", {
        headers: { ...headers } as Record<string, string>,
      });
      expect([answer.status, codeOf(answer)]).toEqual([401, "TOKEN_REQUIRED"]);
    }
    const bearer = { authorization: `Bearer ${token}` };
    expect((await send(guarded.url, "/api/app", { headers: bearer })).status).toBe(200);
    const first = await send(guarded.url, `/look?image=x&token=${token}`);
    expect([first.status, first.headers.location]).toEqual([303, "./look?image=x"]);
    const [cookie] = first.headers["set-cookie"]!;
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Strict/i);
    const headers = { cookie: cookie.split(";")[0] };
    expect((await send(guarded.url, "/api/app", { headers })).status).toBe(200);
    // Under another name too, which is the point of listening elsewhere; another site's page stays out.
    const named = { ...bearer, host: "box.lan:7860" };
    expect((await send(guarded.url, "/api/app", { headers: named })).status).toBe(200);
    const foreign = { ...named, origin: "https://evil.example" };
    expect(codeOf(await send(guarded.url, "/api/app", { headers: foreign }))).toBe("REQUEST_FORBIDDEN");
  });

  it("does not listen beyond this machine without a token", async () => {
    await expect(startTestServer({ host: "0.0.0.0" })).rejects.toMatchObject({ code: "USAGE" });
    await expect(startTestServer({ host: "0.0.0.0", token: "short" })).rejects.toMatchObject({
      code: "USAGE",
    });
    await expect(startTestServer({ port: Number(new URL(server.url).port) })).rejects.toMatchObject({
      code: "ADDRESS_UNUSABLE",
    });
  });

  it("every answer keeps its page to itself", async () => {
    for (const path of ["/api/app", "/", "/nothing"]) {
      const { headers } = await send(server.url, path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
      });
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
  });
});

describe("who may show a page in a frame", () => {
  it("those that were named, a single view; nobody else, nothing else", async () => {
    const own = await startTestServer({ embed: ["https://blog.example.org"] });
    onTestFinished(() => own.close());
    const ancestorsOf = async (base: string, path: string) => {
      const { headers } = await send(base, path);
      const [, ancestors] = /frame-ancestors ([^;]*)$/.exec(String(headers["content-security-policy"]))!;
      return [ancestors, headers["x-frame-options"]];
    };
    expect(await ancestorsOf(own.url, "/look?embed=1")).toEqual(["https://blog.example.org", undefined]);
    expect(await ancestorsOf(own.url, "/look")).toEqual(["'none'", "DENY"]);
    expect(await ancestorsOf(server.url, "/look?embed=1")).toEqual(["'none'", "DENY"]);
    await expect(startTestServer({ embed: ["blog.example.org/page"] })).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("--embed"),
    });
  });
});

describe("which files can be had", () => {
  it.each([
    "/../package.json",
    "/..%2f..%2fpackage.json",
    "/assets/../../package.json",
    "/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd",
    "/api/images/..%2f..%2f..%2fetc%2fpasswd",
    "/api/images/scenes:..%2f..%2fREADME.md/picture",
    "/api/images/upload:..%2f..%2fpackage.json/picture",
    "/api/corpora/..%2f..%2f/images",
    "/api/corpora/__proto__/images",
  ])("not %s", async (path) => {
    const answer = await send(server.url, path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.body.toString()).not.toMatch(/"name": "clip-interpret"|root:/);
  });

  it("not what a link in a corpus points to outside of it, and not what is no image of it", async () => {
    const root = join(server.cache, "linked");
    await mkdir(join(root, "below"), { recursive: true });
    const secret = join(server.cache, "secret.png");
    await writeFile(secret, await readFile(MONKEY));
    await writeFile(join(root, "own.png"), await readFile(MONKEY));
    await writeFile(join(root, "below", "own.png"), await readFile(MONKEY));
    await symlink(secret, join(root, "link.png"));
    await symlink(join(root, "own.png"), join(root, "inner.png"));
    const source = () => scanSource(root);
    const linked = await startTestServer({
      corpora: [{ name: "linked", title: "linked", source }],
      cache: server.cache,
    });
    onTestFinished(() => linked.close());
    const list = await send(linked.url, "/api/corpora/linked/images");
    const { images } = corpusImagesSchema.parse(list.json());
    const statuses: Record<string, number> = {};
    for (const { path, image } of images) {
      statuses[path] = (await send(linked.url, `/api/images/${image}/picture`)).status;
    }
    expect(statuses).toEqual({ "below/own.png": 200, "inner.png": 200, "link.png": 404, "own.png": 200 });
    const request = { model, image: images.find(({ path }) => path === "link.png")!.image, texts: ["a"] };
    expect(codeOf(await post(linked.url, "/api/explain", request))).toBe("NOT_FOUND");
  });

  it("a model is a name, never a folder of the server", async () => {
    const folder = fileURLToPath(new URL("../../models/emoji-6x192-p8", import.meta.url));
    for (const name of [folder, "models/emoji-6x192-p8", "../x", "/etc", ""]) {
      const answer = await send(server.url, `/api/model?name=${encodeURIComponent(name)}`);
      expect([404, 400]).toContain(answer.status);
      expect(answer.body.toString()).not.toContain("layers");
    }
  });
});

describe("what is taken in", () => {
  it("an upload of more bytes than the limit is refused, whether it says its length or not", async () => {
    const small = await startTestServer({ limits: { uploadBytes: 100_000 }, cache: server.cache });
    onTestFinished(() => small.close());
    const answer = await upload(small.url, new Uint8Array(200_000));
    expect([answer.status, codeOf(answer)]).toEqual([413, "UPLOAD_TOO_LARGE"]);
    // In chunks, without a length.
    const { hostname, port } = new URL(small.url);
    const reply = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(Number(port), hostname, () => {
        socket.write(
          `POST /api/images HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
        );
        for (let i = 0; i < 40; i++) socket.write(`2710\r\n${"x".repeat(10_000)}\r\n`);
        socket.write("0\r\n\r\n");
      });
      let text = "";
      socket.on("data", (data) => {
        text += data;
        if (text.includes("\r\n\r\n")) resolve(text);
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });
    expect(reply).toMatch(/^HTTP\/1\.1 413/);
  });

  it("uploads beyond what may be under way at a time are asked to wait, and come in later", async () => {
    const narrow = await startTestServer({
      limits: { uploadBytes: 100_000, uploadsBytes: 150_000 },
      cache: server.cache,
    });
    onTestFinished(() => narrow.close());
    const { hostname, port } = new URL(narrow.url);
    // An upload that has begun, and whose last byte is still to come.
    const slow = createConnection(Number(port), hostname);
    const picture = await readFile(MONKEY);
    const head = `POST /api/images HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/octet-stream\r\nContent-Length: 100000\r\n\r\n`;
    slow.on("error", () => {});
    slow.write(head);
    slow.write(picture);
    const busy = async () => {
      const answer = await upload(narrow.url, new Uint8Array(60_000));
      return [answer.status, codeOf(answer)].join(" ");
    };
    await expect.poll(busy).toBe("503 SERVER_BUSY");
    slow.destroy();
    await expect.poll(async () => (await upload(narrow.url, picture)).status).toBe(200);
  });

  it("a request that is no JSON, too long, or not what is asked for is a coded error", async () => {
    const send1 = (body: string, type = "application/json") =>
      send(server.url, "/api/explain", { method: "POST", headers: { "content-type": type }, body });
    const image = `upload:${"0".repeat(64)}`;
    const cases: [Promise<Answer>, number, string][] = [
      [send1("{"), 400, "REQUEST_INVALID"],
      [send1("{}"), 400, "REQUEST_INVALID"],
      [send1("{}", "text/plain"), 400, "REQUEST_INVALID"],
      [send1(JSON.stringify({ model, image, texts: [] })), 400, "REQUEST_INVALID"],
      [send1(JSON.stringify({ model, image, texts: ["   "] })), 400, "REQUEST_INVALID"],
      [send1(JSON.stringify({ model, image, texts: Array(17).fill("a") })), 400, "REQUEST_INVALID"],
      [send1(JSON.stringify({ model, image, texts: ["a"], more: 1 })), 400, "REQUEST_INVALID"],
      [send1(JSON.stringify({ model, image: "/etc/passwd", texts: ["a"] })), 400, "REQUEST_INVALID"],
      [send1(JSON.stringify({ model, image, texts: ["a"] })), 410, "IMAGE_GONE"],
      [send1(JSON.stringify({ model: "nothing", image, texts: ["a"] })), 404, "MODEL_NOT_FOUND"],
      [send1(JSON.stringify({ model, image, texts: ["x".repeat(100_000)] })), 413, "UPLOAD_TOO_LARGE"],
      [send(server.url, "/api/nothing"), 404, "NOT_FOUND"],
      [send(server.url, "/api/jobs/nothing"), 404, "NOT_FOUND"],
      [post(server.url, "/api/jobs", { kind: "pull", model: "../../x y" }), 404, "MODEL_NOT_FOUND"],
    ];
    const chunked = { "content-type": "application/json", "transfer-encoding": "chunked" };
    const endless = send(server.url, "/api/explain", { method: "POST", headers: chunked, body: "{}" });
    cases.push([endless, 400, "REQUEST_INVALID"]);
    for (const [sent, status, code] of cases) {
      const answer = await sent;
      expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    }
    expect(server.faults).toEqual([]);
  });

  it("what is no image, or has too many pixels, is refused and not kept", async () => {
    const few = await startTestServer({ limits: { pixels: 10_000 } });
    onTestFinished(() => few.close());
    const cases: [Uint8Array, string][] = [
      [new Uint8Array(0), "IMAGE_UNREADABLE"],
      [Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"), "IMAGE_UNSUPPORTED"],
      [Buffer.from("<html>hello</html>"), "IMAGE_UNREADABLE"],
      [(await readFile(MONKEY)).subarray(0, 20), "IMAGE_UNREADABLE"],
      [(await readFile(MONKEY)).subarray(0, 3000), "IMAGE_TOO_LARGE"],
      [
        await sharp({ create: { width: 200, height: 200, channels: 3, background: "red" } })
          .png()
          .toBuffer(),
        "IMAGE_TOO_LARGE",
      ],
    ];
    for (const [bytes, code] of cases) expect(codeOf(await upload(few.url, bytes))).toBe(code);
    const kept = await readdir(join(few.cache, "app", "uploads")).catch(() => []);
    expect(kept).toEqual([]);
  });

  it("an image in a form is the same as the image itself; a form without one, or with two, says what to send", async () => {
    const bytes = new Uint8Array(await readFile(MONKEY));
    const sendForm = (fields: Record<string, string | Blob>) => {
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.append(name, value);
      return fetch(`${server.url}/api/images`, { method: "POST", body });
    };
    const answer = await sendForm({ file: new Blob([bytes]), title: "a monkey" });
    expect(await answer.json()).toEqual((await upload(server.url, bytes)).json());
    for (const fields of [{}, { file: "a name" }, { a: new Blob([bytes]), b: new Blob([bytes]) }]) {
      const refused = await sendForm(fields);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({
        error: { code: "REQUEST_INVALID", hint: expect.stringContaining("curl -F file=@") },
      });
    }
    const broken = { "content-type": "multipart/form-data; boundary=x" };
    expect(codeOf(await upload(server.url, bytes, broken))).toBe("REQUEST_INVALID");
  });

  it("uploads are kept by hash and bounded; the oldest goes, and says so", async () => {
    const few = await startTestServer({ limits: { keptImages: 3 } });
    onTestFinished(() => few.close());
    const picture = (red: number) =>
      sharp({ create: { width: 20, height: 20, channels: 3, background: { r: red, g: 0, b: 0 } } })
        .png()
        .toBuffer();
    const refs: string[] = [];
    for (let i = 0; i < 4; i++) {
      refs.push((await upload(few.url, await picture(i))).json<{ image: string }>().image);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const statuses = await Promise.all(
      refs.map(async (ref) => (await send(few.url, `/api/images/${ref}`)).status),
    );
    expect(statuses).toEqual([410, 200, 200, 200]);
    // The same file again is the same address, and there again.
    expect((await upload(few.url, await picture(0))).json<{ image: string }>().image).toBe(refs[0]);
    expect((await send(few.url, `/api/images/${refs[0]}`)).status).toBe(200);
    expect(await readdir(join(few.cache, "app", "uploads"))).toHaveLength(3);
  });

  it("errors name no folder of this machine", async () => {
    const answers = await Promise.all([
      send(server.url, "/api/model?name=ViT-B-16%2Fopenai"),
      post(server.url, "/api/neighbors", { model, corpus: "photos", query: { text: "a" }, heads: "all" }),
      post(server.url, "/api/neighbors", { model, corpus: "nope", query: { text: "a" }, heads: "all" }),
      upload(server.url, Buffer.from("no image")),
    ]);
    for (const { body, status } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(body.toString()).not.toMatch(/\/(tmp|home|root|usr)\b|node_modules|at .*\.ts/);
    }
  });
});
