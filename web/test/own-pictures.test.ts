import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { averageOf } from "../../src/analysis/explain/compared.ts";
import { findNeighbors } from "../../src/analysis/neighbors/neighbors.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { openIndex } from "../../src/corpus/open-search.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads, parseHeads } from "../../src/model/components.ts";
import { unitProbe } from "../../src/model/probe.ts";
import { openModel } from "../../src/model/registry.ts";
import { apart } from "../../test/support/apart.ts";
import { startStaticServer } from "../../test/support/static-server.ts";
import { end, launch, numbersOf, requirePage, shown, skipPage } from "./browser.ts";
import { PHONE, tooSmall } from "./fingers.ts";

/*
 * Pictures of a visitor in the page without a server: a folder is looked at in the tab, as the `index` command looks at it, kept in the
 * browser, and gone when it is removed; and an index that lies on another server.
 */

const PAGE = fileURLToPath(new URL("../../dist/page", import.meta.url));
const SCENES = fileURLToPath(new URL("../../examples/scenes/images", import.meta.url));
const MODEL = "emoji-4x128-p8";
const CORPUS = "own-holiday";

let browser: Browser;
let context: BrowserContext;
let page: Page;
let server: Awaited<ReturnType<typeof startStaticServer>>;
let elsewhere: Awaited<ReturnType<typeof startStaticServer>>;
let model: ClipModel;
let folder: string;
const complaints: string[] = [];

const open = async (address: string, at = server.url) => {
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${at}/${address}`);
};
/** The page as `--connect` builds it: a folder. */
async function builtFor(host: string): Promise<string> {
  const built = join(folder, "built");
  await mkdir(built);
  for (const name of await readdir(PAGE)) await symlink(join(PAGE, name), join(built, name));
  for (const name of ["index.html", "page.json"]) {
    const text = await readFile(join(PAGE, name), "utf8");
    await rm(join(built, name));
    const isPage = name === "index.html";
    const [from, to] = isPage
      ? ["connect-src ", `connect-src ${host} `]
      : ['"hosts":[', `"hosts":["${host}",`];
    expect(text).toContain(from);
    await writeFile(join(built, name), text.replace(from, to));
  }
  return built;
}
/** What the view downloads as JSON. */
const numbers = <T>() => numbersOf<T>(page);
const pictures = () => page.getByRole("button", { name: /^pictures / }).click();
/** Names in the folder that the browser keeps for the page. */
const keptFiles = () =>
  page.evaluate(async () => {
    interface Folder extends AsyncIterable<[string, { kind: string }]> {
      entries(): AsyncIterable<[string, Folder & { kind: string }]>;
    }
    const { storage } = navigator as unknown as { storage: { getDirectory(): Promise<Folder> } };
    const names: string[] = [];
    const look = async (at: Folder, path: string) => {
      for await (const [name, entry] of at.entries()) {
        if (entry.kind === "directory") await look(entry, `${path}${name}/`);
        else names.push(path + name);
      }
    };
    await look(await storage.getDirectory(), "");
    return names;
  });
type Averages = Awaited<ReturnType<typeof averageOf>>;
/** The library's, of all heads' averages. */
async function averagesOf(index: Awaited<ReturnType<typeof openIndex>>, texts: readonly string[]) {
  const embedded = await model.encodeTexts(texts);
  const { embedDim } = model.config;
  const probes = texts.map((_, i) => unitProbe(embedded.subarray(i * embedDim, (i + 1) * embedDim)));
  return averageOf(model, index, texts, probes);
}
/** What the page's thread answered to a question. */
const answerTo = async <T>(path: string): Promise<T> => {
  const answer = await page.waitForFunction((asked) => {
    const { questions, answers } = globalThis as unknown as {
      questions: { id: number; input?: { path: string } }[];
      answers: { id: number; value: unknown }[];
    };
    const id = questions.findLast(({ input }) => input?.path === asked)?.id;
    return answers.find((one) => one.id === id && one.value !== undefined)?.value;
  }, path);
  return (await answer.jsonValue()) as T;
};
/** Notes what the page says to its thread, and hears. */
const eavesdrop = () => {
  const there = globalThis as unknown as {
    Worker: new (
      ...args: unknown[]
    ) => {
      postMessage(data: unknown, ...rest: unknown[]): void;
      addEventListener(type: string, listen: (event: { data: unknown }) => void): void;
    };
    questions: unknown[];
    answers: unknown[];
  };
  there.questions = [];
  there.answers = [];
  const Real = there.Worker;
  there.Worker = class extends Real {
    constructor(...args: unknown[]) {
      super(...args);
      this.addEventListener("message", ({ data }) => there.answers.push(data));
    }
    override postMessage(data: unknown, ...rest: unknown[]) {
      there.questions.push(data);
      super.postMessage(data, ...rest);
    }
  };
};
const withoutNames = <R extends { origin: { index?: { name: string } | null; image?: object | null } }>({
  origin,
  query: _,
  ...rest
}: R & { query?: unknown }) => ({
  ...rest,
  origin: { ...origin, image: null, index: { ...origin.index, name: "" } },
});

describe.skipIf(skipPage)("pictures of one's own in the page without a server", { timeout: 240_000 }, () => {
  beforeAll(async () => {
    requirePage();
    folder = await mkdtemp(join(tmpdir(), "own-"));
    const holiday = join(folder, "holiday");
    for (const [i, name] of (await readdir(SCENES)).sort().entries())
      await cp(join(SCENES, name), join(holiday, i < 12 ? "sea" : "hills", name));
    await writeFile(join(holiday, "sea/broken.png"), "\x89PNG\r\n\x1a\n and then nothing", "latin1");
    await writeFile(join(holiday, "notes.txt"), "no picture");
    model = await openModel(MODEL);
    await buildIndex(model, holiday, join(folder, "holiday.index"), { dtype: "float32" });
    server = await startStaticServer({ "": PAGE });
    elsewhere = await startStaticServer({ "": folder }, { cors: true });
    browser = await launch();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    await context.addInitScript(eavesdrop);
  }, 180_000);
  afterAll(() => end(browser, server, elsewhere, model, folder));

  it("looks at a folder, can be stopped, and goes on in a page that is opened anew", async () => {
    await open("#/neighbors?by=text&query=a+red+background");
    await pictures();
    // Some pictures take less time than a test needs to see how far they are: the page itself clicks.
    const stopped = page.evaluate(
      () =>
        new Promise<void>((stop) => {
          const observer = new MutationObserver(() => {
            const work = document.querySelector('aside[aria-label="Background work"]');
            if (!/indexing, ([3-9]|1\d) of 25/.test(work?.textContent ?? "")) return;
            observer.disconnect();
            work!.querySelector("button")!.click();
            stop();
          });
          observer.observe(document, { subtree: true, childList: true, characterData: true });
        }),
    );
    await page.getByLabel("A folder of pictures", { exact: true }).setInputFiles(join(folder, "holiday"));
    await page.waitForURL(new RegExp(`corpus=${CORPUS}`));
    await stopped;
    const work = page.getByRole("complementary", { name: "Background work" });
    await work.getByText("stopped").waitFor();
    // What was seen can be searched already.
    await page.getByText(/^[1-9]\d? pictures searched/).waitFor();
    await page.close();

    await open(`#/neighbors?by=text&query=a+red+background&corpus=${CORPUS}`);
    await page.getByText(/^[1-9]\d? pictures searched/).waitFor();
    await pictures();
    await page.getByText(/of 25 pictures can be searched/).waitFor();
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText("25 pictures", { exact: true }).waitFor();
    await page.getByText("What was left out").click();
    await page.getByText(/sea\/broken\.png: /).waitFor();
    await page.getByText(/1 file ending in \.txt/).waitFor();
  });

  it("finds neighbours in it, as the command does", async () => {
    await page.close();
    await open(`#/neighbors?by=text&query=a+red+background&corpus=${CORPUS}&k=5`);
    await page.getByText("24 pictures searched", { exact: false }).waitFor();
    const index = await openIndex(model, join(folder, "holiday.index"));
    const all = { name: "all", set: allHeads(model.geometry) };
    const found = await findNeighbors(model, index, { text: "a red background" }, all, { k: 5 });
    const there = await numbers<typeof found>();
    expect(there.neighbors.map(({ path }) => path)).toEqual(found.neighbors.map(({ path }) => path));
    expect(apart(withoutNames(there), withoutNames(found))).toBeLessThan(1e-6);
    await shown(page.getByRole("region", { name: /most similar/ }));
  });

  it("takes its average picture off, and segments one of it", async () => {
    const index = await openIndex(model, join(folder, "holiday.index"));
    const row = index.index.images[4]!;
    const texts = ["a red background", "a monkey"];
    const about = new URLSearchParams([
      ...[
        ["image", `${CORPUS}:${row.id}`],
        ["corpus", CORPUS],
        ["less", "1"],
        ["heads", "L2,L3"],
      ],
      ...texts.map((text) => ["text", text]),
    ] as [string, string][]);
    await page.goto(`${server.url}/#/look?${about}`);
    const { texts: averages } = await answerTo<{ texts: Averages }>("/api/means");
    expect(apart(averages, await averagesOf(index, texts))).toBeLessThan(1e-6);
    await page.goto(`${server.url}/#/segment?${about}`);
    await page.getByText(/One scale for all maps:/).waitFor();
    const how = { set: parseHeads(model, "L2,L3"), written: "L2,L3", mode: "topic" } as const;
    const segmented = await segmentImage(model, join(folder, "holiday", row.path), texts, how);
    const [shown, wanted] = [await numbers<typeof segmented>(), segmented].map(({ origin, ...rest }) => ({
      ...rest,
      sha256: origin.image.sha256,
    }));
    expect(apart(shown, wanted)).toBeLessThan(1e-6);
  });

  it("takes the average off of the pictures that came with the page, as the library does", async () => {
    await page.close();
    const texts = ["a red background", "a monkey"];
    await open(`#/look?less=1&corpus=demo&text=${texts.map(encodeURIComponent).join("&text=")}`);
    const { texts: averages } = await answerTo<{ texts: Averages }>("/api/means");
    const index = await openIndex(model, join(PAGE, "index/demo"));
    expect(apart(averages, await averagesOf(index, texts))).toBeLessThan(1e-6);
  });

  it("is gone when it is removed", async () => {
    expect((await keptFiles()).filter((path) => path.includes(CORPUS)).length).toBeGreaterThan(24);
    await pictures();
    await page.getByRole("button", { name: "Remove…" }).click();
    await page.getByRole("button", { name: /^Remove it/ }).click();
    const left = async () => (await keptFiles()).filter((path) => path.includes(CORPUS));
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    await page.getByRole("button", { name: "Remove…" }).waitFor({ state: "detached" });
    await page.close();
  });

  it("takes a folder that is dropped", async () => {
    await open("#/look");
    await page.locator(".picker").first().waitFor();
    // A drop of several files: browsers let no script make one of a folder.
    await page.evaluate(
      async (names) => {
        const transfer = new DataTransfer();
        for (const name of names) {
          const response = await fetch(name);
          transfer.items.add(new File([await response.blob()], name.split("/").at(-1)!));
        }
        globalThis.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
      },
      [
        "icon.svg",
        ...(await readdir(join(PAGE, "pictures/scenes")))
          .slice(0, 3)
          .map((name) => `pictures/scenes/${name}`),
      ],
    );
    await page.waitForURL(/neighbors.*corpus=own-/);
    await page.getByText(/^3 pictures searched/).waitFor();
    await page.close();
  });

  it("takes pictures, and lets go of them, by touch on a phone", async () => {
    const phone = await browser.newContext(PHONE);
    onTestFinished(() => phone.close());
    const held = await phone.newPage();
    held.setDefaultTimeout(60_000);
    await held.goto(`${server.url}/#/segment`);
    const choose = held.getByTitle("Choose which pictures are searched");
    await choose.tap();
    await held.getByRole("button", { name: "Some pictures…" }).waitFor();
    const some = (await readdir(SCENES)).slice(0, 3).map((name) => join(SCENES, name));
    await held
      .getByLabel("Some pictures", { exact: true })
      .setInputFiles([...some, join(folder, "holiday/notes.txt")]);
    await held.waitForURL(/corpus=own-/);
    await held.getByRole("link", { name: "Neighbours" }).tap();
    await held.getByText(/^3 pictures searched/).waitFor();
    await choose.tap();
    await held.getByText("What was left out").tap();
    await held.getByText(/1 file ending in \.txt/).waitFor();
    const dialog = held.getByRole("dialog");
    // Nothing of the list is out of a finger's reach.
    for (const button of await dialog.locator("button, summary").all()) {
      const box = (await button.boundingBox())!;
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(390);
    }
    expect(await tooSmall(held)).toEqual([]);
    await held.getByRole("button", { name: "Remove…" }).tap();
    await held.getByRole("button", { name: /^Remove it/ }).tap();
    await held.getByRole("button", { name: "Remove…" }).waitFor({ state: "detached" });
  });

  it("searches an index of another server, by ranges, with its pictures", async () => {
    const address = `?index=${encodeURIComponent(`${elsewhere.url}/holiday.index`)}#/neighbors?by=text&query=a+monkey&k=3`;
    await open(address);
    await page
      .getByText(/this page may not fetch from 127\.0\.0\.1:\d+/)
      .first()
      .waitFor();
    await page.close();
    const allowing = await startStaticServer({ "": await builtFor(elsewhere.url) });
    onTestFinished(allowing.close);
    await open(address, allowing.url);
    await page.getByText(/^24 pictures searched/).waitFor();
    const index = await openIndex(model, join(folder, "holiday.index"));
    const all = { name: "all", set: allHeads(model.geometry) };
    const found = await findNeighbors(model, index, { text: "a monkey" }, all, { k: 3 });
    expect(apart(withoutNames(await numbers<typeof found>()), withoutNames(found))).toBeLessThan(1e-6);
    const heads = elsewhere.asked.filter(({ path }) => path.endsWith("heads.npy"));
    expect(heads.length).toBeGreaterThan(0);
    expect(heads.every(({ range }) => range !== undefined)).toBe(true);
    await shown(page.getByRole("region", { name: /most similar/ }));
    await page.getByRole("button", { name: /^model / }).click();
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /emoji-4x128-p16|Use/ })
      .first()
      .click();
    await page.getByText(/was made by/).waitFor();
    await page.getByText(/Choose the model that made it/).waitFor();
    await page.close();
  });

  it("complains of nothing", () => {
    expect(complaints).toEqual([]);
  });
});
