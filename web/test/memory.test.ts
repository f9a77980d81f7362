import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, CDPSession, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStaticServer } from "../../test/support/static-server.ts";
import { end, launch, painted, requirePage, skipPage } from "./browser.ts";

/*
 * The page without a server, looked at for long: fifty photographs in one tab take little more memory than five.
 */

const PAGE = fileURLToPath(new URL("../../dist/page", import.meta.url));
const [FEW, MANY] = [5, 50];
/** Of every photograph; as RGBA 9 MB, and each decoded twice. */
const SIZE = { width: 1800, height: 1250 };
/** What the forty-five may leave: their files, what the heads saw of them, and what a browser has not cleared away yet. */
const MOST_BYTES = 100e6;

let browser: Browser;
let page: Page;
let session: CDPSession;
let server: Awaited<ReturnType<typeof startStaticServer>>;

/** Another photograph each time: JPEG and WebP, which browsers decode. */
async function photograph(seed: number): Promise<{ name: string; mimeType: string; buffer: Buffer }> {
  const kind = seed % 2 === 0 ? "jpeg" : "webp";
  const background = { r: (seed * 37) % 256, g: (seed * 91) % 256, b: (seed * 53) % 256 };
  const drawn = sharp({ create: { ...SIZE, channels: 3, background } });
  const buffer = await drawn.toFormat(kind, { quality: 60 }).toBuffer();
  return { name: `${seed}.${kind}`, mimeType: `image/${kind}`, buffer };
}

/** Bytes that the processes of the browser which run pages hold, after all that is left over was cleared away. */
async function memory(): Promise<number> {
  const own = await page.context().newCDPSession(page);
  await own.send("HeapProfiler.collectGarbage");
  await own.detach();
  // Decoded pictures are let go of by the clock.
  await page.waitForTimeout(3000);
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  const each = await Promise.all(
    renderers.map(async ({ id }) => {
      const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
      return Number(/^RssAnon:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
    }),
  );
  return each.reduce((sum, bytes) => sum + bytes, 0);
}

/** Counts the maps that the page's thread answered with. */
const countMaps = () => {
  const there = globalThis as unknown as {
    Worker: new (
      ...args: unknown[]
    ) => {
      postMessage(data: { id?: number; input?: { path: string } }, ...rest: unknown[]): void;
      addEventListener(
        type: string,
        listen: (event: { data: { id: number; value?: unknown } }) => void,
      ): void;
    };
    maps: number;
  };
  there.maps = 0;
  const asked = new Set<number>();
  const Real = there.Worker;
  there.Worker = class extends Real {
    constructor(...args: unknown[]) {
      super(...args);
      this.addEventListener("message", ({ data: { id, value } }) => {
        if (asked.delete(id) && value !== undefined) there.maps++;
      });
    }
    override postMessage(data: { id?: number; input?: { path: string } }, ...rest: unknown[]) {
      if (data.input?.path === "/api/tokens") asked.add(data.id!);
      super.postMessage(data, ...rest);
    }
  };
};

async function look(from: number, to: number) {
  for (let i = from; i < to; i++) {
    const maps = () => page.evaluate(() => (globalThis as unknown as { maps: number }).maps);
    const before = await maps();
    await page
      .locator('.picker input[type="file"]')
      .first()
      .setInputFiles(await photograph(i));
    await expect.poll(maps, { timeout: 120_000 }).toBeGreaterThan(before);
    await painted(page);
  }
}

describe.skipIf(skipPage || process.platform !== "linux")(
  "fifty pictures in one tab",
  { timeout: 900_000 },
  () => {
    beforeAll(async () => {
      requirePage();
      server = await startStaticServer({ "": PAGE });
      browser = await launch();
      session = await browser.newBrowserCDPSession();
      page = await (await browser.newContext()).newPage();
      page.setDefaultTimeout(120_000);
      await page.addInitScript(countMaps);
      await page.goto(`${server.url}/#/look?text=a+monkey&text=a+red+background`);
      await painted(page);
    }, 180_000);
    afterAll(() => end(browser, server));

    it("take little more memory than five", async () => {
      await look(0, FEW);
      const few = await memory();
      await look(FEW, MANY);
      const many = await memory();
      console.info(
        `${Math.round(few / 1e6)} MB after ${FEW} pictures, ${Math.round(many / 1e6)} after ${MANY}`,
      );
      expect(many - few).toBeLessThan(MOST_BYTES);
    });
  },
);
