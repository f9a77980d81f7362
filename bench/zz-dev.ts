import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { goldenPath } from "../test/support/goldens.ts";
import { startHubForPages } from "../test/support/hub-for-pages.ts";
import { writeRandomCheckpoint } from "../test/support/random-checkpoint.ts";
import { startStaticServer } from "../test/support/static-server.ts";
import { launch, painted } from "../web/test/browser.ts";
import { pageFor } from "../web/test/page-for.ts";

const TINY = {
  imageSize: 32,
  patchSize: 8,
  width: 64,
  layers: 4,
  headDim: 16,
  embedDim: 48,
  text: { width: 32, heads: 2, layers: 2, vocabSize: 49408 },
};
const COFFEE = goldenPath("preprocess/skimage-coffee.png");
const scratch = await mkdtemp("/tmp/models/dev-");
const folder = join(scratch, "tiny");
await writeRandomCheckpoint(folder, TINY);
const hub = await startHubForPages({ "someone/a-tiny-clip": folder });
const models = await startStaticServer({ "": scratch }, { cors: true });
const served = await pageFor(hub.url, [hub.files, models.url]);
const isolated = process.argv.includes("isolated");
const site = await startStaticServer(
  { "": served },
  {
    packs: true,
    ...(isolated && {
      headers: {
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      },
    }),
  },
);
const browser = await launch();
const context = await browser.newContext({
  viewport: { width: process.argv.includes("phone") ? 390 : 1440, height: 900 },
});
const page = await context.newPage();
page.setDefaultTimeout(25_000);
page.on("console", (m) => console.log("CONSOLE", m.type(), m.text().slice(0, 300)));
page.on("pageerror", (e) => console.log("PAGEERROR", e));
let n = 0;
const shot = (name: string) => page.screenshot({ path: `/tmp/models/shot-${n++}-${name}.png` });
try {
  await page.goto(`${site.url}/#/look?model=someone%2Fa-tiny-clip`);
  await page.getByText("is not in this browser yet").waitFor();
  await shot("ask");
  await page.getByRole("button", { name: "Fetch it" }).click();
  await page.getByRole("button", { name: "model someone/a-tiny-clip" }).waitFor();
  await painted(page);
  await shot("look");
  await page.locator('input[type="file"]').first().setInputFiles(COFFEE);
  await page.waitForURL(/upload/);
  await page.getByRole("textbox", { name: /text/i }).first().fill("a cup of coffee");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("heading", { name: "a cup of coffee" }).waitFor();
  await painted(page);
  await shot("own");
  await page.getByRole("button", { name: /^model/ }).click();
  await page.waitForTimeout(1500);
  await shot("dialog");
  console.log(
    hub.asked,
    hub.askedFiles.map(({ path, range, bytes }) => [path, range, bytes]),
  );
} catch (e) {
  console.log(String(e).slice(0, 800));
  await shot("failed");
}
await browser.close();
process.exit(0);
