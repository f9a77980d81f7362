import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { expect } from "vitest";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where a Chromium is; `CHROMIUM` names another. */
const CHROMIUM = [process.env.CHROMIUM ?? "", ...PLACES].find((path) => path !== "" && existsSync(path));

/** Why the browser's tests cannot run, with what to type. In CI it is a failure, not a reason to skip. */
export const missing: string | undefined =
  CHROMIUM === undefined
    ? "no Chromium on this machine: `apt-get install -y chromium` (or set CHROMIUM to one)"
    : existsSync(fileURLToPath(new URL("../../dist/web/index.html", import.meta.url)))
      ? undefined
      : "dist/web is missing: `npm run build`";
export const skip: boolean = missing !== undefined && process.env.CI !== "true";

/** The same of the tests of the page without a server, and whether they are skipped; those that are say so. */
export const pageMissing: string | undefined =
  missing ??
  (existsSync(fileURLToPath(new URL("../../dist/page/view.js", import.meta.url)))
    ? undefined
    : "dist/page is missing: `npm run build:page`");
export const skipPage: boolean = pageMissing !== undefined && process.env.CI !== "true";
if (skipPage) console.warn(`The tests of the page without a server are skipped: ${pageMissing}`);

/** @throws where it was not built, though it has to be */
export function requirePage(): void {
  if (pageMissing !== undefined) throw new Error(pageMissing);
}

export function launch(args: readonly string[] = []): Promise<Browser> {
  if (missing !== undefined) throw new Error(missing);
  return chromium.launch({
    ...(CHROMIUM && { executablePath: CHROMIUM }),
    // Chromium has no sandbox for root, which containers run as.
    args: [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), ...args],
  });
}

/** Ends what tests used, as far as it came to be, in this order: what can be closed or released, and folders by their paths. */
export async function end(
  ...used: readonly ({ close(): Promise<unknown> } | { release(): Promise<unknown> } | string | undefined)[]
): Promise<void> {
  for (const one of used) {
    if (typeof one === "string") await rm(one, { recursive: true, force: true });
    else if (one) await ("close" in one ? one.close() : one.release());
  }
}

/** A page that notes everything it complains of, and every request to elsewhere. */
export async function openPage(
  browser: Browser,
  base: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.setDefaultTimeout(45_000);
  page.on("console", (message) => {
    // A refused request is the page's to handle; that it was logged says nothing.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !/^(data|blob):/.test(url)) complaints.push(`asked ${url}`);
  });
  return { page, complaints };
}

/** As much of a canvas as is used here: tests that know no browser's types import this file too. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: "2d"): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

/** RGBA of a canvas, at its own resolution. */
export async function pixelsOf(page: Page, selector: string): Promise<Buffer> {
  const base64 = await page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const canvas = element as unknown as Canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let binary = "";
      for (let start = 0; start < data.length; start += 0x8000)
        binary += String.fromCharCode(...data.subarray(start, start + 0x8000));
      return btoa(binary);
    });
  return Buffer.from(base64, "base64");
}

/** Waits until a canvas holds a map. */
export const painted = (page: Page, selector = ".heat canvas") =>
  page.locator(`${selector}[data-painted="map"]`).first().waitFor();

/** What a view saves, as text. */
export async function saved(page: Page, kind: "SVG" | "JSON"): Promise<string> {
  const group = page.getByRole("group", { name: "Download this view" });
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    group.getByRole("button", { name: kind }).click(),
  ]);
  return readFile(await file.path(), "utf8");
}

/** The numbers of a view, as it saves them. */
export const numbersOf = async <T>(page: Page): Promise<T> => JSON.parse(await saved(page, "JSON")) as T;

/** Waits until a part of the page shows its first pictures. */
export const shown = (part: Locator, count = 1): Promise<void> => {
  const widths = () =>
    part
      .locator("img")
      .evaluateAll((images) =>
        images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
      );
  const areThere = async () => {
    const first = (await widths()).slice(0, count);
    return first.length === count && first.every((width) => width > 0);
  };
  return expect.poll(areThere, { timeout: 60_000 }).toBe(true);
};
