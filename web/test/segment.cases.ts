import { expect, it } from "vitest";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { parseComponents } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { formatSigned } from "../../src/views/kit/text.ts";
import { segmentationPaints } from "../../src/views/segmentation/pictures.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { app, expectPixels, open, paintedOver } from "./app-world.ts";

/** Tests of Segment. */
export function segmentCases(): void {
  it("segments by topic and by contrast, side by side, with the numbers and pixels of the analysis", async () => {
    const texts = ["a monkey", "a purple background", "a palm tree"];
    const query = `heads=L3&${texts.map((text) => `text=${encodeURIComponent(text)}`).join("&")}&image=`;
    const { example } = (await (await fetch(`${app.server.url}/api/app`)).json()) as {
      example: { image: string };
    };
    const { page } = await open(`/segment?${query}${encodeURIComponent(example.image)}`);
    const model = await app.models.load(DEFAULT_MODEL);
    const set = parseComponents("L3", model.geometry);
    for (const mode of ["topic", "contrast"] as const) {
      if (mode === "contrast") await page.getByLabel(/where does each text lead/).check();
      const found = await segmentImage(model, EXAMPLE_SCENE.path, texts, { set, mode });
      for (const [i, { score, patches, cls }] of found.texts.entries()) {
        const figure = page.getByTestId("map").nth(i);
        const line = `heads’ score ${formatSigned(score, 4)} = patches ${formatSigned(patches, 4)} + CLS ${formatSigned(cls ?? Number.NaN, 4)}`;
        await figure.getByText(line).waitFor();
      }
      const { texts: paints, winners } = segmentationPaints(found);
      const canvas = "[data-testid=map] >> nth=1 >> canvas";
      await expectPixels(page, canvas, await paintedOver(found, paints[1]));
      await expectPixels(page, "[data-testid=winners] canvas", await paintedOver(found, winners!));
      const counts = found.winners!.counts.map((count, i) => `${texts[i]}: ${count} of 64 patches`);
      for (const count of counts) await page.getByText(count).waitFor();
    }
  });

  it("keeps sixteen texts apart, as many as it takes", async () => {
    const texts = Array.from({ length: 16 }, (_, i) => `text=${i}+cats`).join("&");
    const { page } = await open(`/segment?${texts}`);
    const swatches = page.getByTestId("winners").locator(".swatch");
    await swatches.nth(15).waitFor();
    const drawn = await swatches.evaluateAll((all) => all.map((one) => one.innerHTML));
    expect(new Set(drawn).size).toBe(16);
    await page.getByText("These are 16 texts, as many as fit").waitFor();
    expect(await page.getByLabel("Add a text").count()).toBe(0);
  });
}
