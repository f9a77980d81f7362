import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { openModel } from "../../src/model/registry.ts";
import type { ExplainResult } from "../../src/results/explain.ts";
import { EXAMPLE_SCENE } from "../../src/world/example-scene.ts";
import { apart } from "../../test/support/apart.ts";
import { startStaticServer } from "../../test/support/static-server.ts";
import { firefoxMissing, launchFirefox, type Window } from "./firefox.ts";
import { PAGE } from "./page-for.ts";

/*
 * The page without a server in Firefox: the command's numbers, and a second visit without a network.
 */

if (firefoxMissing !== undefined) console.warn(`The page is not tried in Firefox: ${firefoxMissing}`);

let server: Awaited<ReturnType<typeof startStaticServer>>;
let firefox: Awaited<ReturnType<typeof launchFirefox>>;

/** Waits until a map is there. */
const painted = async (window: Window) => {
  const isPainted = `document.querySelector('.heat canvas[data-painted="map"]') !== null`;
  await expect.poll(() => window.evaluate(isPainted), { timeout: 120_000 }).toBe(true);
};
/** What the view downloads as JSON. */
const DOWNLOADED = `new Promise((resolve) => {
  const create = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    resolve(blob.text());
    URL.createObjectURL = create;
    return create.call(URL, blob);
  };
  [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "JSON").click();
})`;

describe.skipIf(firefoxMissing !== undefined)("the page in Firefox", { timeout: 300_000 }, () => {
  beforeAll(async () => {
    server = await startStaticServer({ "": PAGE }, { packs: true });
    firefox = await launchFirefox();
  }, 120_000);
  afterAll(async () => {
    await firefox?.close();
    await server?.close();
  });

  it("says what the command says, and complains of nothing", async () => {
    const window = await firefox.open();
    await window.open(`${server.url}/`);
    await painted(window);
    const { explanation } = JSON.parse(String(await window.evaluate(DOWNLOADED))) as {
      explanation: ExplainResult;
    };
    const model = await openModel(DEFAULT_MODEL);
    const explained = await explainImage(model, EXAMPLE_SCENE.path, [...EXAMPLE_SCENE.texts]);
    await model.release();
    const [there, wanted] = [explanation, explained].map(({ origin, ...rest }) => ({
      ...rest,
      sha256: origin.image.sha256,
    }));
    expect(apart(there, wanted)).toBeLessThan(1e-6);
    expect(window.complaints).toEqual([]);
    await window.evaluate("navigator.serviceWorker.ready.then(({ active }) => active !== null)");
  });

  it("comes again when its server is gone", async () => {
    await server.close();
    const window = await firefox.open();
    await window.open(`${server.url}/`);
    await painted(window);
  });
});
