import { expect, it } from "vitest";
import { app, open } from "./app-world.ts";
import { painted } from "./browser.ts";

/** Tests of the address. */
export function addressCases(): void {
  it("keeps every state in the address: back, forward, and a permalink that shows the same to another", async () => {
    const { page } = await open();
    await painted(page);
    await page.getByLabel("Add a text").fill("a brown animal");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: /a brown animal/ }).waitFor();
    const score = await page.getByTestId("score").textContent();
    await page.getByRole("button", { name: /^L2\.H1:/ }).click();
    await page.waitForURL(/heads=L2\.H1/);
    const link = page.url();
    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByTestId("map").first().waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: /a brown animal/ }).waitFor();
    await page.goBack();
    await page.goBack();
    await page.getByRole("heading", { name: /a monkey at the top/ }).waitFor();
    expect(await page.getByRole("button", { name: "Remove “a brown animal”" }).count()).toBe(0);
    await page.goForward();
    await page.goForward();
    expect(page.url()).toBe(link);
    const { page: other } = await open(link.slice(app.server.url.length));
    await other.getByRole("heading", { name: /a brown animal/ }).waitFor();
    expect(await other.getByTestId("score").textContent()).toBe(score);
    expect(await other.getByRole("button", { name: /^L2\.H1:/ }).getAttribute("aria-pressed")).toBe("true");
  });
}
