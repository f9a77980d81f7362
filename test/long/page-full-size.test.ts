import { mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import type { ExplainResult } from "../../src/results/explain.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { end, launch, numbersOf, painted, requirePage, skipPage } from "../../web/test/browser.ts";
import { pageFor } from "../../web/test/page-for.ts";
import { apart } from "../support/apart.ts";
import { type HubForPages, startHubForPages } from "../support/hub-for-pages.ts";
import { startStaticServer } from "../support/static-server.ts";
import { writeTrueCheckpoint } from "../support/true-checkpoints.ts";

/*
 * A model of a true size in the page, from a stand-in for the hub: of its file what is needed, with the command's numbers.
 */

const ID = "someone/vit-base-patch32";
const WEIGHTS = "open_clip_model.safetensors";
/** What is fetched at a time, at most. */
const PIECE = 4 * 1024 * 1024;

let browser: Browser;
let context: BrowserContext;
let page: Page;
let hub: HubForPages;
let site: Awaited<ReturnType<typeof startStaticServer>>;
let scratch: string;
let served: string;
const asked: string[] = [];

const ready = (of: Page) => of.getByRole("button", { name: `model ${ID}` }).waitFor();
const numbers = async (of: Page) => (await numbersOf<{ explanation: ExplainResult }>(of)).explanation;
/** All but how the rounding of the sums turned out, which is no number of the model. */
const nameless = ({ origin, sumError, ...rest }: ExplainResult) => ({
  ...rest,
  origin: { ...origin, image: { ...origin.image, name: "", label: null } },
});

describe.skipIf(skipPage)("a ViT-B/32 in the page", { timeout: 600_000 }, () => {
  beforeAll(async () => {
    requirePage();
    scratch = await mkdtemp(join(tmpdir(), "b32-"));
    await writeTrueCheckpoint(join(scratch, "b32"), { name: ID, shape: "ViT-B-32" });
    hub = await startHubForPages({ [ID]: join(scratch, "b32") });
    served = await pageFor(hub.url, [hub.files]);
    site = await startStaticServer({ "": served }, { packs: true });
    browser = await launch();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    context.on("request", (request) => asked.push(request.url()));
    page = await context.newPage();
    page.setDefaultTimeout(120_000);
  }, 300_000);
  afterAll(() => end(browser, hub, site, scratch, served));

  it("fetches at most 60 % of the file for the image tower, stopped and gone on with", async () => {
    await page.goto(`${site.url}/#/heads?model=${encodeURIComponent(ID)}`);
    await page.getByRole("button", { name: "Fetch it" }).click();
    await page.getByRole("button", { name: `model ${ID}` }).waitFor();
    // Some of it comes, and the rest not before it was stopped.
    let come = 0;
    let goOn = () => {};
    const stopped = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await context.route(`${hub.files}/**`, async (route) => {
      if (++come > 12) await stopped;
      // One that was stopped meanwhile cannot go on.
      await route.continue().catch(() => {});
    });
    await page.getByRole("button", { name: "Check the numbers" }).click();
    await page.getByText(/Fetching/).waitFor();
    await page.getByText(/of 3\d\d MB/).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    // Nobody waits for it any more.
    await page.getByText("Stopped fetching").waitFor();
    goOn();
    await context.unroute(`${hub.files}/**`);
    await page.getByRole("button", { name: "Check the numbers" }).click();
    await page.getByText(/The parts add up: off by \d\.\de-[678]/).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    const { size } = await stat(join(scratch, "b32", WEIGHTS));
    const bytes = hub.askedFiles.reduce((sum, one) => sum + one.bytes, 0);
    console.log(`${((100 * bytes) / size).toFixed(1)} % of ${size} bytes for the image tower`);
    // What was under way when it was stopped comes again: three pieces.
    expect(bytes / size).toBeLessThanOrEqual(0.6 + (3 * PIECE) / size);
  });

  it("says what the command says, now and without any server", async () => {
    await page.goto(`${site.url}/#/look?model=${encodeURIComponent(ID)}`);
    await painted(page);
    const there = await numbers(page);
    const model = await loadClipModel(join(scratch, "b32"), ID);
    const texts = there.texts.map(({ text }) => text);
    const here = await explainImage(model, EXAMPLE_SCENE.path, texts);
    await model.release();
    expect(apart(nameless(there), nameless(here))).toBeLessThan(1e-6);
    expect(there.sumError).toBeLessThan(1e-5);
    const origins = new Set(asked.filter((url) => /^https?:/.test(url)).map((url) => new URL(url).origin));
    expect([...origins].sort()).toEqual([site.url, hub.url, hub.files].sort());
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
    await page.close();
    await hub.close();
    await context.setOffline(true);
    const again = await context.newPage();
    again.setDefaultTimeout(300_000);
    await again.goto(`${site.url}/#/look?model=${encodeURIComponent(ID)}`);
    await ready(again);
    await painted(again);
    expect(await numbers(again)).toEqual(there);
  });
});
