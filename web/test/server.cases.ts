import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { formatCosine } from "../../src/views/kit/text.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { startTestServer } from "../../test/support/app-server.ts";
import { app, open } from "./app-world.ts";
import { openPage } from "./browser.ts";

/** Tests of one server. */
export function serverCases(): void {
  it("keeps two users apart", async () => {
    const [one, two] = [await open(), await open()];
    const ask = async (page: Page, concept: string, texts: readonly string[]) => {
      await page.getByRole("button", { name: "From the corpus…" }).click();
      await page.getByRole("button", { name: "24 example scenes" }).click();
      await page.getByRole("dialog").getByRole("button", { name: concept, exact: true }).click();
      const scores: string[] = [];
      for (const text of texts) {
        await page.getByLabel("Add a text").fill(text);
        await page.getByRole("button", { name: "Add", exact: true }).click();
        await page.getByRole("heading", { name: new RegExp(text) }).waitFor();
        scores.push((await page.getByTestId("score").textContent())!);
      }
      return scores;
    };
    const wanted = [
      ["frog", "images/0030-frog.png", ["a frog", "a green animal"]],
      ["car", "images/0097-car.png", ["a car", "a vehicle on the left"]],
    ] as const;
    const shown = await Promise.all(
      wanted.map(([concept, , texts], i) => ask([one, two][i].page, concept, texts)),
    );
    const model = await app.models.load(DEFAULT_MODEL);
    for (const [i, [, path, texts]] of wanted.entries()) {
      const scene = fileURLToPath(new URL(`../../examples/scenes/${path}`, import.meta.url));
      const direct = await explainImage(model, scene, texts);
      expect(shown[i]).toEqual(direct.texts.map(({ similarity }) => formatCosine(similarity)));
    }
  });

  it("opens with a model from a folder, changes to another, and comes back to it", async () => {
    const parent = await mkdtemp(join(tmpdir(), "own-"));
    const folder = join(parent, "my own model");
    await cp(fileURLToPath(new URL("../../models/emoji-4x128-p16", import.meta.url)), folder, {
      recursive: true,
    });
    const own = await startTestServer({ served: [folder] }, 8);
    const { page, complaints } = await openPage(app.browser, own.url);
    try {
      const scoreOf = async (name: string) => {
        const image = await app.models.load(name);
        const { texts } = await explainImage(image, EXAMPLE_SCENE.path, [EXAMPLE_SCENE.texts[0]]);
        return formatCosine(texts[0].similarity);
      };
      const [first, other] = [await scoreOf(folder), await scoreOf(DEFAULT_MODEL)];
      expect(first).not.toBe(other);
      const shows = (score: string) => page.getByTestId("score").filter({ hasText: score }).waitFor();
      const choose = async (name: string | RegExp) => {
        await page.getByTitle("Choose another model").click();
        const row = page.getByRole("row", { name });
        await row.getByRole("button", { name: "Use" }).click();
      };
      await page.goto(own.url);
      await shows(first);
      await choose(new RegExp(`^${DEFAULT_MODEL} `));
      await shows(other);
      await choose(/^my-own-model-[0-9a-f]{8} /);
      await shows(first);
      expect(page.url()).toMatch(/[?&]model=my-own-model-[0-9a-f]{8}(&|$)/);
      await page.reload();
      await shows(first);
      expect(complaints).toEqual([]);
      expect(own.faults).toEqual([]);
    } finally {
      await page.context().close();
      await own.close();
      await rm(parent, { recursive: true });
    }
  });

  it("is at most 200 kB of compressed script, all of its own", async () => {
    const { page } = await open();
    const scripts = await page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .filter(({ name }) => name.endsWith(".js"))
        .map(({ name }) => name),
    );
    expect(scripts.length).toBeGreaterThan(0);
    let bytes = 0;
    for (const url of scripts) bytes += gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length;
    expect(bytes).toBeLessThanOrEqual(200e3);
  });

  it("shows one view in a frame of a page that was named, and in no other", async () => {
    const outside = createServer((request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(
        `<iframe src="${new URL(request.url ?? "", "http://x").searchParams.get("show")}"></iframe>`,
      );
    });
    await new Promise<void>((go) => outside.listen(0, "127.0.0.1", go));
    onTestFinished(() => void outside.close());
    const { port } = outside.address() as AddressInfo;
    const [named, other] = [`http://localhost:${port}`, `http://127.0.0.1:${port}`];
    const own = await startTestServer({ embed: [named] }, 8);
    onTestFinished(() => own.close());
    const context = await app.browser.newContext();
    onTestFinished(() => context.close());
    const framed = async (origin: string, view: string) => {
      const page = await context.newPage();
      await page.goto(`${origin}/?show=${encodeURIComponent(own.url + view)}`);
      return page.frameLocator("iframe");
    };
    const shown = await framed(named, "/look?embed=1&text=a+cat");
    await shown.getByTestId("score").filter({ hasText: /\d/ }).waitFor();
    expect(await shown.getByRole("navigation").count()).toBe(0);
    expect(
      await shown.getByRole("link", { name: "Open in clip-interpret" }).getAttribute("href"),
    ).not.toContain("embed");
    for (const [origin, view] of [
      [other, "/look?embed=1&text=a+cat"],
      [named, "/look?text=a+cat"],
    ]) {
      const frame = await framed(origin, view);
      expect(await frame.getByTestId("score").count()).toBe(0);
    }
  });
}
