import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import type { AtlasHeadResult, AtlasResult, KnowingHeads } from "../../src/results/atlas.ts";
import { metricValue } from "../../src/views/atlas/words.ts";
import { post, startTestServer } from "../../test/support/app-server.ts";
import { goldenPath } from "../../test/support/goldens.ts";
import { writeRandomCheckpoint } from "../../test/support/random-checkpoint.ts";
import { app, cell, open, param, violations, watchShifts } from "./app-world.ts";
import { openPage, pixelsOf } from "./browser.ts";
import { PHONE } from "./fingers.ts";

/** The names of the cards, in their order. */
const listed = (page: Page) =>
  page.locator(".head-card").evaluateAll((all) => all.map((one) => one.getAttribute("data-head")));
const scrollWidth = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth);

/** Tests of the atlas. */
export function headsCases(): void {
  let atlas: AtlasResult;
  beforeAll(async () => {
    const address = `${app.server.url}/api/atlas?model=${DEFAULT_MODEL}&corpus=demo`;
    for (;;) {
      const found = await (await fetch(address)).json();
      atlas = found.atlas;
      if (found.state === "ready") return;
      await new Promise((go) => setTimeout(go, 500));
    }
  }, 180_000);

  it("shows every head of the embedded model without being asked to, in any order, by metric and by words", async () => {
    const { page, complaints } = await open("/look");
    await page.getByRole("link", { name: "Heads", exact: true }).click();
    await page.getByRole("heading", { name: "All 16 heads" }).waitFor();
    const orderBy = (key: "selectivity" | "norm") =>
      [...atlas.heads].sort((a, b) => b.metrics[key]! - a.metrics[key]!).map(({ name }) => name);
    expect(await listed(page)).toEqual(orderBy("selectivity"));
    await page.getByLabel("sort by").selectOption("norm");
    expect(await listed(page)).toEqual(orderBy("norm"));
    await page.getByRole("button", { name: "highest first" }).click();
    expect(await listed(page)).toEqual(orderBy("norm").reverse());
    // Squares are coloured by what sorts, and say so.
    const first = atlas.heads[13];
    const unit = atlas.metrics.find(({ key }) => key === "norm")!.unit;
    await page
      .getByRole("link", { name: `${first.name}: norm ${metricValue(first.metrics.norm, unit)}` })
      .waitFor();

    await page.getByLabel("only with").selectOption("sign");
    await page.getByLabel("at most").fill("-10");
    const against = atlas.heads.filter(({ metrics }) => metrics.sign! <= -0.1).map(({ name }) => name);
    await expect.poll(async () => (await listed(page)).sort()).toEqual(against);
    await page.getByLabel("at most").fill("");
    const { factor } = atlas.heads[0].strongest!;
    await page.getByLabel("in labels, texts and factors").fill(factor);
    await expect.poll(() => listed(page)).toContain(atlas.heads[0].name);
    for (const name of await listed(page)) {
      const head = atlas.heads.find((one) => one.name === name)!;
      expect(JSON.stringify([head.strongest?.factor, head.texts, head.label]).toLowerCase()).toContain(
        factor,
      );
    }
    // All of it is in the address.
    const before = await listed(page);
    await page.reload();
    await expect.poll(() => listed(page)).toEqual(before);
    expect(complaints).toEqual([]);
  });

  it("has one tab stop for all squares, among which arrow keys move and Enter opens", async () => {
    const { page } = await open("/heads");
    const square = (name: string) => page.locator(`.square[data-head="${name}"]`);
    await square("L3.H0").focus();
    for (const key of [
      "ArrowRight",
      "ArrowDown",
      "ArrowRight",
      "End",
      "ArrowUp",
      "ArrowUp",
      "Home",
      "ArrowRight",
    ])
      await page.keyboard.press(key);
    expect(await page.locator(":focus").getAttribute("data-head")).toBe("L3.H1");
    await page.keyboard.press("Tab");
    expect(await page.locator(".square:focus").count()).toBe(0);
    await page.keyboard.press("Shift+Tab");
    expect(await page.locator(".square:focus").count()).toBe(1);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/heads\/L3\.H/);
  });

  it("says which heads know a text, as the search does", async () => {
    const text = "a red background";
    const { page } = await open("/heads");
    await page.getByLabel("which heads know").fill(text);
    await page.getByRole("button", { name: "Ask" }).click();
    await page.locator(".knowing").first().waitFor();
    const asked = { model: DEFAULT_MODEL, corpus: "demo", text };
    const found = (await post(app.server.url, "/api/atlas/find", asked)).json<KnowingHeads>();
    expect(await listed(page)).toEqual(found.heads.map(({ name }) => name));
    expect(param(page, "knows")).toBe(text);
  });

  it("has a page for each head with an address of its own, turned by keys, which leads on to Look and Neighbours", async () => {
    const { page, complaints } = await open("/heads/L0.H1?corpus=demo");
    const heading = (name: string) => page.getByRole("heading", { name, level: 2 });
    await heading("L0.H1").waitFor();
    for (const part of [
      "Images along its first text",
      "Images that it sees alike",
      "Images along its other texts",
      "What its texts explain",
      "What it knows",
      "Where it looks",
      "What happens without it",
      "Heads that respond like L0.H1",
    ])
      await page.getByRole("heading", { name: part }).waitFor();
    expect(await page.title()).toContain("L0.H1");
    // The least is left and the most right, in the ends, the tenths between them and the histogram.
    const first = page.locator(".direction").first();
    const scoresIn = (part: string) =>
      first.locator(part).evaluateAll((all) =>
        all.map((one) => {
          const { x } = one.getBoundingClientRect();
          return { x: Math.round(x), score: Number(one.textContent!.replace("−", "-")) };
        }),
      );
    for (const part of [".ends-of .score", ".deciles .score"]) {
      const shown = await scoresIn(part);
      for (const a of shown)
        for (const b of shown) if (a.x < b.x) expect(a.score).toBeLessThanOrEqual(b.score);
      expect(shown.length).toBeGreaterThanOrEqual(16);
    }
    // Beside the ends: where it looks, with its scale; and what they have in common, which for this head is the background.
    await page.getByText("share of the attention, a patch").waitFor();
    const { directions } = (await (
      await fetch(`${app.server.url}/api/atlas/heads/L0.H1?model=${DEFAULT_MODEL}&corpus=demo`)
    ).json()) as AtlasHeadResult;
    const { least, most } = directions[0].common;
    expect([...least, ...most].map(({ factor }) => factor)).toContain("background");
    const captions = (await first.locator(".common").allTextContents()).join(" ");
    for (const { factor, value } of [...least, ...most]) expect(captions).toContain(`${factor}: ${value}`);
    await first.getByText(/^adds \d+ %, \d+ % by chance$/).waitFor();
    // Its maps are painted, and can be taken off.
    const canvases = page.locator(".direction canvas");
    expect(new Set(await pixelsOf(page, ".direction canvas")).size).toBeGreaterThan(8);
    const withMaps = await canvases.count();
    expect(withMaps).toBeGreaterThan(50);
    await page.getByLabel("maps on the pictures").uncheck();
    await expect.poll(() => canvases.count()).toBe(0);
    // Typing turns no pages.
    await page.getByLabel("call it").press("ArrowRight");
    await heading("L0.H1").waitFor();
    await page.locator("h2").first().click();
    await page.keyboard.press("ArrowRight");
    await heading("L0.H2").waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await heading("L0.H0").waitFor();
    expect(new URL(page.url()).pathname).toBe("/heads/L0.H0");
    await page.goBack();
    await heading("L0.H1").waitFor();
    await page.reload();
    await heading("L0.H1").waitFor();
    await page.getByRole("link", { name: "Neighbours through it" }).click();
    await page.getByRole("heading", { name: "Nearest to this picture through head L0.H1" }).waitFor();
    await page.goBack();
    await page.getByRole("link", { name: "Look through this head" }).click();
    await expect.poll(() => param(page, "heads")).toBe("L0.H1");
    expect(new URL(page.url()).pathname).toBe("/look");
    await cell(page, "L0.H1").waitFor();
    // A picture of the page is looked at through the head, with the text that it was ordered by.
    await page.goto(`${app.server.url}/heads/L0.H1`);
    const direction = page.locator(".direction").first();
    const text = (await direction.getByRole("heading").first().textContent())!.match(/“(.*)”/)![1];
    await direction.getByRole("link").first().click();
    await expect.poll(() => param(page, "text")).toBe(text);
    expect(param(page, "image")).toMatch(/^demo:/);
    // What is not there is said.
    await page.goto(`${app.server.url}/heads/L9.H1`);
    await page.getByText(`${DEFAULT_MODEL} has no head L9.H1.`).waitFor();
    await page.getByRole("button", { name: "All heads" }).click();
    await page.getByRole("heading", { name: "All 16 heads" }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("calls a head what a user says, everywhere, until that is taken back", async () => {
    const { page } = await open("/heads/L2.H2");
    await page.getByText("No label yet.").waitFor();
    await page.getByLabel("call it").fill("round things");
    await page.getByLabel("says").fill("Ada");
    await page.getByRole("button", { name: "Keep" }).click();
    await page.getByRole("heading", { name: "L2.H2 · round things" }).waitFor();
    await page.getByText("Label by hand, Ada").waitFor();
    await page.getByRole("link", { name: "All heads" }).click();
    await page.getByLabel("in labels, texts and factors").fill("round things");
    await expect.poll(() => listed(page)).toEqual(["L2.H2"]);
    await page.goto(`${app.server.url}/look?heads=L2.H2`);
    await page.getByRole("button", { name: "L2.H2 · round things:" }).waitFor();
    await page.getByText("chosen: head L2.H2 · round things").waitFor();
    await page.goto(`${app.server.url}/neighbors?by=image&heads=L2.H2`);
    await page.getByRole("heading", { name: "through head L2.H2 · round things" }).waitFor();
    expect(
      await page
        .getByRole("combobox", { name: /^head\b/ })
        .locator("option:checked")
        .textContent(),
    ).toBe("L2.H2 · round things");
    await page.goto(`${app.server.url}/heads/L2.H2`);
    await page.getByRole("button", { name: "Take my label away" }).click();
    await page.getByText("No label yet.").waitFor();
  });

  it("axe finds nothing, and nothing moves by itself or is wider than a phone", async () => {
    for (const [width, height] of [
      [1280, 800],
      [390, 844],
    ]) {
      const opened = await openPage(app.browser, app.server.url, { viewport: { width, height } });
      onTestFinished(() => opened.page.context().close());
      const { page } = opened;
      const shifts = await watchShifts(page);
      for (const [address, there] of [
        ["/heads?knows=a+cat", ".knowing"],
        ["/heads/L3.H1", ".direction"],
      ]) {
        await page.goto(app.server.url + address);
        await page.locator(there).first().waitFor();
        for (const square of (await page.locator(".matrix .cell").all()).slice(0, 3)) await square.hover();
        const { sum, moved } = await shifts();
        expect(sum, `${address} at ${width}: ${moved.join()}`).toBeLessThan(0.02);
        expect(await scrollWidth(page)).toBeLessThanOrEqual(width);
        if (width === 390) continue;
        expect(await violations(page)).toEqual([]);
        await page.emulateMedia({ colorScheme: "dark" });
        expect(await violations(page, ["color-contrast"])).toEqual([]);
        await page.emulateMedia({ colorScheme: "light" });
      }
    }
  });

  it("makes the atlas of a 12 × 12 model that a user asks for, with an estimate first, and stays legible on a phone", {
    timeout: 420_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "shape-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const text = { width: 32, heads: 2, layers: 1, vocabSize: 49_408 };
    await writeRandomCheckpoint(folder, {
      ...{ width: 48, headDim: 4, imageSize: 56, patchSize: 8, layers: 12, embedDim: 16, text },
    });
    await copyFile(goldenPath("tokenizer/tokenizer.json"), join(folder, "tokenizer.json"));
    const own = await startTestServer({ served: [folder] }, 8);
    onTestFinished(() => own.close());
    const { page, complaints } = await open("/heads?corpus=scenes", PHONE, own.url);
    await page.getByText("not there yet").or(page.getByText("has to look at each of")).first().waitFor();
    await page.getByRole("button", { name: "Start" }).tap();
    await page
      .getByTestId("estimate")
      .getByText(/takes about/)
      .waitFor({ timeout: 90_000 });
    await page.getByRole("button", { name: "Make the atlas" }).tap();
    await page.getByRole("heading", { name: "All 144 heads" }).waitFor({ timeout: 300_000 });
    expect(await scrollWidth(page)).toBeLessThanOrEqual(390);
    // A few first: what stands below them is not 144 cards away.
    const first = await listed(page);
    expect(first).toHaveLength(24);
    const others = page.getByRole("button", { name: "Show the other 120 heads" });
    // Cards are laid out when they are seen: only then does what lies below them stay where it is.
    await others.scrollIntoViewIfNeeded();
    await others.tap();
    await expect.poll(async () => new Set(await listed(page)).size).toBe(144);
    expect((await listed(page)).slice(0, 24)).toEqual(first);
    const few = page.getByRole("button", { name: "Show the first 24 alone" });
    await few.scrollIntoViewIfNeeded();
    await few.tap();
    await expect.poll(() => listed(page)).toEqual(first);
    const square = page.locator('.matrix .cell[data-head="L6.H2"]');
    const box = (await square.boundingBox())!;
    expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(24);
    await square.tap();
    await page.getByRole("heading", { name: "L6.H2", level: 2 }).waitFor();
    await page.getByRole("heading", { name: "Heads that respond like L6.H2" }).waitFor();
    expect(await scrollWidth(page)).toBeLessThanOrEqual(390);
    await page.getByRole("link", { name: "L6.H3 →" }).tap();
    await page.getByRole("heading", { name: "L6.H3", level: 2 }).waitFor();
    expect(complaints).toEqual([]);
    expect(own.faults).toEqual([]);
  });
}
