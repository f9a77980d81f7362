import { expect, it } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/registry.ts";
import { formatSigned } from "../../src/views/kit/text.ts";
import { post } from "../../test/support/app-server.ts";
import { app, open } from "./app-world.ts";
import { painted } from "./browser.ts";

/** Tests of Neighbours. */
export function neighborsCases(): void {
  it("finds neighbours by property, by head for the picture, and by head for a text, as the search does", async () => {
    const { page } = await open("/neighbors?by=text&heads=L0.H1&query=a+red+background&k=4&scoring=z");
    await page.getByRole("region", { name: "most similar" }).getByRole("listitem").first().waitFor();
    const shown = async (name: string) =>
      (await page.getByRole("region", { name }).locator(".score").allTextContents()) ?? [];
    const asked = async (body: object) =>
      (await post(app.server.url, "/api/neighbors", { model: DEFAULT_MODEL, corpus: "demo", ...body })).json<
        Record<"neighbors" | "least" | "random", { score: number; label: string }[]>
      >();
    const text = { query: { text: "a red background" }, heads: "L0.H1", k: 4, scoring: "z" };
    const direct = await asked(text);
    for (const [title, key] of [
      ["most similar", "neighbors"],
      ["least similar", "least"],
      ["random", "random"],
    ] as const) {
      expect(await shown(title)).toEqual(direct[key].map(({ score }) => formatSigned(score, 2)));
    }
    await page.getByLabel("pictures that share a property with this one").check();
    await page.getByLabel(/^property/).selectOption("position");
    const { example } = (await (await fetch(`${app.server.url}/api/app`)).json()) as {
      example: { image: string };
    };
    const query = { image: example.image };
    const position = await asked({ query, heads: "position", k: 4, scoring: "z" });
    await expect
      .poll(() => shown("most similar"))
      .toEqual(position.neighbors.map(({ score }) => formatSigned(score, 2)));
    await page.getByLabel("pictures that some heads find like this one").check();
    const byHead = await asked({ query, heads: "L0.H1", k: 4, scoring: "z" });
    await expect
      .poll(() => shown("most similar"))
      .toEqual(byHead.neighbors.map(({ score }) => formatSigned(score, 2)));
    // A neighbour is a click away.
    await page.getByRole("region", { name: "most similar" }).getByRole("link").first().click();
    await page.waitForURL(/\/look\?.*image=demo%3A/);
    await painted(page);
  });
}
