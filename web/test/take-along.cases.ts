import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/registry.ts";
import { VERSION } from "../../src/support/version.ts";
import { app, open } from "./app-world.ts";

/** Tests of what is taken along. */
export function takeAlongCases(): void {
  it("downloads every view as picture, table and data, with model, hashes and version", async () => {
    const { page } = await open("/look?heads=L3.H3");
    const model = await app.models.load(DEFAULT_MODEL);
    const weights = await model.weightsHash();
    for (const view of ["Look", "Segment", "Neighbours"]) {
      await page.getByRole("link", { name: view, exact: true }).click();
      await page.getByRole("group", { name: "Download this view" }).waitFor();
      for (const kind of ["PNG", "SVG", "CSV", "JSON"]) {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("group", { name: "Download this view" }).getByRole("button", { name: kind }).click(),
        ]);
        const path = join(app.server.cache, download.suggestedFilename());
        await download.saveAs(path);
        if (kind === "PNG") {
          expect((await sharp(path).metadata()).width).toBeGreaterThan(600);
          continue;
        }
        const text = await readFile(path, "utf8");
        for (const part of [DEFAULT_MODEL, weights, "clip-interpret", VERSION]) expect(text).toContain(part);
        if (kind === "SVG") expect(text).toMatch(/^<svg[\s\S]*<\/svg>\n$/);
      }
    }
  });
}
