import { cp, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { imageId } from "../../src/corpus/rows.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { indexedCorpus } from "../../src/server/corpora.ts";
import { formatCosine } from "../../src/views/kit/text.ts";
import { post, startTestServer, type TestServer } from "../../test/support/app-server.ts";
import { runHere } from "../../test/support/run-cli.ts";
import { end, launch, openPage, skip } from "./browser.ts";

/*
 * The command, the page and the files that each saves say the same of one search: the same numbers, and the same bytes.
 */

let server: TestServer;
let browser: Browser;
/** A folder of pictures of which nothing is known, and an index of it. */
let scratch: string;
let pictures: string;
let index: string;

describe.skipIf(skip)("one search for neighbours", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    browser = await launch();
    scratch = await mkdtemp(join(tmpdir(), "near-"));
    [pictures, index] = [join(scratch, "pictures"), join(scratch, "some-pictures")];
    const scenes = fileURLToPath(new URL("../../examples/scenes/images/", import.meta.url));
    await cp(scenes, pictures, { recursive: true });
    expect((await runHere("index", pictures, "--out", index)).code).toBe(0);
    server = await startTestServer({ corpora: [await indexedCorpus(index)] });
  }, 120_000);
  afterAll(() => end(browser, server, scratch), 120_000);

  it.each(["text", "image"] as const)(
    "by %s is the same for the command, the server, the page and what they save",
    async (by) => {
      const image = join(pictures, "0067-monkey.png");
      const out = join(server.cache, "near.svg");
      const query = by === "text" ? ["--text", "a red background"] : ["--image", image];
      const args = ["neighbors", "--index", index, "--heads", "L2.H1,L3", "-k", "4", "--scoring", "cosine"];
      const ran = await runHere(...args, ...query, "--out", out, "--json");
      // Files have paths for the command and names in the corpus for the page.
      const named = (text: string) => text.replaceAll(image, "0067-monkey.png");
      const command = JSON.parse(named(ran.stdout));
      const ref = `${basename(index)}:${imageId("0067-monkey.png")}`;
      const answer = await post(server.url, "/api/neighbors", {
        ...{ model: DEFAULT_MODEL, corpus: basename(index), heads: "L2.H1,L3", k: 4, scoring: "cosine" },
        query: by === "text" ? { text: "a red background" } : { image: ref },
      });
      expect(answer.json()).toEqual(command);

      const asked = by === "text" ? "query=a+red+background" : `image=${ref}`;
      const { page, complaints } = await openPage(browser, server.url);
      onTestFinished(() => page.context().close());
      const address = `/neighbors?by=${by}&${asked}&corpus=${basename(index)}&heads=L2.H1,L3&k=4&scoring=cosine`;
      await page.goto(server.url + address);
      const scores = page.getByRole("region", { name: "most similar" }).locator(".score");
      await scores.first().waitFor();
      expect(await scores.allTextContents()).toEqual(
        command.neighbors.map(({ score }: { score: number }) => formatCosine(score)),
      );
      const saved = async (kind: string) => {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("group", { name: "Download this view" }).getByRole("button", { name: kind }).click(),
        ]);
        const path = join(server.cache, download.suggestedFilename());
        await download.saveAs(path);
        return readFile(path, "utf8");
      };
      expect(JSON.parse(await saved("JSON"))).toEqual(command);
      expect((await saved("SVG")) === named(await readFile(out, "utf8"))).toBe(true);
      const csv = await saved("CSV");
      for (const { id, path, score, percentile } of command.neighbors)
        expect(csv).toContain(`,${id},${path},,${score},${percentile}\n`);
      expect(complaints).toEqual([]);
    },
  );
});
