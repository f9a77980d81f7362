import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { scanSource } from "../../src/corpus/source.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { openModel } from "../../src/model/registry.ts";
import { connectedModels, type Engine, startEngine } from "../../src/server/threads/engine.ts";
import type { EngineCalls } from "../../src/server/threads/engine-thread.ts";
import { createTaskRunner } from "../../src/server/threads/task-runner.ts";
import { callThread } from "../../src/support/node-port.ts";
import { post, send, startTestServer, type TestServer } from "../support/app-server.ts";
import { freePorts, missing as nginxMissing, startNginx } from "../support/nginx.ts";

const MONKEY = fileURLToPath(new URL("../../examples/scenes/images/0067-monkey.png", import.meta.url));
const SCENES = fileURLToPath(new URL("../../examples/scenes", import.meta.url));
const OTHER = "emoji-4x128-p16";
let engine: Engine;
beforeAll(() => {
  engine = startEngine();
});
afterAll(() => engine.release());

/** Ends the thread of an engine, which does not know why. */
async function kill(engine: Engine): Promise<void> {
  const { port } = engine.connect("pages");
  await callThread<EngineCalls>(port).call("close", {});
}

/** Pixels of so many pictures of a size. */
const pixels = (count: number, size: number) =>
  Float32Array.from({ length: count * 3 * size * size }, (_, i) => Math.sin(i));

describe("encoders in a thread", () => {
  it("give the numbers of a model in this thread, bit for bit, and its errors", async () => {
    const [here, there] = [await openModel(DEFAULT_MODEL), await engine.load(DEFAULT_MODEL)];
    const { imageSize } = here.config.vision;
    const [own, other] = [here, there].map((model) =>
      model.decompose(pixels(2, imageSize), { tokenLayers: [1, 3] }),
    );
    expect(await other).toEqual(await own);
    // More than one call's worth of texts.
    const texts = Array.from({ length: 40 }, (_, i) => `${i} frogs ${"and a car ".repeat(i % 5)}`);
    expect(await there.encodeTexts(texts)).toEqual(await here.encodeTexts(texts));
    expect(await there.weightsHash()).toBe(await here.weightsHash());
    const { geometry } = there;
    expect(Array.from(geometry.M)).toEqual(Array.from(here.geometry.M));
    await expect(there.decompose(new Float32Array(7))).rejects.toMatchObject({ code: "PIXELS_MISMATCH" });
    await expect(engine.load("nosuch")).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await here.release();
  });

  it("leave the calling thread to others, and take what pages ask before what jobs do", async () => {
    const { port } = engine.connect("jobs");
    const jobs = connectedModels(port);
    onTestFinished(() => jobs.release());
    const [page, job] = [await engine.load(DEFAULT_MODEL), await jobs.load(DEFAULT_MODEL)];
    const { imageSize } = page.config.vision;
    const [many, one] = [pixels(16, imageSize), pixels(1, imageSize)];
    const order: string[] = [];
    let turns = 0;
    let counting = true;
    const count = () => {
      turns++;
      if (counting) setImmediate(count);
    };
    const named = (name: string, work: Promise<unknown>) => work.then(() => order.push(name));
    const asked = Array.from({ length: 12 }, (_, i) => i + 1).map((i) =>
      named(`job ${i}`, job.decompose(many)),
    );
    count();
    // It is in the thread long before the first is done, however busy this one is.
    asked.push(named("page", page.decompose(one)));
    await Promise.all(asked);
    counting = false;
    expect(order.indexOf("page")).toBeLessThan(order.indexOf("job 8"));
    // Blocked, it would have had a turn or two a run.
    expect(turns).toBeGreaterThan(50);
  });

  it("unload what was used least recently when memory asks for it, and load it again", async () => {
    const small = startEngine({}, { modelBytes: 1 });
    onTestFinished(() => small.release());
    const [one, other] = [await small.load(DEFAULT_MODEL), await small.load(OTHER)];
    const [first, second] = [
      pixels(1, one.config.vision.imageSize),
      pixels(1, other.config.vision.imageSize),
    ];
    const before = await one.decompose(first);
    expect(sizes(await small.loadedBytes())).toEqual({ [DEFAULT_MODEL]: true, [OTHER]: false });
    await other.decompose(second);
    expect(sizes(await small.loadedBytes())).toEqual({ [DEFAULT_MODEL]: false, [OTHER]: true });
    // Both at once: neither is taken from the other.
    const [again] = await Promise.all([
      one.decompose(first),
      other.decompose(second),
      other.encodeTexts(["a"]),
    ]);
    expect(again).toEqual(before);
  });

  it("have the graphs of the model that a server is started with before anybody asks, wherever it lies", async () => {
    const own = await mkdtemp(join(tmpdir(), "clip-interpret-own-"));
    onTestFinished(() => rm(own, { recursive: true, force: true }));
    await cp(fileURLToPath(new URL(`../../models/${OTHER}`, import.meta.url)), join(own, "mine"), {
      recursive: true,
    });
    const models = startEngine();
    onTestFinished(() => models.release());
    const server = await startTestServer({ models, served: [join(own, "mine")], ahead: true });
    onTestFinished(() => server.close());
    await vi.waitFor(async () => expect(sizes(await models.loadedBytes())).toEqual({ mine: true }), 20_000);
  });

  it("end with their thread, and say so", async () => {
    const ended = startEngine();
    const model = await ended.load(DEFAULT_MODEL);
    await ended.release();
    await expect(model.encodeTexts(["a"])).rejects.toMatchObject({ code: "THREAD_ENDED" });
  });

  it("start again should their thread die: what was under way hears it, the same models and tasks go on", async () => {
    const mortal = startEngine();
    onTestFinished(() => mortal.release());
    const tasks = createTaskRunner(mortal, "jobs");
    onTestFinished(() => tasks.close());
    const model = await mortal.load(DEFAULT_MODEL);
    const before = await model.encodeTexts(["a frog"]);
    const source = await scanSource(SCENES);
    const folder = await mkdtemp(join(tmpdir(), "clip-interpret-mortal-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const index = () => tasks.run("index", { model: DEFAULT_MODEL, source, folder: join(folder, "index") });

    const { imageSize } = model.config.vision;
    const job = index();
    const first = model.decompose(pixels(64, imageSize), {});
    await kill(mortal);
    const last = model.decompose(pixels(1, imageSize), {});
    const ended = await Promise.allSettled([job, first, last]);
    const failed = ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(failed.length).toBeGreaterThan(0);
    for (const error of failed) {
      expect(error).toMatchObject({ code: "THREAD_ENDED" });
      expect(error.message).toMatch(/ended while it worked: exit code/);
    }
    expect(await model.encodeTexts(["a frog"])).toEqual(before);
    expect((await mortal.load(DEFAULT_MODEL)).geometry).toBe(model.geometry);
    expect(await index()).toBe(source.images.length);
  });
});

/** Whether each model holds any weights, by the end of its key. */
const sizes = (bytes: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(bytes).map(([key, size]) => [JSON.parse(key)[0].split(/[\\/]/).at(-1), size > 0]),
  );

describe("tasks in a thread", () => {
  it("stop when they are told to, with the code that they stop with anywhere, and run again after", async () => {
    const tasks = createTaskRunner(engine, "jobs");
    onTestFinished(() => tasks.close());
    const world = { images: 4, cache: "/nowhere" };
    const stop = new AbortController();
    const stopped = tasks.run("makeWorld", world, { signal: stop.signal });
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await tasks.run("findWorld", world)).toMatch(/^\/nowhere[\\/]worlds[\\/]demo-4-/);
    await tasks.close();
    expect(await tasks.run("findWorld", world)).toMatch(/demo-4-/);
  });
});

describe("a server at work", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it("gives what it knows already before a run of the encoder ends", async () => {
    const answer = await send(server.url, "/api/images", {
      ...{ method: "POST", headers: { "content-type": "application/octet-stream" } },
      body: await readFile(MONKEY),
    });
    const { image } = answer.json<{ image: string }>();
    const asked = { model: DEFAULT_MODEL, image, texts: ["a monkey"] };
    const known = (await post(server.url, "/api/explain", asked)).json();
    const model = await server.models.load(DEFAULT_MODEL);
    // One run of some seconds, which nothing can come between.
    let ended = false;
    const run = model.decompose(pixels(384, model.config.vision.imageSize)).then(() => {
      ended = true;
    });
    for (let i = 0; i < 3; i++) {
      expect((await post(server.url, "/api/explain", asked)).json()).toEqual(known);
      expect((await send(server.url, "/api/app")).status).toBe(200);
    }
    expect(ended).toBe(false);
    await run;
  });

  it("sends script, style and JSON compressed to who takes it so, and no others", async () => {
    const page = (await send(server.url, "/")).body.toString();
    const script = /\/assets\/[\w.-]+\.js/.exec(page)![0];
    for (const path of [script, "/api/corpora/scenes/images"]) {
      const plain = await send(server.url, path);
      expect(plain.headers["content-encoding"]).toBeUndefined();
      const took = new Map<string, number>();
      for (const [accepted, unpack] of [
        ["gzip", gunzipSync],
        ["gzip, deflate, br", path === script ? brotliDecompressSync : gunzipSync],
        ["br;q=0, gzip;q=0.5", gunzipSync],
      ] as const) {
        const packed = await send(server.url, path, { headers: { "accept-encoding": accepted } });
        expect(packed.headers.vary).toMatch(/accept-encoding/i);
        expect(unpack(packed.body)).toEqual(plain.body);
        took.set(accepted, packed.body.length);
      }
      for (const bytes of took.values()) expect(bytes).toBeLessThan(plain.body.length / 2);
    }
    const { images } = (await send(server.url, "/api/corpora/scenes/images")).json<{
      images: { image: string }[];
    }>();
    const picture = `/api/images/${encodeURIComponent(images[0].image)}/picture`;
    const headers = { "accept-encoding": "gzip, br" };
    expect((await send(server.url, picture, { headers })).headers["content-encoding"]).toBeUndefined();
  });

  it.skipIf(nginxMissing)("sends them so behind nginx too", async () => {
    const [port] = await freePorts(1);
    const block = `location / { proxy_pass ${server.url}; }`;
    const folder = await mkdtemp(join(tmpdir(), "clip-interpret-nginx-"));
    const nginx = await startNginx(folder, new Map([[port, block]]));
    onTestFinished(async () => {
      const exit = new Promise((resolve) => nginx.once("exit", resolve));
      nginx.kill();
      await exit;
      await rm(folder, { recursive: true, force: true });
    });
    const through = await send(`http://127.0.0.1:${port}`, "/api/corpora/scenes/images", {
      headers: { "accept-encoding": "gzip" },
    });
    expect(through.headers["content-encoding"]).toBe("gzip");
    expect(JSON.parse(gunzipSync(through.body).toString())).toEqual(
      (await send(server.url, "/api/corpora/scenes/images")).json(),
    );
  });
});
