import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { expect, it, onTestFinished } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { VERSION } from "../../src/support/version.ts";
import { originIn } from "../../src/views/kit/png-text.ts";
import { decimalsFor, formatCosine, formatSigned } from "../../src/views/kit/text.ts";
import { scoreFormat } from "../../src/views/neighbors/words.ts";
import { decimalsOf } from "../../src/views/words/words.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { post } from "../../test/support/app-server.ts";
import { entriesOf, run } from "../../test/support/doc-examples.ts";
import { runHere } from "../../test/support/run-cli.ts";
import { app, cell, open } from "./app-world.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Tests of what is taken along. */
export function takeAlongCases(): void {
  it("downloads every view as picture, table and data, with model, hashes and version", async () => {
    const { page } = await open("/look?heads=L3.H3");
    const model = await app.models.load(DEFAULT_MODEL);
    const weights = await model.weightsHash();
    const origins: (string | undefined)[] = [];
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
          origins.push(originIn(await readFile(path)));
          continue;
        }
        const text = await readFile(path, "utf8");
        // The picture says of itself what the data says.
        if (kind === "JSON") {
          const data = JSON.parse(text);
          expect(JSON.parse(origins.at(-1)!)).toEqual((data.explanation ?? data).origin);
        }
        if (kind === "SVG" && view === "Look") expect(text.match(/class="chosen"/g)).toHaveLength(2);
        for (const part of [DEFAULT_MODEL, weights, "clip-interpret", VERSION]) expect(text).toContain(part);
        if (kind === "SVG") expect(text).toMatch(/^<svg[\s\S]*<\/svg>\n$/);
      }
    }
  });

  it("copies commands and programs that give the numbers of the page", { timeout: 240_000 }, async () => {
    const job = { kind: "prepare", corpus: "scenes", model: DEFAULT_MODEL };
    expect((await post(app.server.url, "/api/jobs", job)).status).toBe(200);
    const scratch = await mkdtemp(join(tmpdir(), "copied-"));
    onTestFinished(() => rm(scratch, { recursive: true }));
    const { page } = await open("/look?heads=L3.H3,L2*-1&without=mean&corpus=scenes", {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const file = basename(EXAMPLE_SCENE.path);
    const index = join(scratch, "scenes.index");
    // What is copied runs where the files lie.
    const here = (text: string) =>
      text
        .replaceAll("scenes.index", index)
        .replaceAll("examples/scenes", dirname(dirname(EXAMPLE_SCENE.path)))
        .replaceAll(file, EXAMPLE_SCENE.path);
    const copied = async (kind: "command" | "code") => {
      await page.getByRole("button", { name: `Copy as ${kind}` }).click();
      await page.getByText("Copied.").waitFor();
      return here(await page.evaluate(() => navigator.clipboard.readText()));
    };
    const ran = async () => {
      const answers = [];
      for (const line of (await copied("command")).split("\n").filter((one) => !one.startsWith("#"))) {
        const split = `set -- ${line}; printf '%s\\0' "$@"`;
        const [, ...words] = execFileSync("sh", ["-c", split]).toString().split("\0").slice(0, -1);
        const { code, stdout, stderr } = await runHere(...words, "--json");
        expect({ code, stderr }).toMatchObject({ code: 0 });
        answers.push(JSON.parse(stdout));
      }
      return answers;
    };
    const printed = async () => run(await copied("code"), entriesOf(ROOT));
    const numbersIn = (lines: readonly string[]) => lines.map((line) => Number(/(\S+)$/.exec(line)![1]));

    await page.getByTestId("without").first().waitFor();
    await page.locator(".word").first().waitFor();
    const [, explained, segmented, worded] = await ran();
    const score = page.getByTestId("score");
    expect(formatCosine(explained.texts[0].similarity)).toBe(await score.textContent());
    const ablated = explained.ablated.texts.map((one: { without: number }) => one.without);
    expect(ablated.map(formatCosine)).toEqual(await page.getByTestId("without").allTextContents());
    const lines = numbersIn(await printed());
    expect(lines.slice(0, 4)).toEqual(explained.texts.map((one: { similarity: number }) => one.similarity));
    expect(lines[4]).toBe(segmented.texts[0].score);
    const facts = await page.locator(".facts").textContent();
    expect(facts).toContain(formatSigned(lines[4], decimalsFor(Math.abs(lines[4]))));
    expect(lines.slice(5, 5 + ablated.length)).toEqual(ablated);
    const parts = worded.words.map((one: { shares: number[] }) => one.shares[0]);
    expect(lines.slice(5 + ablated.length)).toEqual(parts);
    const decimals = decimalsOf(worded);
    expect(await page.locator(".word small").allTextContents()).toEqual(
      parts.map((part: number) => formatSigned(part, decimals)),
    );

    // Against another text, less the average picture.
    await page.getByRole("combobox", { name: /^against/ }).selectOption(EXAMPLE_SCENE.texts[1]);
    await page.getByLabel("less the average picture").check();
    const [, held] = await ran();
    const compared: { score: number; heads: { value: number }[] }[] = held.compared.texts;
    await expect.poll(() => score.textContent()).toBe(formatSigned(compared[0].score, 4));
    const square = await cell(page, "L3.H3").getAttribute("aria-label");
    expect(Number(/: (\S+?)\. /.exec(square!)![1].replace("−", "-"))).toBeCloseTo(
      compared[0].heads[15].value,
      3,
    );
    expect(numbersIn(await printed()).slice(0, 3)).toEqual(compared.map((one) => one.score));

    await page.getByRole("link", { name: "Neighbours" }).click();
    await page.getByLabel("pictures that some heads find fitting a text").check();
    await page.getByRole("region", { name: "most similar" }).getByRole("link").first().waitFor();
    const [, found] = await ran();
    const shown = page.getByRole("region", { name: "most similar" }).locator(".score");
    const format = scoreFormat(found);
    expect(await shown.allTextContents()).toEqual(
      found.neighbors.map((one: { score: number }) => format(one.score)),
    );
    expect(numbersIn(await printed())).toEqual(found.neighbors.map((one: { score: number }) => one.score));
    // Which heads know a text, best first.
    await page.goto(`${app.server.url}/heads?corpus=scenes&knows=a+red+background`);
    await page.locator(".knowing").first().waitFor({ timeout: 90_000 });
    const [, knowing] = await ran();
    const cards = page.locator(".head-card");
    expect(await cards.evaluateAll((all) => all.map((one) => one.getAttribute("data-head")))).toEqual(
      knowing.heads.map((one: { name: string }) => one.name),
    );
    expect(numbersIn(await printed())).toEqual(knowing.heads.map((one: { share: number }) => one.share));
    for (const kind of ["PNG", "CSV", "JSON"]) {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("group", { name: "Download this view" }).getByRole("button", { name: kind }).click(),
      ]);
      const saved = await readFile(await download.path());
      if (kind === "PNG") expect(JSON.parse(originIn(saved)!).index.images).toBe(24);
      else for (const { name } of knowing.heads) expect(saved.toString()).toContain(name);
    }

    // The page of a head, and every head at a glance.
    await page.goto(`${app.server.url}/heads/L1.H0?corpus=scenes`);
    await page.locator(".direction").first().waitFor();
    const highest = page.locator(".direction .ends-of.most");
    const [, about] = await ran();
    const ends: number[] = about.directions.map((one: { most: { score: number }[] }) => one.most[0].score);
    expect(
      await highest.evaluateAll((all) =>
        all.map((end) => [...end.querySelectorAll(".score")].at(-1)!.textContent),
      ),
    ).toEqual(ends.map((end) => formatSigned(end, 3)));
    expect(numbersIn(await printed())).toEqual(ends);
    await page.goto(`${app.server.url}/heads?corpus=scenes&sort=norm`);
    const values = page.locator(".matrix .cell");
    await values.first().waitFor();
    const norms = numbersIn(await printed());
    const named = await values.evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
    for (const [unit, norm] of norms.entries())
      expect(named).toContainEqual(
        expect.stringContaining(`L${Math.floor(unit / 4)}.H${unit % 4}: norm ${norm.toFixed(3)}`),
      );

    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByLabel(/where does each text lead/).check();
    await page.waitForURL(/mode=contrast/);
    await page
      .getByText(/the others lead/)
      .first()
      .waitFor();
    const [maps] = await ran();
    for (const [i, one] of maps.texts.entries())
      await page.getByTestId("map").nth(i).getByText(formatSigned(one.score, 4)).first().waitFor();
    expect(numbersIn(await printed())).toEqual(maps.texts.map((one: { score: number }) => one.score));
  });
}
