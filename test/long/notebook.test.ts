import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { openModel } from "../../src/model/registry.ts";
import { launch, skip } from "../../web/test/browser.ts";
import { freePorts } from "../support/nginx.ts";

/*
 * The Python package in a real JupyterLab and its browser: a cell shows the view, the next one has the command's numbers.
 * `PYTHON` is a Python that has both: `pip install jupyterlab dist/clip_interpret-*.whl`.
 */

const python = process.env.PYTHON ?? "python3";
const found = spawnSync(python, ["-c", "import jupyterlab, clip_interpret"]);
const missing = skip || found.status !== 0;
if (missing)
  console.warn(
    "skipped: no JupyterLab with the package. `npm run build:python && pip install jupyterlab ./python`, and set PYTHON",
  );

const SCENE = fileURLToPath(new URL("../../examples/scenes/images/0067-monkey.png", import.meta.url));
const TEXTS = ["a monkey", "a purple background"];
const CELLS = [
  `import clip_interpret as ci\nview = ci.explain("monkey.png", ${JSON.stringify(TEXTS)})\nview`,
  `import json\nprint("cosines " + json.dumps([text["similarity"] for text in view.explanation["texts"]]))`,
];

it.skipIf(missing)("a notebook shows the view and has its numbers", { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "notebook-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(SCENE, join(folder, "monkey.png"));
  const cells = CELLS.map((source, i) => ({
    ...{ cell_type: "code", id: `cell-${i}`, metadata: {}, execution_count: null, outputs: [], source },
  }));
  const kernelspec = { display_name: "Python 3", language: "python", name: "python3" };
  const notebook = { cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  await writeFile(join(folder, "look.ipynb"), JSON.stringify(notebook));
  const [port] = await freePorts(1);
  const lab = spawn(
    python,
    [
      "-m",
      "jupyterlab",
      "--no-browser",
      "--allow-root",
      `--ServerApp.port=${port}`,
      "--IdentityProvider.token=t",
    ],
    { cwd: folder, stdio: "ignore", env: { ...process.env, JUPYTER_CONFIG_DIR: folder, IPYTHONDIR: folder } },
  );
  onTestFinished(async () => {
    lab.kill("SIGINT");
    lab.kill("SIGTERM");
    await once(lab, "exit");
  });
  const url = `http://127.0.0.1:${port}/lab/tree/look.ipynb?token=t`;
  await expect
    .poll(
      () =>
        fetch(url).then(
          ({ ok }) => ok,
          () => false,
        ),
      { timeout: 120_000 },
    )
    .toBe(true);

  const browser = await launch();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(120_000);
  await page.goto(url);
  await page.locator(".jp-Notebook .jp-Cell").first().click();
  await page
    .getByText(/Python 3.*\| Idle/)
    .first()
    .waitFor();
  await page.keyboard.press("Shift+Enter");
  const view = page.getByRole("region", { name: "What the heads saw" });
  await view.getByText("Choose a cell").waitFor();
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, "notebook.png") });
  await page.keyboard.press("Shift+Enter");
  const printed = await page.getByText(/^cosines \[/).textContent();
  const model = await openModel("emoji-4x128-p8");
  const { texts } = await explainImage(model, SCENE, TEXTS);
  await model.release();
  const cosines = JSON.parse(printed!.replace("cosines ", "")) as number[];
  expect(cosines).toHaveLength(2);
  for (const [i, cosine] of cosines.entries())
    expect(Math.abs(cosine - texts[i]!.similarity)).toBeLessThan(1e-6);
});
