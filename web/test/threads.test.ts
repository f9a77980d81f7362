import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleBrowser } from "../../test/support/bundle-browser.ts";
import { startStaticServer } from "../../test/support/static-server.ts";
import { describeThreads } from "../../test/support/thread-contract.ts";
import { end, launch, skip } from "./browser.ts";
import type { Threads } from "./thread-page.ts";

/*
 * Threads of a real browser do what threads of any place do.
 */

let browser: Browser;
let page: Page;
let server: Awaited<ReturnType<typeof startStaticServer>>;
let folder: string;

describe.skipIf(skip)("a page", { timeout: 120_000 }, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "threads-"));
    await bundleBrowser("web/test/thread-page.ts", folder);
    await writeFile(
      join(folder, "index.html"),
      '<!doctype html><script type="module" src="thread-page.js"></script>',
    );
    server = await startStaticServer({ "": folder });
    browser = await launch();
    page = await browser.newPage();
    await page.goto(`${server.url}/index.html`);
    await page.waitForFunction(() => "threads" in globalThis);
  }, 120_000);
  afterAll(() => end(browser, server, folder));

  describeThreads("a browser", (question) =>
    page.evaluate((of) => (globalThis as unknown as { threads: Threads }).threads.ask(of), question),
  );

  it("that leaves a question is told so at once, whatever the thread is at, and the thread stays", async () => {
    const told = await page.evaluate(() => (globalThis as unknown as { threads: Threads }).threads.leave());
    expect(told).toEqual(["AbortError", "AbortError", 2]);
  });

  it("whose thread does not start says so, with what to do", async () => {
    const told = await page.evaluate(() => (globalThis as unknown as { threads: Threads }).threads.missing());
    expect(told).toMatchObject({ code: "THREAD_ENDED", hint: "Load it again." });
  });
});
