import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { startTestServer } from "../../test/support/app-server.ts";
import { goldenPath } from "../../test/support/goldens.ts";
import { writeRandomCheckpoint } from "../../test/support/random-checkpoint.ts";
import { app, cell, open, param } from "./app-world.ts";
import { painted } from "./browser.ts";
import { FINGER, PHONE, tooSmall } from "./fingers.ts";

/** Drags a finger, as a browser sees it. */
async function swipe(page: Page, x: number, y: number, by: { readonly x: number; readonly y: number }) {
  const session = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", points: { x: number; y: number }[]) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  await touch("touchStart", [{ x, y }]);
  const STEPS = 10;
  for (let i = 1; i <= STEPS; i++)
    await touch("touchMove", [{ x: x + (by.x * i) / STEPS, y: y + (by.y * i) / STEPS }]);
  await touch("touchEnd", []);
  await session.detach();
  // While it still glides, a tap stops it and does no more.
  await page.evaluate(
    () =>
      new Promise<void>((end) => {
        let [last, still] = [scrollY, 0];
        const look = () => {
          still = scrollY === last ? still + 1 : 0;
          last = scrollY;
          if (still > 10) end();
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
}

/** All that a finger can do in Look. */
async function usedByFinger(page: Page, [layer, head]: readonly [number, number]) {
  await painted(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  const name = `L${layer}.H${head}`;
  const square = cell(page, name);
  await square.scrollIntoViewIfNeeded();
  const box = (await square.boundingBox())!;
  expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(FINGER);
  // The map stays in sight beside the matrix, and not over it.
  const stage = (await page.locator(".stage").boundingBox())!;
  expect(stage.y).toBeGreaterThanOrEqual(-1);
  expect(stage.y + stage.height).toBeLessThanOrEqual(box.y + 1);
  // A swipe scrolls and chooses nothing.
  const before = await page.evaluate(() => scrollY);
  await swipe(page, box.x + 12, box.y + 12, { x: 0, y: -120 });
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(before);
  expect(param(page, "heads")).toBeNull();
  // A tap chooses, and the map is then of what is chosen.
  await square.tap();
  await expect.poll(() => param(page, "heads")).toBe(name);
  await page.getByText(new RegExp(`^Where head ${name} speaks`)).waitFor();
  // A tap on the picture keeps its patch, also while the page is scrolled.
  await page.locator(".stage .heat").tap({ position: { x: 60, y: 60 } });
  await page.getByText("What each head wrote at the marked patch.").waitFor();
  await swipe(page, 200, 700, { x: 0, y: -80 });
  expect(await page.locator(".mark").count()).toBe(1);
  await page.getByRole("button", { name: "Back to the whole picture" }).tap();
  await page.locator(".mark").waitFor({ state: "detached" });
}

/** Tests of phones. */
export function touchCases(): void {
  it("a finger can do on a phone what a mouse does: the embedded model", async () => {
    const { page, complaints } = await open("/look", PHONE);
    await usedByFinger(page, [1, 2]);
    for (const view of ["Segment", "Neighbours"]) {
      await page.getByRole("link", { name: view, exact: true }).tap();
      await page.getByRole("group", { name: "Download this view" }).waitFor();
      const outside = await page.evaluate(() =>
        [...document.querySelectorAll("button, a, input:not(.hidden), select")]
          .map((one) => one.getBoundingClientRect())
          .filter(({ width, left, right }) => width > 1 && (left < 0 || right > innerWidth)),
      );
      expect(outside).toEqual([]);
    }
    expect(complaints).toEqual([]);
  });

  it("every control is as large as a finger needs, in every view and dialog", async () => {
    const { page, complaints } = await open("/look", PHONE);
    /** Addresses, and what is there last. */
    const views = {
      "/look?text=a+red+cat&text=a+dog&heads=L3.H1": ".nearest .thumbs a",
      "/look?tour=2": ".tour button.primary",
      "/look?embed=1": ".embedded a",
      "/segment?text=a+cat&text=a+dog": ".maps figure + figure",
      "/neighbors?by=property": ".thumbs a",
      "/neighbors?by=image": ".thumbs a",
      "/neighbors?by=text&query=a+dog": ".thumbs a",
      "/heads?only=norm&knows=red": ".knowing",
      "/heads/L3.H1": ".map-thumbs a",
      "/reports": ".compare-models select",
    };
    for (const [path, last] of Object.entries(views)) {
      await page.goto(app.server.url + path);
      await page.locator(last).first().waitFor({ timeout: 120_000 });
      for (const summary of await page.locator("main summary").all()) await summary.tap();
      expect({ path, small: await tooSmall(page) }).toEqual({ path, small: [] });
    }
    const dialogs = {
      Recent: ".past a",
      "160 generated scenes": ".corpora button",
      [DEFAULT_MODEL]: ".models button",
      "From the corpus": ".gallery button",
    };
    await page.goto(`${app.server.url}/look`);
    for (const [opens, last] of Object.entries(dialogs)) {
      await page.getByRole("button", { name: opens }).first().tap();
      await page.locator("dialog").locator(last).first().waitFor();
      expect({ opens, small: await tooSmall(page) }).toEqual({ opens, small: [] });
      await page.getByRole("button", { name: "Close", exact: true }).tap();
    }
    expect(complaints).toEqual([]);
  });

  it.each([
    ["12 × 12 heads, as in ViT-B/32", 12, 12],
    ["24 × 16 heads, as in ViT-L/14", 24, 16],
  ])("and with %s: rows scroll together, their names stay", async (_, layers, heads) => {
    const folder = await mkdtemp(join(tmpdir(), "shape-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const width = heads * 4;
    const text = { width: 32, heads: 2, layers: 1, vocabSize: 49_408 };
    await writeRandomCheckpoint(folder, {
      ...{ width, headDim: 4, imageSize: 56, patchSize: 8, layers, embedDim: 16, text },
    });
    await copyFile(goldenPath("tokenizer/tokenizer.json"), join(folder, "tokenizer.json"));
    const own = await startTestServer({ served: [folder] }, 8);
    onTestFinished(() => own.close());
    const { page, complaints } = await open("/look?text=a+cat&text=a+dog", PHONE, own.url);
    await usedByFinger(page, [layers - 2, 2]);
    const matrix = page.locator(".matrix-scroll");
    const far = cell(page, `L${layers - 1}.H${heads - 1}`);
    const end = page.getByTestId("total");
    await end.evaluate((one) => one.scrollIntoView({ block: "center", inline: "end" }));
    expect(await matrix.evaluate((one) => one.scrollLeft)).toBeGreaterThan(0);
    const other = cell(page, `L${layers - 3}.H${heads - 1}`);
    const [a, b] = [(await far.boundingBox())!, (await other.boundingBox())!];
    expect(a.x).toBeCloseTo(b.x, 0);
    expect(a.x + a.width).toBeLessThanOrEqual(390);
    const rowName = (await page.getByRole("button", { name: `Layer ${layers - 1}:` }).boundingBox())!;
    expect(rowName.x).toBeGreaterThanOrEqual(0);
    expect(rowName.x + rowName.width).toBeLessThanOrEqual(a.x + 1);
    expect(complaints).toEqual([]);
    expect(app.server.faults).toEqual([]);
  });
}
