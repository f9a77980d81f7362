import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { indexedCorpus } from "../../src/server/corpora.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { startTestServer } from "../../test/support/app-server.ts";
import { runHere } from "../../test/support/run-cli.ts";
import { app, cell, open, param } from "./app-world.ts";
import { painted } from "./browser.ts";

/** Tests of the address. */
export function addressCases(): void {
  it("keeps every state in the address: back, forward, and a permalink that shows the same to another", async () => {
    const { page } = await open();
    await painted(page);
    await page.getByLabel("Add a text").fill("a brown animal");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: /a brown animal/ }).waitFor();
    const score = await page.getByTestId("score").textContent();
    await page.getByRole("button", { name: /^L2\.H1:/ }).click();
    await page.waitForURL(/heads=L2\.H1/);
    const link = page.url();
    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByTestId("map").first().waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: /a brown animal/ }).waitFor();
    await page.goBack();
    await page.goBack();
    await page.getByRole("heading", { name: /a monkey at the top/ }).waitFor();
    expect(await page.getByRole("button", { name: "Remove “a brown animal”" }).count()).toBe(0);
    await page.goForward();
    await page.goForward();
    expect(page.url()).toBe(link);
    const { page: other } = await open(link.slice(app.server.url.length));
    await other.getByRole("heading", { name: /a brown animal/ }).waitFor();
    expect(await other.getByTestId("score").textContent()).toBe(score);
    expect(await other.getByRole("button", { name: /^L2\.H1:/ }).getAttribute("aria-pressed")).toBe("true");
  });

  it("holds model, picture, texts and corpus, so that a link shows the same on a server with other defaults", async () => {
    const { page } = await open("/", { permissions: ["clipboard-read", "clipboard-write"] });
    await painted(page);
    await expect.poll(() => param(page, "model")).toBe(DEFAULT_MODEL);
    expect([param(page, "image"), param(page, "corpus")]).toEqual([app.example, "demo"]);
    expect(new URL(page.url()).searchParams.getAll("text")).toEqual(EXAMPLE_SCENE.texts);
    // Defaults are written without a step to go back to.
    expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(2);
    await cell(page, "L3.H3").click();
    await page.waitForURL(/heads=L3\.H3/);
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByText("The link is copied").waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toBe(page.url());
    const shows = async (at: Page) => {
      await painted(at);
      await at.getByTestId("total").filter({ hasText: /[1-9]/ }).waitFor();
      return Promise.all([
        at.getByTestId("score").textContent(),
        at.getByTestId("total").textContent(),
        at.getByRole("list", { name: "Texts" }).textContent(),
        at.getByLabel("or write").inputValue(),
        at.getByRole("button", { name: /^model/ }).textContent(),
      ]);
    };
    const scratch = await mkdtemp(join(tmpdir(), "other-"));
    onTestFinished(() => rm(scratch, { recursive: true }));
    const [pictures, index] = [join(scratch, "pictures"), join(scratch, "own")];
    await cp(dirname(EXAMPLE_SCENE.path), pictures, { recursive: true });
    expect((await runHere("index", pictures, "--out", index)).code).toBe(0);
    const served = ["emoji-4x128-p16", DEFAULT_MODEL];
    const other = await startTestServer({ served, corpora: [await indexedCorpus(index)] }, 8);
    onTestFinished(() => other.close());
    const opened = await open(link.slice(app.server.url.length), {}, other.url);
    expect(await shows(opened.page)).toEqual(await shows(page));
    expect(opened.complaints).toEqual([]);
  });

  it("says that there is no text where the last was removed, and means it", async () => {
    const { page } = await open("/look?text=a+cat");
    await page.getByRole("button", { name: "Remove “a cat”" }).click();
    await page.getByText("Add a text: each head will say").waitFor();
    expect(await page.getByRole("button", { name: /^Remove/ }).count()).toBe(0);
    await page.reload();
    await page.getByText("Add a text: each head will say").waitFor();
    expect(new URL(page.url()).searchParams.getAll("text")).toEqual([""]);
  });

  it("remembers what was looked at, pinned or not, and forgets it when asked", async () => {
    const { page, complaints } = await open("/look?text=a+cat");
    await painted(page);
    await page.getByRole("button", { name: "From the corpus…" }).click();
    await page.getByRole("button", { name: "24 example scenes" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "frog" }).click();
    await page.waitForURL(/text=a\+cat/);
    const frog = param(page, "image");
    await page.reload();
    const recent = page.getByRole("button", { name: "Recent" });
    await recent.click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.getByRole("link").allTextContents()).toEqual([
      expect.stringContaining("frog"),
      expect.stringContaining("monkey"),
    ]);
    await dialog.getByRole("button", { name: "Pin monkey" }).click();
    await dialog.getByRole("button", { name: /^Forget/ }).click();
    expect(await dialog.getByRole("link").count()).toBe(1);
    await dialog.getByRole("link", { name: /monkey/ }).click();
    await expect.poll(() => param(page, "image")).toBe(app.example);
    expect(frog).not.toBe(app.example);
    expect(complaints).toEqual([]);
  });
}
