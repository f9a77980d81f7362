import { expect, it } from "vitest";
import { open, violations } from "./app-world.ts";

/** Tests of everyone. */
export function everyoneCases(): void {
  it.each([
    ["light", "desktop", { width: 1280, height: 900 }],
    ["dark", "desktop", { width: 1280, height: 900 }],
    ["light", "phone", { width: 390, height: 844 }],
  ] as const)(
    "can be used by everyone, %s on a %s: axe finds nothing, nothing is wider than the screen",
    async (colorScheme, _, viewport) => {
      const { page, complaints } = await open("/look", { colorScheme, viewport });
      for (const view of ["Look", "Segment", "Neighbours"]) {
        await page.getByRole("link", { name: view, exact: true }).click();
        await page.getByRole("group", { name: "Download this view" }).waitFor();
        await page.waitForTimeout(300);
        expect(await violations(page)).toEqual([]);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(width).toBeLessThanOrEqual(viewport.width);
      }
      expect(complaints).toEqual([]);
    },
  );

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
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    }
  });
}
