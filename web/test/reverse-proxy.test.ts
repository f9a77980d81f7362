import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { formatCosine } from "../../src/views/kit/text.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { codeOf, post, send, startTestServer, type TestServer } from "../../test/support/app-server.ts";
import { freePorts, missing as nginxMissing, startNginx } from "../../test/support/nginx.ts";
import * as chromium from "./browser.ts";

/*
 * The app behind a real nginx with the blocks of docs/app.md: at the root of a host, and below a path.
 */

const missing = nginxMissing ?? chromium.missing;
const skip = missing !== undefined && process.env.CI !== "true";
if (skip) console.warn(`The tests behind a reverse proxy are skipped: ${missing}`);

const models = createModelLoader();
const TOKEN = "correct-horse-battery";
const repository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describe.skipIf(skip)("the app behind nginx", { timeout: 180_000 }, () => {
  let [folder, atRoot, below, cut, unnamed] = ["", "", "", "", ""];
  let browser: Browser;
  let server: TestServer;
  let guarded: TestServer;
  let nginx: ChildProcess;

  beforeAll(async () => {
    if (missing !== undefined) throw new Error(missing);
    folder = await mkdtemp(join(tmpdir(), "clip-interpret-nginx-"));
    const ports = await freePorts(4);
    [atRoot, below, cut, unnamed] = ports.map((port) => `http://clip.localhost:${port}`);
    server = await startTestServer({ origins: [atRoot, below, cut], basePath: "/clip" }, 16);
    guarded = await startTestServer({ token: TOKEN, basePath: "/clip/guarded", cache: server.cache }, 16);
    const page = await readFile(repository("docs/app.md"), "utf8");
    const [root, path] = [...page.matchAll(/```nginx\n(.*?)```/gs)].map(([, block]) => block);
    const to = (block: string, { url }: TestServer = server, slash = "") =>
      block.replace("http://127.0.0.1:7860", new URL(url).origin + slash);
    nginx = await startNginx(
      folder,
      new Map([
        [ports[0], to(root)],
        [ports[1], `${to(path)} ${to(path, guarded).replace("/clip/", "/clip/guarded/")}`],
        [ports[2], to(path, server, "/")],
        [ports[3], to(root)],
      ]),
    );
    browser = await chromium.launch();
  }, 120_000);
  afterAll(async () => {
    await models.release();
    await browser?.close();
    const ended = nginx && new Promise((go) => nginx.once("exit", go));
    nginx?.kill("SIGQUIT");
    await Promise.all([server?.close(), guarded?.close(), ended]);
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ["at the root of a host", () => `${atRoot}/`],
    ["below a path", () => `${below}/clip/`],
    ["below a path that nginx takes away", () => `${cut}/clip/`],
  ])("takes a picture and explains it, %s", async (_, base) => {
    const { page, complaints } = await chromium.openPage(browser, base().replace(/\/$/, ""));
    onTestFinished(() => page.context().close());
    // Without its slash too, which leads to where it belongs.
    await page.goto(base().replace(/clip\/$/, "clip"));
    expect(new URL(page.url()).pathname).toBe(new URL(base()).pathname);
    await chromium.painted(page);
    await page.getByLabel("A picture from a file").setInputFiles(EXAMPLE_SCENE.path);
    await page.waitForURL(/look\?.*image=upload%3A[0-9a-f]{64}/);
    expect(page.url().startsWith(`${base()}look?`)).toBe(true);
    await page.getByLabel("Add a text").fill(EXAMPLE_SCENE.texts[0]);
    await page.keyboard.press("Enter");
    await chromium.painted(page);
    const model = await models.load(DEFAULT_MODEL);
    const { texts } = await explainImage(model, EXAMPLE_SCENE.path, [EXAMPLE_SCENE.texts[0]]);
    expect(await page.getByTestId("score").textContent()).toBe(formatCosine(texts[0].similarity));
    // Another view, and its address opened anew, as a link to it is.
    await page.getByRole("link", { name: "Segment" }).click();
    await page.waitForURL(`${base()}segment?**`);
    await chromium.painted(page);
    await page.goto(page.url());
    await chromium.painted(page);
    await page.goBack();
    expect(complaints).toEqual([]);
  });

  it("hears of long work as it goes on: events are not held back", async () => {
    const response = await fetch(`${below.replace("clip.localhost", "127.0.0.1")}/clip/api/jobs/events`);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const heard = async (words: string) => {
      while (!text.includes(words)) text += (await reader.read()).value ?? "";
    };
    await heard("event: ready");
    const { origin } = new URL(server.url);
    const corpus = { kind: "prepare", corpus: "demo", model: DEFAULT_MODEL };
    const { id } = (await post(origin, "/api/jobs", corpus)).json<{ id: string }>();
    await send(origin, `/api/jobs/${id}`, { method: "DELETE" });
    await heard(id);
    await reader.cancel();
    // What nginx is asked, it does not pass on.
    const direct = await fetch(`${origin}/api/jobs/events`);
    expect(direct.headers.get("x-accel-buffering")).toBe("no");
    await direct.body?.cancel();
  });

  it("takes pictures of several MB, as they are or in a form", async () => {
    const noise = Buffer.from(Array.from({ length: 1000 * 1000 * 3 }, (_, i) => (i * 7919 * (i >> 3)) & 255));
    const raw = { width: 1000, height: 1000, channels: 3 } as const;
    const file = await sharp(noise, { raw }).png({ compressionLevel: 0 }).toBuffer();
    expect(file.length).toBeGreaterThan(2e6);
    const form = new FormData();
    form.append("file", new Blob([new Uint8Array(file)]), "noise.png");
    const url = `${below.replace("clip.localhost", "127.0.0.1")}/clip/api/images`;
    const kept = await Promise.all(
      [new Uint8Array(file), form].map(async (body) => (await fetch(url, { method: "POST", body })).json()),
    );
    expect(kept[0]).toMatchObject({ width: 1000, bytes: file.length });
    expect(kept[1]).toEqual(kept[0]);
  });

  it("keeps a token's cookie and takes it out of the address, below a path", async () => {
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(`${below}/clip/guarded/look?on=0&token=${TOKEN}`);
    expect(page.url()).toBe(`${below}/clip/guarded/look?on=0`);
    expect((await page.goto(page.url()))?.status()).toBe(200);
  });

  it("refuses a page whose origin nobody named, and says what whoever runs the server has to do", async () => {
    const headers = { origin: unnamed };
    const asked = { model: DEFAULT_MODEL, image: "demo:0000", texts: ["a cat"] };
    const answer = await post(unnamed.replace("clip.localhost", "127.0.0.1"), "/api/explain", asked, headers);
    expect([answer.status, codeOf(answer)]).toEqual([403, "REQUEST_FORBIDDEN"]);
    expect(answer.json()).toMatchObject({ error: { hint: expect.stringContaining("--origin https://") } });
    const host = { host: new URL(atRoot).host };
    expect((await send(server.url, "/api/app", { headers: host })).status).toBe(200);
  });
});
