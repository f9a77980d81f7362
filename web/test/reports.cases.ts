import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { reportOf } from "../../src/study/study.fixture.ts";
import { result } from "../../src/views/compare/compare.fixture.ts";
import { compareHtml } from "../../src/views/compare/page.ts";
import { studyHtml } from "../../src/views/study/page.ts";
import { startTestServer } from "../../test/support/app-server.ts";
import { open, violations } from "./app-world.ts";

/** Tests of reports. */
export function reportsCases(): void {
  it("shows a study and a comparison that commands wrote, each at an address of its own", async () => {
    const folder = await mkdtemp(join(tmpdir(), "reports-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [study, pairs] = [join(folder, "study.html"), join(folder, "pairs.html")];
    await writeFile(study, studyHtml(await reportOf(["one", 10, 4], ["two", 20, 4])));
    await writeFile(pairs, compareHtml(result(2, 3), { pictureOf: new Map() }));
    const own = await startTestServer({ reports: [study, pairs] }, 8);
    onTestFinished(() => own.close());
    const { page, complaints } = await open("/look", {}, own.url);
    await page.getByRole("link", { name: "Reports", exact: true }).click();
    const frame = page.frameLocator("iframe");
    await frame.getByRole("heading", { name: "How much to believe a label" }).waitFor();
    // Links within a report lead on in it.
    await frame.getByRole("link", { name: "All metrics", exact: true }).click();
    await page.getByRole("navigation", { name: "Reports" }).getByRole("link").nth(1).click();
    await frame.getByRole("heading", { name: "Numbers" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/reports/pairs");
    await page.goBack();
    await frame.getByRole("heading", { name: "How much to believe a label" }).waitFor();
    await page.goto(`${own.url}/reports/nosuch`);
    await page.getByText("This server has no report “nosuch”.").waitFor();
    // A report runs no scripts, axe's neither: it is looked at where none is shown.
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Show the first" }).click();
    await frame.getByRole("heading", { name: "How much to believe a label" }).waitFor();
    expect(complaints).toEqual([]);
    expect(own.faults).toEqual([]);
  });

  it("compares two models, with an estimate first, and shows the report", async () => {
    const own = await startTestServer({}, 48);
    onTestFinished(() => own.close());
    const { page, complaints } = await open("/reports?corpus=scenes", {}, own.url);
    await page.getByText("There are no reports yet.").waitFor();
    const other = page.getByLabel(`${DEFAULT_MODEL} and`);
    await other.selectOption("emoji-6x192-p8");
    await page.getByText("and “24 example scenes” has 24").waitFor();
    await page.getByRole("combobox", { name: "in", exact: true }).selectOption("demo");
    await page
      .getByTestId("estimate")
      .getByText(/pictures have to be looked at first; takes about/)
      .waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.getByRole("button", { name: "Show the report" }).click({ timeout: 120_000 });
    const frame = page.frameLocator("iframe");
    await frame.getByText("Pairs that are each other’s best match").first().waitFor();
    const { pathname } = new URL(page.url());
    expect(pathname).toMatch(/^\/reports\/comparison-[0-9a-f]{16}$/);
    // It stays, and is what `compare` finds.
    await page.reload();
    await frame.getByText("Pairs that are each other’s best match").first().waitFor();
    expect(complaints).toEqual([]);
    expect(own.faults).toEqual([]);
  });
}
