import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { indexedCorpus } from "../../src/server/corpora.ts";
import { startTestServer } from "../../test/support/app-server.ts";
import { app, open, param, violations } from "./app-world.ts";

const SCENES = fileURLToPath(new URL("../../examples/scenes/images", import.meta.url));

/** Tests of pictures of one's own. */
export function corporaCases(): void {
  it("adds a folder below a root, searches it, makes it the default, and removes it again; its pictures stay", async () => {
    const root = await mkdtemp(join(tmpdir(), "roots-"));
    onTestFinished(() => rm(root, { recursive: true }));
    const folder = join(root, "holiday", "a < b");
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(SCENES)) await cp(join(SCENES, name), join(folder, name));
    const own = await startTestServer({ roots: [root] }, 8);
    onTestFinished(() => own.close());
    const { page, complaints } = await open("/neighbors?by=image", {}, own.url);
    const dialog = page.getByRole("dialog");
    const choose = () => page.getByTitle("Choose which pictures are searched").click();
    await choose();
    const [top] = root.split("/").slice(-1);
    await dialog.getByRole("button", { name: top, exact: true }).click();
    await dialog.getByRole("button", { name: "holiday", exact: true }).click();
    await dialog.getByRole("button", { name: "a < b", exact: true }).click();
    await dialog.getByText("24 pictures right in it.").waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Add “a < b”" }).click();
    await dialog.getByText("Added: it is being looked at").waitFor();
    const line = dialog.getByRole("listitem").filter({ hasText: "a < b" });
    await line.getByText("24 pictures", { exact: true }).waitFor({ timeout: 90_000 });
    await line.getByRole("button", { name: "Make default" }).click();
    await line.getByRole("button", { name: "the default" }).waitFor();
    await line.getByRole("button", { name: "Use" }).click();
    await expect.poll(() => param(page, "corpus")).toBe("a-b");
    // The picture that is asked about is one of them.
    await page.getByText("23 pictures searched").waitFor();

    // The default of everybody, from now on.
    const { page: other } = await open("/look", {}, own.url);
    await expect.poll(() => param(other, "corpus"), { timeout: 30_000 }).toBe("a-b");

    await choose();
    await line.getByRole("button", { name: "Remove…" }).click();
    await line.getByRole("button", { name: "Keep it" }).click();
    await line.getByRole("button", { name: "Remove…" }).click();
    await line
      .getByRole("button", { name: "Remove it; the pictures themselves stay where they are" })
      .click();
    await line.waitFor({ state: "detached" });
    await expect.poll(() => param(page, "corpus")).toBe("demo");
    expect(await readdir(folder)).toHaveLength(24);
    expect(complaints).toEqual([]);
    expect(own.faults).toEqual([]);
  });

  it("results follow an index that grows while they are looked at", async () => {
    const folder = await mkdtemp(join(tmpdir(), "grows-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [pictures, index] = [join(folder, "pictures"), join(folder, "pictures.index")];
    await mkdir(pictures);
    const names = (await readdir(SCENES)).sort();
    const grow = async (some: readonly string[]) => {
      for (const name of some) await cp(join(SCENES, name), join(pictures, name));
      await buildIndex(await app.models.load(DEFAULT_MODEL), await scanSource(pictures), index);
    };
    await grow(names.slice(0, 12));
    const own = await startTestServer({ corpora: [await indexedCorpus(index)] }, 8);
    onTestFinished(() => own.close());
    const { page, complaints } = await open("/neighbors?by=image&heads=L1.H0&k=32", {}, own.url);
    const nearest = page.getByRole("region", { name: "most similar" }).getByRole("link");
    await page.getByText("11 pictures searched").waitFor();
    expect(await nearest.count()).toBe(11);
    await grow(names.slice(12));
    // The page asks by itself from time to time.
    await page.getByText("23 pictures searched").waitFor({ timeout: 90_000 });
    await expect.poll(() => nearest.count(), { timeout: 30_000 }).toBe(23);
    expect(complaints).toEqual([]);
  });

  it("says how to allow folders where the server has none", async () => {
    const { page } = await open("/look");
    await page.getByTitle("Choose which pictures are searched").click();
    await page.getByRole("dialog").getByText("--root FOLDER").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
  });
}
