import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { imageId } from "../../src/corpus/rows.ts";
import type { ExplainResult } from "../../src/results/explain.ts";
import type { NeighborsResult } from "../../src/results/neighbors.ts";
import type { SegmentResult } from "../../src/results/segment.ts";
import { decimalsFor, formatCosine, formatSigned } from "../../src/views/kit/text.ts";
import { post, send, startTestServer, type TestServer } from "../../test/support/app-server.ts";
import { goldenPath } from "../../test/support/goldens.ts";
import { end, launch, openPage, painted, skip } from "./browser.ts";

/*
 * A small SigLIP in the page: it has no CLS token, its patches are pooled by attention, and the pool has an MLP.
 */

const TEXTS = ["a dog", "two cats"];
let server: TestServer;
let browser: Browser;
let scratch: string;
let model: string;
const image = `scenes:${imageId("images/0067-monkey.png")}`;

describe.skipIf(skip)("a model that pools by attention, in the page", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    browser = await launch();
    scratch = await mkdtemp(join(tmpdir(), "pooled-"));
    const folder = join(scratch, "small-siglip");
    await cp(goldenPath("kinds/siglip-transformers"), folder, { recursive: true });
    await cp(goldenPath("tokenizer/siglip"), folder, { recursive: true });
    server = await startTestServer({ served: [folder] });
    const { models } = (await send(server.url, "/api/models")).json<{
      models: { name: string; source: string }[];
    }>();
    model = models.find(({ source }) => source === "folder")!.name;
    const job = await post(server.url, "/api/jobs", { kind: "prepare", corpus: "scenes", model });
    const { id } = job.json<{ id: string }>();
    const stateOf = async () => (await send(server.url, `/api/jobs/${id}`)).json<{ state: string }>().state;
    while (["queued", "running"].includes(await stateOf())) await new Promise((go) => setTimeout(go, 50));
    expect(await stateOf()).toBe("done");
  }, 120_000);
  afterAll(() => end(browser, server, scratch), 120_000);

  const ask = async <T>(route: string, more: object): Promise<T> => {
    const answer = await post(server.url, `/api/${route}`, { model, ...more });
    expect(answer.status).toBe(200);
    return answer.json<T>();
  };
  const open = async (path: string) => {
    const opened = await openPage(browser, server.url);
    onTestFinished(() => opened.page.context().close());
    await opened.page.goto(`${server.url}${path}&model=${model}&image=${image}`);
    return opened;
  };

  it("is looked at: the pool's MLP has a row, everything adds up, and all patches have a map", async () => {
    const { texts } = await ask<ExplainResult>("explain", { image, texts: TEXTS });
    const [first] = texts;
    const { page, complaints } = await open(`/?text=${TEXTS[0]}&text=${TEXTS[1]}`);
    await painted(page);
    expect(await page.getByTestId("score").textContent()).toBe(formatCosine(first.similarity));
    expect(await page.getByTestId("total").textContent()).toBe(formatSigned(first.sum, 4));
    const decimals = decimalsFor(Math.max(...first.heads.map(({ value }) => Math.abs(value))));
    const pool = first.mlps.find(({ component }) => component === "pool.MLP")!;
    const row = page.getByRole("row").filter({ hasText: "pool.MLP" });
    expect(await row.locator(".mlp").textContent()).toBe(formatSigned(pool.value, decimals));
    expect(await page.locator("main").textContent()).not.toContain("CLS");
    // What every head wrote at one patch, where the pool's MLP wrote nothing.
    await page
      .locator(".heat canvas")
      .first()
      .click({ position: { x: 40, y: 40 } });
    await page.getByText("What each head wrote at the marked patch.").waitFor();
    expect((await row.locator(".mlp").textContent())?.trim()).toBe("");
    expect(complaints).toEqual([]);
  });

  it("is segmented: the patches alone are the heads' score", async () => {
    const { texts } = await ask<SegmentResult>("segment", {
      image,
      texts: TEXTS,
      heads: "all",
      mode: "topic",
    });
    const { page, complaints } = await open(`/segment?text=${TEXTS[0]}&text=${TEXTS[1]}&heads=all`);
    await painted(page);
    const maps = page.getByTestId("map");
    expect(await maps.count()).toBe(2);
    for (const [i, { score, patches }] of texts.entries()) {
      const words = await maps.nth(i).locator("figcaption").textContent();
      expect(words).toContain(
        `score ${formatSigned(score, 4)} = patches ${formatSigned(patches, 4)} (off by`,
      );
    }
    expect(await page.locator("main").textContent()).not.toContain("CLS");
    expect(complaints).toEqual([]);
  });

  it("finds neighbours through one head and through all, as the server says", async () => {
    for (const heads of ["L1.H0", "all"]) {
      const found = await ask<NeighborsResult>("neighbors", {
        ...{ corpus: "scenes", heads, k: 4, scoring: "cosine", query: { image } },
      });
      const { page, complaints } = await open(
        `/neighbors?by=image&corpus=scenes&heads=${heads}&k=4&scoring=cosine`,
      );
      const scores = page.getByRole("region", { name: "most similar" }).locator(".score");
      await scores.first().waitFor();
      expect(await scores.allTextContents()).toEqual(found.neighbors.map(({ score }) => formatCosine(score)));
      expect(complaints).toEqual([]);
    }
  });
});
