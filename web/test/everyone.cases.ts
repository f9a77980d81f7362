import { expect, it, onTestFinished } from "vitest";
import { app, cell, open, violations, watchShifts } from "./app-world.ts";
import { openPage, painted } from "./browser.ts";

const VIEWS = ["Look", "Segment", "Neighbours"];

/** Tests of everyone. */
export function everyoneCases(): void {
  it("axe finds nothing in any view, headings and landmarks among it", async () => {
    const { page, complaints } = await open("/look?heads=L3.H1*-1&without=zero");
    for (const view of VIEWS) {
      await page.getByRole("link", { name: view, exact: true }).click();
      await page.getByRole("group", { name: "Download this view" }).waitFor();
      expect(await violations(page)).toEqual([]);
    }
    // Its colours are another matter in the dark, and the rest is not.
    await page.emulateMedia({ colorScheme: "dark" });
    for (const view of VIEWS) {
      await page.getByRole("link", { name: view, exact: true }).click();
      await page.getByRole("group", { name: "Download this view" }).waitFor();
      expect(await violations(page, ["color-contrast"])).toEqual([]);
    }
    expect(complaints).toEqual([]);
  });

  it("forced colours leave what colours say", async () => {
    const { page } = await open("/look", { forcedColors: "active" });
    await painted(page);
    const colours = await page
      .locator(".cell")
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
    expect(new Set(colours).size).toBeGreaterThan(8);
  });

  it.each([
    [1440, 900],
    [390, 844],
  ])("at %i pixels nothing moves by itself, and nothing is wider than the screen", async (width, height) => {
    const opened = await openPage(app.browser, app.server.url, { viewport: { width, height } });
    onTestFinished(() => opened.page.context().close());
    const { page } = opened;
    const shifts = await watchShifts(page);
    for (const view of ["look?heads=L3.H3", "segment", "neighbors"]) {
      await page.goto(`${app.server.url}/${view}`);
      await page.getByRole("group", { name: "Download this view" }).waitFor();
      if (view.startsWith("look")) {
        await painted(page);
        // Under the pointer least of all.
        for (const name of ["L3.H0", "L2.H1", "L0.H3"]) await cell(page, name).hover();
        const box = (await page.locator(".stage .heat").boundingBox())!;
        for (const at of [0.3, 0.6]) await page.mouse.move(box.x + at * box.width, box.y + at * box.height);
      }
      await page.waitForTimeout(400);
      const { sum, moved } = await shifts();
      expect(sum, `${view}: ${moved.join()}`).toBeLessThan(0.02);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  });

  it("says of a long text that only its beginning is read, and how much", async () => {
    const long = `a monkey ${"and a palm tree ".repeat(12)}`.trim();
    for (const address of [
      `/look?text=${encodeURIComponent(long)}`,
      `/segment?text=${encodeURIComponent(long)}`,
      `/neighbors?by=text&query=${encodeURIComponent(long)}`,
    ]) {
      const { page, complaints } = await open(address);
      const note = page.getByRole("status").filter({ hasText: "Only the first 32 tokens" });
      await note.waitFor();
      expect(await note.textContent()).toMatch(
        /^Only the first 32 tokens of “a monkey and a .*…” are read\. The rest/,
      );
      expect(complaints).toEqual([]);
    }
  });
}
