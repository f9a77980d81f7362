import { expect, it } from "vitest";
import { explainWords } from "../../src/analysis/words/words.ts";
import { parseHeads, parseTextHeads } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import type { WordsResult } from "../../src/results/words.ts";
import { largestOf, signedPaint } from "../../src/views/kit/panel.ts";
import { formatSigned } from "../../src/views/kit/text.ts";
import { decimalsOf, limitOf, sumInWords } from "../../src/views/words/words.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { app, expectedPixels, expectPixels, open, paintedOver, violations } from "./app-world.ts";
import { painted } from "./browser.ts";
import { PHONE } from "./fingers.ts";

const TEXT = "two cats on a green background";
const ADDRESS = `/look?${new URLSearchParams({ text: TEXT })}`;
const pixelsFor = (found: WordsResult, word: number) =>
  paintedOver(found, signedPaint(found.words[word].map, limitOf(found)));

/** Tests of the words in Look. */
export function wordsCases(): void {
  it("words light up by mouse and keyboard and show where they look; the sum stands below them", async () => {
    const { page, complaints } = await open(ADDRESS);
    await painted(page);
    const model = await app.models.load(DEFAULT_MODEL);
    const found = await explainWords(model, EXAMPLE_SCENE.path, TEXT);
    const cats = page.getByRole("button", { name: /^cats: .*show where it looks/ });
    expect(await page.locator(".word bdi").allTextContents()).toEqual(TEXT.split(" "));
    expect(await page.getByTestId("words-sum").textContent()).toBe(sumInWords(found));
    const whole = await expectedPixels("all", TEXT);
    await expectPixels(page, ".heat canvas", whole);
    await cats.hover();
    await expectPixels(page, ".heat canvas", await pixelsFor(found, 1));
    await page.getByText(/^Where the word cats looks/).waitFor();
    await page.mouse.move(5, 5);
    await expectPixels(page, ".heat canvas", whole);
    // A click keeps it; a second lets it go.
    await cats.click();
    await page.mouse.move(5, 5);
    await expectPixels(page, ".heat canvas", await pixelsFor(found, 1));
    await page.keyboard.press("Tab");
    await expectPixels(page, ".heat canvas", await pixelsFor(found, 2));
    await page.keyboard.press("Enter");
    await page.locator(".word[aria-pressed=true]", { hasText: "on" }).waitFor();
    await page.keyboard.press("Escape");
    expect(await page.locator(".word[aria-pressed=true]").count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("a text head and an image head: a pair shows where its words look; beside another text words stay, with what they are of", async () => {
    const { page, complaints } = await open(ADDRESS, {
      viewport: { width: 390, height: 844 },
      colorScheme: "dark",
    });
    await painted(page);
    const model = await app.models.load(DEFAULT_MODEL);
    await page.locator(".word").first().waitFor();
    await page.getByText("Which text head meets which image head").click();
    const cells = page.locator(".pairs .cell");
    await expect.poll(() => cells.count()).toBe(12 * 16);
    const { pairs = [] } = await explainWords(model, EXAMPLE_SCENE.path, TEXT, { pairs: 1 });
    const [{ text, image, value }] = pairs;
    const cell = page.getByRole("button", { name: `${text} with ${image}: ` });
    expect(await cell.getAttribute("aria-label")).toContain(formatSigned(value, 3).slice(0, 5));
    await cell.click();
    const found = await explainWords(model, EXAMPLE_SCENE.path, TEXT, {
      set: parseHeads(model, image),
      textSet: parseTextHeads(text, await model.textGeometry()),
    });
    const together = found.words[0].map.map((row, y) =>
      row.map((_, x) => found.words.reduce((sum, { map }) => sum + map[y][x], 0)),
    );
    await expectPixels(
      page,
      ".heat canvas",
      await paintedOver(found, signedPaint(together, largestOf(together.flat()))),
    );
    await page.getByText(`Where text head ${text} meets image head ${image}`).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Words through all heads again" }).click();
    await page.getByText(`Where text head ${text} meets`).waitFor({ state: "detached" });
    expect(await page.locator(".pairs [aria-pressed=true]").count()).toBe(0);
    expect(complaints).toEqual([]);

    const other = await open(`${ADDRESS}&against=a+dog`);
    await painted(other.page);
    await other.page.getByText("what “a dog” takes off is not split into words").waitFor();
    expect(await other.page.locator(".word bdi").allTextContents()).toEqual(TEXT.split(" "));
  });

  it("a patch says what each word adds there, by mouse and by finger", async () => {
    const { page } = await open(ADDRESS, PHONE);
    await painted(page);
    const model = await app.models.load(DEFAULT_MODEL);
    const found = await explainWords(model, EXAMPLE_SCENE.path, TEXT);
    await page.locator(".word").first().waitFor();
    const box = (await page.locator(".stage .heat").boundingBox())!;
    await page.locator(".stage .heat").tap({
      position: { x: ((4 + 0.5) * box.width) / 8, y: ((2 + 0.5) * box.height) / 8 },
    });
    const there = found.words.map(({ map }) => formatSigned(map[2][4], decimalsOf(found)));
    await expect.poll(() => page.locator(".word small").allTextContents()).toEqual(there);
    await page.getByRole("button", { name: /^green: / }).tap();
    await page.getByText(/^Where the word green looks/).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
}
