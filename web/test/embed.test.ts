import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseHeads } from "../../src/model/components.ts";
import { openModel } from "../../src/model/registry.ts";
import { apart } from "../../test/support/apart.ts";
import { startStaticServer } from "../../test/support/static-server.ts";
import { end, launch, openPage, requirePage, skipPage } from "./browser.ts";

/*
 * A view in somebody else's page: one script, one element, the command's numbers. And the same script as anywidget renders it
 * in notebooks, here with its side of the protocol alone; test/long/notebook.test.ts does it in JupyterLab.
 */

const root = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = join(root, "dist/page");
const SCENE = "examples/scenes/images/0067-monkey.png";
const TEXTS = ["a monkey", "a purple background"];

/** What a view said last. */
interface Said {
  explanation: Awaited<ReturnType<typeof explainImage>>;
  segmentation: Awaited<ReturnType<typeof segmentImage>>;
}

const OWN = `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<script type="module" src="clip/view.js"></script>
<h1>Someone's page</h1>
<clip-interpret-view image="${SCENE}" texts="${TEXTS.join("|")}"></clip-interpret-view>
<script>
  globalThis.said = []; globalThis.problems = [];
  addEventListener("looked", ({ detail }) => said.push(detail));
  addEventListener("problem", ({ detail }) => problems.push(detail));
</script>`;

/** As anywidget's front end does: traits, their changes, and messages with files. */
const NOTEBOOK = `<!doctype html><meta charset="utf-8"><div id="cell"></div><script type="module">
  const script = await (await fetch("clip/view.js")).blob();
  const { default: widget } = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const heard = new Map();
  const bytes = async (path) => new DataView(await (await fetch(path)).arrayBuffer());
  const files = {
    runtime: { "runtime.wasm.gz": "clip/runtime.wasm.gz" },
    model: Object.fromEntries(["open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json"]
      .map((name) => [name, "clip/models/emoji-4x128-p8/" + name])),
  };
  globalThis.traits = { _picture: await bytes("${SCENE}"), _name: "0067-monkey.png", _model: "emoji-4x128-p8",
    texts: ${JSON.stringify(TEXTS)}, heads: "all", _looked: {}, _problem: {} };
  globalThis.sent = [];
  const model = {
    get: (name) => traits[name],
    set(name, value) { traits[name] = value; (heard.get("change:" + name) ?? []).forEach((hear) => hear()); },
    on: (event, hear) => heard.set(event, [...(heard.get(event) ?? []), hear]),
    off: (event, hear) => heard.set(event, (heard.get(event) ?? []).filter((one) => one !== hear)),
    save_changes() {},
    async send({ id, files: what }) {
      sent.push(what);
      const buffers = await Promise.all(Object.values(files[what]).map(bytes));
      (heard.get("msg:custom") ?? []).forEach((hear) => hear({ id, names: Object.keys(files[what]) }, buffers));
    },
  };
  globalThis.end = widget.render({ model, el: document.getElementById("cell") });
  widget.render({ model, el: document.body.appendChild(document.createElement("div")) });
</script>`;

let browser: Browser;
let server: Awaited<ReturnType<typeof startStaticServer>>;
let model: ClipModel;
let folder: string;

const scene = (result: { origin: { image: object } }) => ({
  ...result,
  origin: { ...result.origin, image: { ...result.origin.image, name: "", label: null } },
});
/** Gets something of the page's own. */
const inPage = <T>(page: Page, expression: string) => page.evaluate(expression) as Promise<T>;

describe.skipIf(skipPage)("the view", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    requirePage();
    folder = await mkdtemp(join(tmpdir(), "embed-"));
    await writeFile(join(folder, "index.html"), OWN);
    await writeFile(join(folder, "notebook.html"), NOTEBOOK);
    server = await startStaticServer({ "": folder, clip: PAGE, examples: join(root, "examples") });
    browser = await launch();
    model = await openModel("emoji-4x128-p8");
  }, 120_000);
  afterAll(() => end(browser, server, model, folder));

  const segmented = (heads: string) =>
    segmentImage(model, SCENE, TEXTS, { set: parseHeads(model, heads), written: heads, mode: "topic" });

  it("shows in a page of one's own what the command says, of all heads and of one", async () => {
    const { page, complaints } = await openPage(browser, server.url);
    await page.goto(`${server.url}/index.html`);
    const view = page.getByRole("region", { name: "What the heads saw" });
    await view.getByText("Choose a cell").waitFor();
    const [first] = await inPage<Said[]>(page, "said");
    expect(apart(scene(first!.explanation), scene(await explainImage(model, SCENE, TEXTS)))).toBeLessThan(
      1e-6,
    );
    expect(apart(scene(first!.segmentation), scene(await segmented("all")))).toBeLessThan(1e-6);
    await view.getByRole("button", { name: "a purple background" }).click();
    await view.getByRole("button", { name: "a purple background", pressed: true }).waitFor();
    await view.locator(".cell").filter({ hasText: "L3.H2" }).click();
    await view.getByText("The map is of L3.H2.").waitFor();
    const last = (await inPage<Said[]>(page, "said")).at(-1)!;
    expect(apart(scene(last.segmentation), scene(await segmented("L3.H2")))).toBeLessThan(1e-6);
    await view.getByRole("button", { name: "All heads" }).press("Enter");
    await view.getByText("Choose a cell").waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("follows its attributes, says what is wrong with them, and fits a phone", async () => {
    const { page } = await openPage(browser, server.url, { viewport: { width: 390, height: 844 } });
    await page.goto(`${server.url}/index.html`);
    const view = page.getByRole("region", { name: "What the heads saw" });
    await view.getByText("Choose a cell").waitFor();
    expect(await inPage<number>(page, "document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    const set = (name: string, value: string) =>
      inPage(page, `document.querySelector("clip-interpret-view").setAttribute("${name}", "${value}")`);
    await set("heads", "L9.H9");
    await expect
      .poll(() => inPage<{ code: string }[]>(page, "problems"))
      .toMatchObject([{ code: "HEADS_INVALID" }]);
    await set("heads", "last2");
    await view.getByText("The map is of last2.").waitFor();
    await set("model", "no-such-model");
    await view.getByText("there is no model no-such-model: emoji-4x128-p8").waitFor();
    await set("image", "");
    await view.getByText("a view needs an image and texts").waitFor();
    await page.context().close();
  });

  it("is drawn in notebooks, whose Python side hears the numbers and sends each file once a page", async () => {
    const { page, complaints } = await openPage(browser, server.url);
    await page.goto(`${server.url}/notebook.html`);
    const view = page.locator("#cell").getByRole("region", { name: "What the heads saw" });
    await view.getByText("Choose a cell").waitFor();
    const looked = await inPage<Said>(page, "traits._looked");
    const { name, label } = looked.explanation.origin.image;
    expect({ name, label }).toEqual({ name: "0067-monkey.png", label: null });
    expect(apart(scene(looked.explanation), scene(await explainImage(model, SCENE, TEXTS)))).toBeLessThan(
      1e-6,
    );
    expect(await inPage<string[]>(page, "sent")).toEqual(["runtime", "model"]);
    await view.locator(".cell").filter({ hasText: "L3.H2" }).click();
    await view.getByText("The map is of L3.H2.").waitFor();
    expect(await inPage<string>(page, "traits.heads")).toBe("L3.H2");
    await inPage(page, "end()");
    await expect.poll(() => view.count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
