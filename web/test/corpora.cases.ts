import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { startTestServer } from "../../test/support/app-server.ts";
import { open, param, violations } from "./app-world.ts";

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
    await expect.poll(() => param(other, "corpus")).toBe("a-b");

    await choose();
    await line.getByRole("button", { name: "Remove…" }).click();
    await line.getByRole("button", { name: "Keep it" }).click();
    await line.getByRole("button", { name: "Remove…" }).click();
    await line.getByRole("button", { name: "Remove it; its pictures stay where they are" }).click();
    await line.waitFor({ state: "detached" });
    await expect.poll(() => param(page, "corpus")).toBe("demo");
    expect(await readdir(folder)).toHaveLength(24);
    expect(complaints).toEqual([]);
    expect(own.faults).toEqual([]);
  });

  it("says how to allow folders where the server has none", async () => {
    const { page } = await open("/look");
    await page.getByTitle("Choose which pictures are searched").click();
    await page.getByRole("dialog").getByText("--root FOLDER").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
  });
}
