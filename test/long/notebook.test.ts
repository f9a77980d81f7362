import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { openModel } from "../../src/model/registry.ts";
import { launch, skip } from "../../web/test/browser.ts";
import { freePorts } from "../support/nginx.ts";

/*
 * The Python package in real notebooks and their browser: a cell shows the view, the next one has the command's numbers.
 * `PYTHON` is a Python that has all: `npm run build:python && pip install jupyterlab marimo ./python`.
 */

const python = process.env.PYTHON ?? "python3";
/** Why a notebook cannot be tried, as its suite's name says. */
const without = (program: string) => {
  const found = spawnSync(python, ["-c", `import ${program}, clip_interpret`]);
  return skip || found.status !== 0
    ? ` (skipped: no ${program} with the package: \`npm run build:python && pip install ${program} ./python\`, and set PYTHON)`
    : "";
};

const SCENE = fileURLToPath(new URL("../../examples/scenes/images/0067-monkey.png", import.meta.url));
const TEXTS = ["a monkey", "a purple background"];
const EXPLAIN = `ci.explain("monkey.png", ${JSON.stringify(TEXTS)})`;
const COSINES = `"cosines " + json.dumps([text["similarity"] for text in view.explanation["texts"]])`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "notebook-"));
  await cp(SCENE, join(folder, "monkey.png"));
  return () => rm(folder, { recursive: true, force: true });
});

/** Starts a notebook's server in the folder, ended after the test, and opens its page once it answers. */
async function open(args: readonly string[], address: string): Promise<Page> {
  const env = { ...process.env, JUPYTER_CONFIG_DIR: folder, IPYTHONDIR: folder, XDG_CONFIG_HOME: folder };
  const server: ChildProcess = spawn(python, ["-m", ...args], { cwd: folder, stdio: "ignore", env });
  onTestFinished(async () => {
    server.kill("SIGINT");
    server.kill("SIGTERM");
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  });
  const isThere = () =>
    fetch(address).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isThere, { timeout: 120_000 }).toBe(true);
  const browser = await launch();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(120_000);
  await page.goto(address);
  return page;
}

/** Waits for the view. */
async function seeView(page: Page, name: string): Promise<void> {
  await page.getByRole("region", { name: "What the heads saw" }).getByText("Choose a cell").waitFor();
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) });
}

/** What a cell printed is what the command says. */
async function expectCosines(page: Page): Promise<void> {
  const printed = await page.getByText(/^cosines \[/).textContent();
  const model = await openModel("emoji-4x128-p8");
  const { texts } = await explainImage(model, SCENE, TEXTS);
  await model.release();
  const cosines = JSON.parse(printed!.replace("cosines ", "")) as number[];
  expect(cosines).toHaveLength(2);
  for (const [i, cosine] of cosines.entries())
    expect(Math.abs(cosine - texts[i]!.similarity)).toBeLessThan(1e-6);
}

const noLab = without("jupyterlab");
describe.skipIf(noLab)(`JupyterLab${noLab}`, { timeout: 300_000 }, () => {
  it("shows the view and has its numbers", async () => {
    const cells = [`import clip_interpret as ci\nview = ${EXPLAIN}\nview`, `import json\nprint(${COSINES})`];
    const kernelspec = { display_name: "Python 3", language: "python", name: "python3" };
    const notebook = {
      cells: cells.map((source, i) => ({
        ...{ cell_type: "code", id: `cell-${i}`, metadata: {}, execution_count: null, outputs: [], source },
      })),
      ...{ metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 },
    };
    await writeFile(join(folder, "look.ipynb"), JSON.stringify(notebook));
    const [port] = await freePorts(1);
    const options = [
      "--no-browser",
      "--allow-root",
      `--ServerApp.port=${port}`,
      "--IdentityProvider.token=t",
    ];
    const page = await open(
      ["jupyterlab", ...options],
      `http://127.0.0.1:${port}/lab/tree/look.ipynb?token=t`,
    );
    await page.locator(".jp-Notebook .jp-Cell").first().click();
    await page
      .getByText(/Python 3.*\| Idle/)
      .first()
      .waitFor();
    await page.keyboard.press("Shift+Enter");
    await seeView(page, "jupyterlab");
    await page.keyboard.press("Shift+Enter");
    await expectCosines(page);
  });
});

const noMarimo = without("marimo");
describe.skipIf(noMarimo)(`marimo${noMarimo}`, { timeout: 300_000 }, () => {
  it("shows the view, and a cell that reads its numbers follows by itself", async () => {
    await writeFile(
      join(folder, "look.py"),
      `import marimo
app = marimo.App()

@app.cell
def _():
    import json
    import marimo as mo
    import clip_interpret as ci
    return ci, json, mo

@app.cell
def _(ci, mo):
    view = mo.ui.anywidget(${EXPLAIN})
    view
    return (view,)

@app.cell
def _(ci, json, mo, view):
    view.value
    try:
        said = ${COSINES}
    except ci.NotReadyError:
        said = "not yet"
    mo.plain_text(said)
    return

if __name__ == "__main__":
    app.run()
`,
    );
    const [port] = await freePorts(1);
    const options = ["run", "look.py", "--headless", "--no-token", "--port", String(port)];
    const page = await open(["marimo", ...options], `http://127.0.0.1:${port}/`);
    await seeView(page, "marimo");
    await expectCosines(page);
  });
});
