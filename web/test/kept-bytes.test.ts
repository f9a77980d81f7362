import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bytes } from "../../src/support/bytes.ts";
import { ClipInterpretError, type ErrorCode } from "../../src/support/errors.ts";
import { bundleBrowser } from "../../test/support/bundle-browser.ts";
import { DATA, describeBytes } from "../../test/support/bytes-contract.ts";
import { startStaticServer } from "../../test/support/static-server.ts";
import { end, launch, skip } from "./browser.ts";
import type { Kept } from "./kept-page.ts";

/*
 * Files of a model in a real browser's private files: they do what files of any place do, and stay.
 */

type Server = Awaited<ReturnType<typeof startStaticServer>>;
type Answer = { value: never } | { code: ErrorCode; message: string; hint: string };

let browser: Browser;
let page: Page;
let own: Server;
/** Another origin, where models are. */
let models: Server;
let folder: string;
let count = 0;

const open = async (name = `place-${count++}`, at = models.url) => {
  await page.evaluate(([of, where]) => (globalThis as unknown as { kept: Kept }).kept.open(of, where), [
    name,
    at,
  ] as const);
  const call = async (method: string, ...args: readonly unknown[]) => {
    const answer = (await page.evaluate(
      ([of, what, given]) => (globalThis as unknown as { kept: Kept }).kept.call(of, what, ...given),
      [name, method, args] as const,
    )) as Answer;
    if ("code" in answer) throw new ClipInterpretError(answer.code, answer.message, { hint: answer.hint });
    return answer.value;
  };
  const array = async (method: string, ...args: readonly unknown[]) =>
    Uint8Array.from((await call(method, ...args)) as number[]);
  const bytes: Bytes = {
    names: async (of) => new Set((await call("names", of)) as string[]),
    read: (path) => array("read", path),
    open: async (path, use) =>
      use({
        path,
        size: await call("size", path),
        read: (offset, length) => array("part", path, offset, length),
      }),
    hash: (paths) => call("hash", paths),
    identify: (path) => call("identify", path),
  };
  return { name, at, bytes, kept: async () => (await call("bytes")) as number };
};

describe.skipIf(skip)("private files of a browser", { timeout: 120_000 }, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kept-"));
    await bundleBrowser("web/test/kept-page.ts", join(folder, "page"));
    await writeFile(
      join(folder, "page/index.html"),
      '<!doctype html><script type="module" src="kept-page.js"></script>',
    );
    await writeFile(join(folder, "model.safetensors"), DATA);
    await writeFile(join(folder, "config.json"), "{}");
    own = await startStaticServer({ "": join(folder, "page") });
    models = await startStaticServer({ "": folder }, { cors: true });
    browser = await launch();
    page = await (await browser.newContext()).newPage();
    await page.goto(`${own.url}/index.html`);
    await page.waitForFunction(() => "kept" in globalThis);
  }, 120_000);
  afterAll(() => end(browser, own, models, folder));

  describeBytes("a browser", () => open());

  it("are fetched once, each byte, and read again without their server", async () => {
    const before = models.asked.length;
    const there = await open("once");
    const file = `${there.at}/model.safetensors`;
    await there.bytes.open(file, async ({ read }) => [
      await read(0, 8),
      await read(250_000, 10),
      await read(8, 900),
    ]);
    const weights = () => models.asked.slice(before).filter(({ path }) => path === "/model.safetensors");
    const parts = weights().filter(({ method }) => method === "GET");
    expect(parts.map(({ range }) => range)).toEqual(["bytes=0-65535", "bytes=250000-299999"]);
    // Every name was asked for once, and of the listing nothing again.
    const asked = models.asked.length;
    await page.reload();
    await page.waitForFunction(() => "kept" in globalThis);
    const again = await open("once");
    const part = await again.bytes.open(file, ({ read }) => read(250_001, 3));
    expect([...part]).toEqual([...DATA.slice(250_001, 250_004)]);
    expect([...(await again.bytes.names(there.at))]).toContain("model.safetensors");
    expect(models.asked).toHaveLength(asked);
    expect(await again.kept()).toBeGreaterThan(115_000);
  });

  it("that were damaged are not read, and come again", async () => {
    const { name, at, bytes } = await open();
    const file = `${at}/model.safetensors`;
    const read = () => bytes.open(file, (opened) => opened.read(0, 10));
    await read();
    const damaged = await page.evaluate(
      (of) => (globalThis as unknown as { kept: Kept }).kept.damage(of),
      name,
    );
    expect(damaged).toBe(1);
    await expect(read()).rejects.toMatchObject({
      code: "INPUT_UNREADABLE",
      message: expect.stringMatching("damaged"),
    });
    expect([...(await read())]).toEqual([...DATA.slice(0, 10)]);
  });

  it("have bounds: what there is no room for is a coded error, and what came before it stays", async () => {
    const there = await open();
    const file = `${there.at}/model.safetensors`;
    await there.bytes.open(file, ({ read }) => read(0, 10));
    const session = await page.context().newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: own.url, quotaSize: 1000 });
    await expect(there.bytes.open(file, ({ read }) => read(200_000, 10))).rejects.toMatchObject({
      code: "DISK_FULL",
      hint: expect.stringMatching("Delete a model"),
    });
    await session.send("Storage.overrideQuotaForOrigin", { origin: own.url });
    expect(await there.bytes.open(file, ({ read }) => read(200_000, 10))).toEqual(
      DATA.slice(200_000, 200_010),
    );
  });

  it("say what is the matter with a server", async () => {
    const closed = await startStaticServer({ "": folder });
    const strict = await open(undefined, closed.url);
    await expect(strict.bytes.names(closed.url)).rejects.toMatchObject({ code: "CORS_REFUSED" });
    await closed.close();
    const gone = await open(undefined, closed.url);
    await expect(gone.bytes.names(closed.url)).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
    await writeFile(join(folder, "page/model.safetensors"), new Uint8Array(2e6));
    const whole = await startStaticServer({ "": join(folder, "page") }, { cors: true, ranges: false });
    const { bytes } = await open(undefined, whole.url);
    const file = `${whole.url}/model.safetensors`;
    await expect(bytes.open(file, async () => 0)).rejects.toMatchObject({ code: "RANGES_REFUSED" });
    await whole.close();
  });
});
