import { expect, it } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { allHeads, parseComponents } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import type { Insights, Means } from "../../src/results/app.ts";
import type { ExplainResult } from "../../src/results/explain.ts";
import { decimalsFor, formatCosine, formatSigned } from "../../src/views/kit/text.ts";
import { segmentationPaints } from "../../src/views/segmentation/pictures.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { post } from "../../test/support/app-server.ts";
import { app, cell, expectedPixels, expectPixels, open, paintedOver } from "./app-world.ts";
import { painted } from "./browser.ts";

/** Tests of Look. */
export function lookCases(): void {
  it("shows the example at once: the exact score, every head's part, and the map of all heads, pixel by pixel", async () => {
    const { page, complaints } = await open();
    await painted(page);
    const [text] = EXAMPLE_SCENE.texts;
    const model = await app.models.load(DEFAULT_MODEL);
    const { texts } = await explainImage(model, EXAMPLE_SCENE.path, EXAMPLE_SCENE.texts);
    expect(await page.getByTestId("score").textContent()).toBe(formatCosine(texts[0].similarity));
    expect(await page.getByTestId("total").textContent()).toBe(formatSigned(texts[0].sum, 4));
    const limit = Math.max(...texts[0].heads.map(({ value }) => Math.abs(value)));
    for (const { layer, head, value } of texts[0].heads) {
      const cell = page.getByRole("button", { name: new RegExp(`^L${layer}\\.H${head}:`) });
      expect(await cell.textContent()).toBe(formatSigned(value, decimalsFor(limit)));
    }
    await expectPixels(page, ".heat canvas", await expectedPixels("all", text));
    expect(complaints).toEqual([]);
  });

  it("a head is chosen by a click, several by a drag, a layer by its name, a property by its name; the map follows", async () => {
    const { page } = await open();
    await painted(page);
    const [text] = EXAMPLE_SCENE.texts;
    const square = (name: string) => cell(page, name);
    const away = () => page.mouse.move(5, 5);
    await square("L3.H3").click();
    await away();
    await page.waitForURL(/heads=L3\.H3/);
    await expectPixels(page, ".heat canvas", await expectedPixels("L3.H3", text));
    await page.getByRole("button", { name: "All heads" }).click();
    const [from, to] = [await square("L1.H0").boundingBox(), await square("L1.H2").boundingBox()];
    await page.mouse.move(from!.x + 20, from!.y + 20);
    await page.mouse.down();
    await page.mouse.move(to!.x + 20, to!.y + 20, { steps: 12 });
    await page.mouse.up();
    await page.waitForURL(/heads=L1\.H0%2CL1\.H1%2CL1\.H2/);
    await page.getByRole("button", { name: /^Layer 2/ }).click();
    await page.waitForURL(/heads=L1\.H0%2CL1\.H1%2CL1\.H2%2CL2(&|$)/);
    await away();
    await expectPixels(page, ".heat canvas", await expectedPixels("L1.H0,L1.H1,L1.H2,L2", text));
    await page.getByLabel("Heads for").selectOption("background");
    await expect.poll(() => new URL(page.url()).searchParams.get("heads")).toMatch(/^L\d\.H\d/);
    // With the keyboard alone.
    await page.getByRole("button", { name: "All heads" }).click();
    await square("L3.H0").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Space");
    await page.waitForURL(/heads=L2\.H1/);
  });

  it("a head under the pointer shows its own map, a patch under the pointer what each head wrote there", async () => {
    const { page } = await open("/look?heads=L0");
    await painted(page);
    const [text] = EXAMPLE_SCENE.texts;
    await page.getByRole("button", { name: /^L3\.H3:/ }).hover();
    await expectPixels(page, ".heat canvas", await expectedPixels("L3.H3", text));
    const model = await app.models.load(DEFAULT_MODEL);
    const patch = 2 * 8 + 4;
    const found = await segmentImage(model, EXAMPLE_SCENE.path, [text], {
      ...{ set: allHeads(model.geometry), patch },
    });
    const box = (await page.locator(".picture-side .heat").boundingBox())!;
    await page.mouse.move(box.x + (4.5 / 8) * box.width, box.y + (2.5 / 8) * box.height);
    const token = found.texts[0].token!;
    const sum = token.value;
    await expect.poll(() => page.getByTestId("total").textContent()).toBe(formatSigned(sum, 4));
    const [best] = token.heads;
    const cell = page.getByRole("button", { name: new RegExp(`^L${best.layer}\\.H${best.head}:`) });
    expect(await cell.textContent()).toBe(formatSigned(best.value, decimalsFor(Math.abs(best.value))));
  });

  it("takes a stranger on a tour: the clearest head, one that speaks against what it sees, and one that makes up for it", async () => {
    const { page } = await open();
    await page.getByRole("button", { name: "Meet three heads (one minute)" }).click();
    const tour = page.getByTestId("tour");
    const insights = await (
      await fetch(`${app.server.url}/api/insights?model=${DEFAULT_MODEL}&corpus=demo`)
    ).json();
    const { factors, heads } = (insights as Insights).selectivity;
    const at = (factor: string) => factors.findIndex(({ name }) => name === factor);
    const of = (head: string, factor: string) => heads.find(({ name }) => name === head)!.factors[at(factor)];
    const percent = (share: number) => `${Math.round(100 * share)} %`;
    const steps = [
      ["L0.H1", "L0.H1 looks at the colour behind.", percent(of("L0.H1", "background").share)],
      ["L3.H1", "L3.H1 speaks against what it sees.", percent(of("L3.H1", "position").margin!.last)],
      ["L3.H3", "L3.H3 makes up for it.", percent(of("L3.H3", "position").margin!.first)],
    ];
    for (const [i, [head, title, fact]] of steps.entries()) {
      await tour.getByText(`Head ${i + 1} of 3`).waitFor();
      expect(await tour.getByRole("heading").textContent()).toBe(title);
      await tour.getByText(fact, { exact: true }).waitFor();
      expect(new URL(page.url()).searchParams.get("heads")).toBe(head);
      await page.getByTestId("in-common").waitFor();
      // What the facts below the matrix say the head follows most is what the title is about.
      if (i < 2)
        await page.getByText(/of what this head writes follows (the colour behind|where in the)/).waitFor();
      if (i > 0) await shows(head, i === 1 ? "least" : "most");
      if (i < 2) await tour.getByRole("button", { name: "Next head →" }).click();
    }
    await page.getByText("It speaks against the text of what it sees.").waitFor({ state: "detached" });
    await tour.getByRole("button", { name: "Done: try your own" }).click();
    await page.getByRole("button", { name: "Meet three heads (one minute)" }).waitFor();

    /** Of the texts that are shown, the head gives the first, the true one, least or most. */
    async function shows(head: string, which: "least" | "most") {
      const { searchParams } = new URL(page.url());
      const asked = { image: searchParams.get("image"), texts: searchParams.getAll("text") };
      const found = (
        await post(app.server.url, "/api/explain", { model: DEFAULT_MODEL, ...asked })
      ).json<ExplainResult>();
      const [own, ...others] = found.texts.map((text) => text.heads.find(({ name }) => name === head)!.value);
      if (which === "least") expect(own).toBeLessThan(Math.min(...others));
      else expect(own).toBeGreaterThan(Math.max(...others));
    }
  });

  it("a score without the chosen heads, against another text, and less the average picture", async () => {
    const { page, complaints } = await open("/look?heads=L3.H3");
    await painted(page);
    const [text, other] = EXAMPLE_SCENE.texts;
    const model = await app.models.load(DEFAULT_MODEL);
    const { texts } = await explainImage(model, EXAMPLE_SCENE.path, EXAMPLE_SCENE.texts);
    const asked = { model: DEFAULT_MODEL, corpus: "demo", texts: EXAMPLE_SCENE.texts };
    const means = (await post(app.server.url, "/api/means", asked)).json<Means>();
    const partOf = (i: number, name: string) => ({
      own: texts[i].heads.find((head) => head.name === name)!.value,
      mean: means.texts[i].heads.find((head) => head.name === name)!.value,
    });
    const chosenBox = page.getByRole("combobox", { name: /^without the chosen heads/ });
    for (const replacement of ["mean", "zero"] as const) {
      await chosenBox.selectOption(replacement);
      const wanted = texts.map(({ similarity }, i) => {
        const { own, mean } = partOf(i, "L3.H3");
        return formatCosine(similarity - own + (replacement === "mean" ? mean : 0));
      });
      await expect.poll(() => page.getByTestId("without").allTextContents()).toEqual(wanted);
    }
    await page
      .getByRole("heading", { name: "Pictures found most like this one without head L3.H3" })
      .waitFor();
    await chosenBox.selectOption("no");

    await page.getByRole("combobox", { name: /^against/ }).selectOption(other);
    await expect
      .poll(() => page.getByTestId("score").textContent())
      .toBe(formatSigned(texts[0].similarity - texts[1].similarity, 4));
    const set = parseComponents("L3.H3", model.geometry);
    const contrast = await segmentImage(model, EXAMPLE_SCENE.path, [text, other], { set, mode: "contrast" });
    await page.mouse.move(5, 5);
    const alone = { ...contrast, texts: contrast.texts.slice(0, 1), winners: undefined };
    await expectPixels(page, ".heat canvas", await paintedOver(contrast, segmentationPaints(alone).texts[0]));

    await page.getByLabel("less the average picture").check();
    const difference = [0, 1].map((i) => partOf(i, "L3.H3")).map(({ own, mean }) => own - mean);
    const shown = async () => {
      const label = await cell(page, "L3.H3").getAttribute("aria-label");
      return Number(/: (\S+?)\. /.exec(label!)![1].replace("−", "-"));
    };
    await expect.poll(shown).toBeCloseTo(difference[0] - difference[1], 3);
    expect(complaints).toEqual([]);
  });

  it("texts from right to left keep their numbers on their right", async () => {
    const { page } = await open(`/look?text=${encodeURIComponent("شاب 5")}&text=a+cat`);
    await painted(page);
    const chip = page.locator(".chip").first();
    await chip.locator("small", { hasText: /\d/ }).waitFor();
    const [words, number] = await Promise.all(
      ["bdi", "small"].map((part) => chip.locator(part).boundingBox()),
    );
    expect(number!.x).toBeGreaterThanOrEqual(words!.x + words!.width);
  });
}
