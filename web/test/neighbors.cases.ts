import { expect, it } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import type { Properties } from "../../src/results/app.ts";
import { formatSigned } from "../../src/views/kit/text.ts";
import { post } from "../../test/support/app-server.ts";
import { app, open, violations } from "./app-world.ts";
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

  it("offers first the property through which pictures are found most clearly, with the number beside chance, and says which find nothing", async () => {
    const { properties } = (await (
      await fetch(`${app.server.url}/api/properties?model=${DEFAULT_MODEL}&corpus=demo`)
    ).json()) as Properties;
    const clear = properties.filter(({ precision }) => precision!.low > precision!.chance);
    expect(properties.slice(0, clear.length)).toEqual(clear);
    const lifts = clear.map(({ precision }) => precision!.mean - precision!.chance);
    expect(lifts).toEqual([...lifts].sort((a, b) => b - a));
    // Of so few scenes each property that is there beats chance: the last one is told to the page as if it did not.
    const last = clear.pop()!;
    const worse = { ...last, precision: { ...last.precision!, low: 0 } };
    const failing = [worse, ...properties.slice(clear.length + 1)];
    const { page } = await open();
    await page.route("**/api/properties*", (route) =>
      route.fulfill({ json: { properties: [...clear, ...failing] } }),
    );
    await page.goto(`${app.server.url}/neighbors`);
    const hits = ({ precision }: (typeof properties)[number]) => `${(8 * precision!.mean).toFixed(1)} of 8, `;
    const facts = page.getByTestId("property-facts");
    await facts.getByText(hits(clear[0])).waitFor();
    const choice = page.getByLabel(/^property/);
    await expect.poll(() => choice.inputValue()).toBe(clear[0].name);
    expect(await choice.locator("> option").count()).toBe(clear.length);
    expect(
      await choice.locator("optgroup[label='no better than chance'] option").allTextContents(),
    ).toHaveLength(failing.length);
    expect(await facts.textContent()).not.toContain("no better than chance");
    await choice.selectOption(failing[0].name);
    await facts.getByText("no better than chance").waitFor();
    // Heads of both signs are read together.
    await choice.selectOption("position");
    await page
      .getByRole("heading", { name: /through the heads for position \(.*L3\.H1 taken negatively/ })
      .waitFor();
    expect(properties.find(({ name }) => name === "position")!.heads).toContainEqual(
      expect.objectContaining({ name: "L3.H1", weight: -1 }),
    );
    expect(await violations(page)).toEqual([]);
  });
}
