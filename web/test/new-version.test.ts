import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStaticServer } from "../../test/support/static-server.ts";
import { end, launch, painted, requirePage, skipPage } from "./browser.ts";
import { PAGE } from "./page-for.ts";

/*
 * What a visitor has of the page once its host has put another version in the place of the one they came for: the new one, whole, though
 * servers have browsers keep files for a while, as GitHub Pages does. And what lies beside the page is not the page's to keep.
 */

const BEFORE = "0000000000000000";

interface Worker {
  readonly state: string;
}
interface Scope {
  readonly navigator: {
    readonly serviceWorker: {
      getRegistration(): Promise<
        | { readonly active: Worker | null; readonly installing: Worker | null; update(): Promise<unknown> }
        | undefined
      >;
    };
  };
  readonly caches: {
    keys(): Promise<string[]>;
    match(path: string): Promise<{ text(): Promise<string> } | undefined>;
  };
  readonly document: { readonly querySelector: (what: string) => { readonly content: string } | null };
}

let browser: Browser;
let context: BrowserContext;
let folder: string;
const folders = { "": "" };
let server: Awaited<ReturnType<typeof startStaticServer>>;

const open = async () => {
  const page = await context.newPage();
  await page.goto(`${server.url}/`);
  await painted(page);
  return page;
};
/** Waits until one version is kept and no other, and says which page it has. */
async function kept(page: Page, version: string) {
  const versions = () =>
    page.evaluate(async () => {
      const { caches, navigator } = globalThis as unknown as Scope;
      const worker = await navigator.serviceWorker.getRegistration();
      if (worker?.active?.state !== "activated" || worker.installing !== null) return [];
      return (await caches.keys())
        .filter((name) => !name.endsWith(" answers"))
        .map((name) => name.split(" ").at(-1));
    });
  await expect.poll(versions, { timeout: 60_000 }).toEqual([version]);
  return page.evaluate(async () => {
    const { caches } = globalThis as unknown as Scope;
    const [html, facts] = await Promise.all(
      ["./", "page.json"].map(async (path) => (await caches.match(path))!.text()),
    );
    return { isBefore: html!.includes('content="before"'), version: JSON.parse(facts!).version as string };
  });
}

describe.skipIf(skipPage)("a new version of the page", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    requirePage();
    folder = await mkdtemp(join(tmpdir(), "versions-"));
    for (const name of await readdir(PAGE)) await symlink(join(PAGE, name), join(folder, name));
    const rewrite = async (name: string, change: (text: string) => string) => {
      const text = await readFile(join(PAGE, name), "utf8");
      await rm(join(folder, name));
      await writeFile(join(folder, name), change(text));
    };
    const { version } = JSON.parse(await readFile(join(PAGE, "page.json"), "utf8")) as { version: string };
    await rewrite("page.json", (text) => text.replace(version, BEFORE));
    await rewrite("keep.js", (text) => text.replace(version, BEFORE));
    await rewrite("index.html", (text) =>
      text.replace("<title>", '<meta name="version" content="before" /><title>'),
    );
    await writeFile(join(folder, "notes.txt"), "as it was");
    folders[""] = folder;
    server = await startStaticServer(folders, { headers: { "cache-control": "max-age=600" } });
    browser = await launch();
    context = await browser.newContext();
  });
  afterAll(() => end(browser, server, folder));

  it("is what a visitor has next, and nothing of the last one", async () => {
    const before = await open();
    expect(await kept(before, BEFORE)).toEqual({ isBefore: true, version: BEFORE });
    folders[""] = PAGE;
    const { version } = JSON.parse(await readFile(join(PAGE, "page.json"), "utf8")) as { version: string };
    // One more time it is what was kept; meanwhile the other is fetched.
    expect(await kept(await open(), version)).toEqual({ isBefore: false, version });
    const after = await open();
    expect(
      await after.evaluate(() =>
        (globalThis as unknown as Scope).document.querySelector("meta[name=version]"),
      ),
    ).toBe(null);
  });

  it("is not kept while only half of it is there", async () => {
    folders[""] = folder;
    await rm(join(folder, "keep.js"));
    await writeFile(
      join(folder, "keep.js"),
      (await readFile(join(PAGE, "keep.js"), "utf8")).replace(/(VERSION = ")\w+/, "$1half"),
    );
    const page = await open();
    const state = await page.evaluate(async () => {
      const { serviceWorker } = (globalThis as unknown as Scope).navigator;
      const registration = (await serviceWorker.getRegistration())!;
      await registration.update();
      const worker = registration.installing;
      while (worker?.state === "installing") await new Promise((rest) => setTimeout(rest, 100));
      return worker?.state;
    });
    expect(state).toBe("redundant");
  });

  it("does not keep what lies beside it", async () => {
    folders[""] = folder;
    const page = await open();
    const read = () => page.evaluate(async () => (await fetch("notes.txt", { cache: "no-store" })).text());
    expect(await read()).toBe("as it was");
    await writeFile(join(folder, "notes.txt"), "as it is");
    expect(await read()).toBe("as it is");
  });
});
