import { expect, it, onTestFinished } from "vitest";
import { startTestServer } from "../../test/support/app-server.ts";
import { app, open } from "./app-world.ts";
import { painted } from "./browser.ts";

/** Tests of what goes wrong. */
export function problemsCases(): void {
  it("says what is wrong: no picture, a lost upload, a stopped job, a server that is gone; and goes on", async () => {
    const { page } = await open();
    await painted(page);
    const file = page.getByLabel("A picture from a file");
    await file.setInputFiles({
      name: "a.png",
      mimeType: "image/png",
      buffer: Buffer.from("no picture at all"),
    });
    await page
      .getByRole("alert")
      .getByText(/cannot decode the picture/)
      .waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.goto(`${app.server.url}/look?image=upload:${"0".repeat(64)}&text=a+cat`);
    await page
      .getByRole("alert")
      .getByText(/no longer kept/)
      .waitFor();
    await page.getByRole("button", { name: "From the corpus…" }).waitFor();

    // A server of its own, which can be killed and started again at the same port.
    const own = await startTestServer({ cache: app.server.cache }, 700);
    const port = Number(new URL(own.url).port);
    await page.goto(`${own.url}/look`);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/generated scenes ready — stopped/).waitFor({ timeout: 120_000 });
    await page.reload();
    await page.getByText(/This was stopped; it goes on from where it was/).waitFor();
    await own.close();
    await page.getByRole("alert").getByText("The server does not answer.").first().waitFor();
    const again = await startTestServer({ cache: app.server.cache, port }, 700);
    onTestFinished(() => again.close());
    await page.getByText("The server does not answer.").waitFor({ state: "detached", timeout: 60_000 });
    await page.getByLabel("Add a text").fill("a cat");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: /a cat/ }).waitFor();
  });
}
