import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { openModel } from "../../src/model/registry.ts";
import type { ExplainResult } from "../../src/results/explain.ts";
import type { NeighborsResult } from "../../src/results/neighbors.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { launch, numbersOf, painted, requirePage, skipPage } from "../../web/test/browser.ts";
import { PAGE } from "../../web/test/page-for.ts";
import { apart } from "../support/apart.ts";
import { startStaticServer } from "../support/static-server.ts";

/*
 * The page on a GPU: Chromium's own one in software (SwiftShader), which computes on any machine, slowly. Without it nothing is tested
 * here, and said so.
 */

const SOFTWARE_GPU = ["--enable-unsafe-webgpu"];
const SCENES = fileURLToPath(new URL("../../examples/scenes/images", import.meta.url));
const GPU_FILES = /webgpu/;

let browser: Browser;
let hasGpu = false;
let context: BrowserContext;
let page: Page;
let server: Awaited<ReturnType<typeof startStaticServer>>;
let scratch: string;
const complaints: string[] = [];

const nameless = ({ origin, sumError: _, ...rest }: ExplainResult) => ({
  ...rest,
  origin: {
    model: { ...origin.model, device: "" },
    image: { ...origin.image, name: "", label: null },
  },
});
const explanation = async () => (await numbersOf<{ explanation: ExplainResult }>(page)).explanation;
const gpuFiles = () => server.asked.filter(({ path }) => GPU_FILES.test(path));
const choice = () => page.getByRole("checkbox", { name: "compute on the GPU" });

/** Waits until what is shown was computed there. */
const shownFrom = (device: string) =>
  expect
    .poll(async () => (await explanation().catch(() => undefined))?.origin.model.device, { timeout: 240_000 })
    .toBe(device);

async function open(address = "#/look", at = server.url): Promise<void> {
  page = await context.newPage();
  page.setDefaultTimeout(240_000);
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${at}/${address}`);
  await painted(page);
}

describe.skipIf(skipPage)("the page on a GPU", { timeout: 600_000 }, () => {
  beforeAll(async () => {
    requirePage();
    scratch = await mkdtemp(join(tmpdir(), "gpu-"));
    server = await startStaticServer({ "": PAGE }, { packs: true });
    browser = await launch(SOFTWARE_GPU);
    const probe = await browser.newPage();
    await probe.goto(`${server.url}/icon.svg`);
    hasGpu = await probe.evaluate(async () => {
      const { navigator } = globalThis as unknown as {
        navigator: { gpu?: { requestAdapter(): Promise<object | null> } };
      };
      return (await navigator.gpu?.requestAdapter()) != null;
    });
    await probe.close();
    if (!hasGpu)
      console.warn("This Chromium has no GPU to offer, in software either: the page was not tried on one.");
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (scratch) await rm(scratch, { recursive: true, force: true });
  });
  beforeEach(async ({ skip }) => {
    if (!hasGpu) skip("no GPU in this Chromium");
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    onTestFinished(() => context.close());
    server.asked.length = 0;
    complaints.length = 0;
  });

  it("is offered and off; once chosen it gives the command's numbers, and the choice is kept", async () => {
    await open();
    await choice().waitFor();
    expect(await choice().isChecked()).toBe(false);
    const inWasm = await explanation();
    expect(inWasm.origin.model.device).toBe("cpu");
    expect(gpuFiles()).toEqual([]);

    await choice().click();
    await shownFrom("webgpu");
    const onGpu = await explanation();
    const model = await openModel("emoji-4x128-p8");
    const explained = await explainImage(
      model,
      EXAMPLE_SCENE.path,
      onGpu.texts.map(({ text }) => text),
    );
    await model.release();
    expect(apart(nameless(onGpu), nameless(explained))).toBeLessThan(1e-5);
    expect(onGpu.sumError).toBeLessThan(1e-5);
    expect(gpuFiles().map(({ path }) => path.replace(/min-.*\.js$/, "min"))).toEqual([
      "/assets/ort.webgpu.bundle.min",
      "/runtime-webgpu.wasm.gz",
    ]);

    await page.getByRole("button", { name: "Check the numbers" }).click();
    await page.getByText(/The GPU computes what WebAssembly does: off by \d\.\de-[678]/).waitFor();
    await page.getByText(/the image tower on WebGPU and the rest as WebAssembly/).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();

    // The page's own index was made without one.
    await page.getByRole("link", { name: "Neighbours" }).click();
    await page
      .getByRole("region", { name: /most similar/ })
      .getByText("%")
      .first()
      .waitFor();
    expect((await numbersOf<NeighborsResult>(page)).origin.model.device).toBe("cpu");

    await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
    await page.close();
    server.asked.length = 0;
    await open();
    expect(await choice().isChecked()).toBe(true);
    // What was answered there is shown again, and nothing of it is computed.
    expect(await explanation()).toEqual(onGpu);
    await choice().click();
    await shownFrom("cpu");
    expect(await explanation()).toEqual(inWasm);
    await page.close();

    // What it needed then is kept since.
    server.asked.length = 0;
    await open();
    await choice().click();
    await shownFrom("webgpu");
    expect(gpuFiles()).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("looks at pictures of one's own, which have an index for each device", async () => {
    const address = "#/neighbors?by=text&query=a+red+background";
    page = await context.newPage();
    page.setDefaultTimeout(240_000);
    await page.goto(`${server.url}/${address}`);
    await choice().click();
    const pictures = page.getByRole("button", { name: /^pictures / });
    await pictures.click();
    const files = (await readdir(SCENES)).slice(0, 12).map((name) => join(SCENES, name));
    await page.getByLabel("Some pictures", { exact: true }).setInputFiles(files);
    await page.waitForURL(/corpus=own-/);
    // What is being looked at stays where it began.
    const work = page.getByRole("complementary", { name: "Background work" });
    await work.getByText(/indexing, [1-9] of 12/).waitFor();
    await choice().click();
    await page.getByRole("alert").filter({ hasText: "MODEL_BUSY" }).waitFor();
    expect(await choice().isChecked()).toBe(true);
    await page.getByText(/^12 pictures searched/).waitFor();
    const onGpu = await numbersOf<NeighborsResult>(page);
    expect(onGpu.origin.model.device).toBe("webgpu");
    await choice().click();
    await page.getByText(/^12 pictures searched/).waitFor({ state: "detached" });
    await choice().click();
    await page.getByText(/^12 pictures searched/).waitFor();
    expect(await numbersOf<NeighborsResult>(page)).toEqual(onGpu);
  });

  it("that computes otherwise is not used, and the page says by how much", async () => {
    // A driver with a fault that no sum shows, in the place of a right one: attention is a little sharper.
    const faulty = await mkdtemp(join(scratch, "faulty-"));
    for (const name of await readdir(PAGE)) await symlink(join(PAGE, name), join(faulty, name));
    await rm(join(faulty, "assets"));
    await cp(join(PAGE, "assets"), join(faulty, "assets"), { recursive: true });
    const [script] = (await readdir(join(faulty, "assets"))).filter((name) => GPU_FILES.test(name));
    const text = await readFile(join(faulty, "assets", script!), "utf8");
    const fault = `const make = GPUDevice.prototype.createShaderModule;
      GPUDevice.prototype.createShaderModule = function (given) {
        return make.call(this, { ...given, code: given.code.replace(/\\bexp\\(/g, "exp(1.001 * ") });
      };`;
    await writeFile(join(faulty, "assets", script!), `${fault}\n${text}`);
    const other = await startStaticServer({ "": faulty }, { packs: true });
    onTestFinished(other.close);
    await open("#/look", other.url);
    const before = await explanation();
    await choice().click();
    const problem = page.getByRole("alert").filter({ hasText: "DEVICE_DIFFERS" });
    await problem.waitFor();
    expect(await problem.innerText()).toMatch(/emoji-4x128-p8: off by \d\.\de-\d of the largest entry/);
    await shownFrom("cpu");
    expect(await explanation()).toEqual(before);
    expect(complaints).toEqual([]);
  });

  it("that is lost leaves the page with WebAssembly", async () => {
    await open();
    await choice().click();
    await shownFrom("webgpu");
    const session = await browser.newBrowserCDPSession();
    await session.send("Browser.crashGpuProcess" as never).catch(() => {});
    await page.getByRole("alert").filter({ hasText: "the GPU was lost" }).waitFor();
    await page.getByRole("textbox", { name: /text/i }).first().fill("a blue background");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("heading", { name: "a blue background" }).waitFor();
    await shownFrom("cpu");
  });
});
