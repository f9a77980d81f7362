import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { app, open } from "./app-world.ts";
import { painted } from "./browser.ts";

/** Tests of pictures. */
export function picturesCases(): void {
  it("takes a picture from a file, the clipboard and a drop; each is the same address, and the tool says what it cannot know", async () => {
    const { page } = await open();
    await painted(page);
    const path = fileURLToPath(new URL("../../examples/photos/cat.jpg", import.meta.url));
    await page.getByLabel("A picture from a file").setInputFiles(path);
    await page.waitForURL(/image=upload%3A[0-9a-f]{64}/);
    const address = new URL(page.url()).searchParams.get("image");
    const notice = page.getByRole("note");
    await notice.getByText("This small model knows only drawn emoji scenes.").waitFor();
    await notice.getByRole("button", { name: "Download (about 605 MB)" }).waitFor();
    // Nothing was asked of this picture yet, so nothing that was said of another lies on it.
    await page.locator(".picture-side canvas[data-painted=plain]").waitFor();
    expect(await page.getByText(/^Where .* speak/).count()).toBe(0);
    const base64 = (await readFile(path)).toString("base64");
    for (const kind of ["paste", "drop"]) {
      await page.goto(app.server.url);
      await painted(page);
      await page.evaluate(
        ([name, data]) => {
          const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "cat.jpg", { type: "image/jpeg" }));
          const options = { bubbles: true, cancelable: true };
          window.dispatchEvent(
            name === "paste"
              ? new ClipboardEvent("paste", { ...options, clipboardData: transfer })
              : new DragEvent("drop", { ...options, dataTransfer: transfer }),
          );
        },
        [kind, base64],
      );
      await page.waitForURL(/image=upload/);
      expect(new URL(page.url()).searchParams.get("image")).toBe(address);
    }
    // From the corpus.
    await page.getByRole("button", { name: "From the corpus…" }).click();
    await page.getByRole("button", { name: "24 example scenes" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "frog" }).click();
    await page.waitForURL(/image=scenes%3A/);
    expect(await page.getByRole("note").count()).toBe(0);
  });
}
