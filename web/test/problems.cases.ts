import { expect, it, onTestFinished } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { startTestServer } from "../../test/support/app-server.ts";
import { app, cell, expectedPixels, expectPixels, open, param } from "./app-world.ts";
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
    const refused = page.getByRole("alert");
    await refused.getByText(/cannot decode the picture/).waitFor();
    // Wherever the picture was dropped, what is said of it is seen.
    const { y, height } = (await refused.boundingBox())!;
    expect(y + height).toBeLessThanOrEqual(page.viewportSize()!.height);
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
    const stopped = page.getByText(/generated scenes ready — stopped/);
    await stopped.waitFor({ timeout: 120_000 });
    // What ended can be closed, and stays closed.
    await page.getByRole("button", { name: /^Close: Getting/ }).click();
    await stopped.waitFor({ state: "detached" });
    await page.reload();
    await page.getByText(/This was stopped; it goes on from where it was/).waitFor();
    expect(await stopped.count()).toBe(0);
    await own.close();
    await page.getByRole("alert").getByText("The server does not answer.").first().waitFor();
    const again = await startTestServer({ cache: app.server.cache, port }, 700);
    onTestFinished(() => again.close());
    await page.getByText("The server does not answer.").waitFor({ state: "detached", timeout: 60_000 });
    await page.getByLabel("Add a text").fill("a cat");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: /a cat/ }).waitFor();
  });

  it("says of heads that cannot be read that they cannot, beside the field, and shows nothing of any heads", async () => {
    const { page, complaints } = await open("/look?heads=L9.H9");
    const field = page.getByLabel("or write");
    await page.getByText(/These heads cannot be read: "L9\.H9" names what the model does not have/).waitFor();
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect(await field.inputValue()).toBe("L9.H9");
    await page.locator(".picture-side canvas[data-painted=plain]").waitFor();
    expect(await page.locator(".nearest").count()).toBe(0);
    // A set with weights is kept, in the address, the field, the matrix and the map.
    await field.fill("L3.H1*-1, L2.H0*0.5");
    await field.press("Enter");
    await expect.poll(() => param(page, "heads")).toBe("L2.H0*0.5,L3.H1*-1");
    expect(await cell(page, "L3.H1").getAttribute("aria-label")).toContain("Chosen with weight −1.");
    await page.mouse.move(5, 5);
    const [text] = EXAMPLE_SCENE.texts;
    await expectPixels(page, ".heat canvas", await expectedPixels("L2.H0*0.5,L3.H1*-1", text));
    await cell(page, "L0.H0").click();
    await expect.poll(() => param(page, "heads")).toBe("L0.H0,L2.H0*0.5,L3.H1*-1");
    // What is refused changes nothing but what is said.
    await field.fill("nonsense");
    await field.press("Enter");
    await page.getByText(/cannot be read: "nonsense" is not a component or property/).waitFor();
    expect(param(page, "heads")).toBe("L0.H0,L2.H0*0.5,L3.H1*-1");
    expect(await cell(page, "L3.H1").getAttribute("aria-pressed")).toBe("true");
    await page.goto(`${app.server.url}/segment?heads=L3.MLP`);
    await page.getByText(/MLPs and embed have no map/).waitFor();
    expect(await page.getByTestId("map").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it.each([
    ["model", "/look?model=nothing", /nothing/, `Use ${DEFAULT_MODEL}`],
    ["corpus", "/look?corpus=nothing", "This server has no corpus “nothing”.", "Search demo"],
    [
      "property",
      "/neighbors?by=property&property=nothing",
      /No heads of this model are known for the property/,
      "Choose another",
    ],
    ["picture", "/look?image=demo:0000000000000000", /has no image/, "Show the first picture"],
    ["picture", "/look?image=nothing", /does not take/, "Show the first picture"],
    ["texts", `/look?${"text=a&".repeat(9)}${"text=b&".repeat(9)}`, "18 texts; the first 16", "Keep those"],
  ] as const)(
    "says of a %s that is not there that it is not, with a way back",
    async (_, address, words, back) => {
      const { page } = await open(address);
      const alert = page.getByRole("alert").filter({ hasText: words });
      await alert.waitFor();
      expect(await alert.textContent()).not.toMatch(/Too big|Invalid|expected|→/);
      await alert.getByRole("button", { name: back }).click();
      await alert.waitFor({ state: "detached" });
    },
  );

  it("goes on without a network, and says while an answer is on its way", async () => {
    const { page } = await open();
    await painted(page);
    await page.evaluate(() => {
      Object.defineProperty(navigator, "onLine", { get: () => false });
      window.dispatchEvent(new Event("offline"));
    });
    let answer = () => {};
    const asked = new Promise<void>((go) => {
      answer = go;
    });
    await page.route("**/api/explain", async (route) => {
      await asked;
      await route.continue();
    });
    await page.getByLabel("Add a text").fill("a frog");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("status").getByText("Working…").waitFor();
    answer();
    await page.getByRole("heading", { name: /a frog/ }).waitFor();
    await expect.poll(() => page.getByTestId("score").textContent()).toMatch(/^−?0\.\d{4}$/);
    await page.getByText("Working…").waitFor({ state: "detached" });
  });
}
