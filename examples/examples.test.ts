import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildIndex, decomposeImage, explainImage, openIndex, openModel } from "clip-interpret";
import { afterAll, beforeAll, expect, it } from "vitest";
import { serveLlm } from "../test/support/llm-server.ts";
import { startStaticServer } from "../test/support/static-server.ts";
import { webRuntime } from "../test/support/web-runtime.ts";
import { fiveAnalyses } from "./five-analyses.ts";
import { lookAt } from "./in-a-browser.ts";
import { nameHeads } from "./labels-with-a-local-llm.ts";
import { whatItSays } from "./own-model.ts";
import { inOwnWords, WORDS } from "./own-pool.ts";
import { removeTheCue } from "./remove-a-cue.ts";
import { studyTwo } from "./study-of-two-models.ts";
import { whatAHeadCanWrite } from "./what-a-head-can-write.ts";
import { whatHeadsFindAlike } from "./what-a-head-finds-alike.ts";
import { SCENE, whichHeadKnowsRed } from "./which-head-knows-red.ts";

const EXAMPLES = import.meta.dirname;
const MONKEY = join(EXAMPLES, "scenes/images/0067-monkey.png");
/** Lines of a program: as many as one reads at once. */
const MOST_LINES = 50;

let folder: string;
/** Of the example scenes, by the default model. */
let index: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "examples-"));
  index = join(folder, "scenes.index");
  const model = await openModel();
  await buildIndex(model, join(EXAMPLES, "scenes"), index);
  await model.release();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it("programs are short, and each is run here", async () => {
  const here = await readFile(join(EXAMPLES, "examples.test.ts"), "utf8");
  for (const name of await readdir(EXAMPLES)) {
    if (!/\.(ts|py)$/.test(name) || name.endsWith(".test.ts")) continue;
    const lines = (await readFile(join(EXAMPLES, name), "utf8")).trimEnd().split("\n");
    expect(lines.length, name).toBeLessThanOrEqual(MOST_LINES);
    expect(here).toContain(name);
  }
});

it("five-analyses.ts: neighbours by property, by head, by text; where a text is, and which of two", async () => {
  const { alike, byHead, byText, topic, contrast } = await fiveAnalyses(index, MONKEY);
  // Purple as well; the picture itself is left out, since the index holds it.
  expect([alike, byHead].map(([{ path }]) => path)).toEqual(Array(2).fill("images/0018-clown.png"));
  expect(byText.map(({ score }) => score)).toEqual(byText.map(({ score }) => score).sort((a, b) => b - a));
  expect(topic.score).toBeGreaterThan(0);
  // The monkey sits right above the middle.
  const monkey = contrast.map((row) => row.map((text) => "M."[text]).join(""));
  expect(monkey[1][4] + monkey[2][5] + monkey[6][0] + monkey[5][7]).toBe("MM..");
});

it("own-model.ts: the parts of any folder's model are its whole embedding", async () => {
  const model = await openModel("emoji-6x192-p8");
  const [{ similarity }] = (await explainImage(model, MONKEY, ["a monkey"])).texts;
  await model.release();
  const { name, error, sum, parts } = await whatItSays("models/emoji-6x192-p8", MONKEY, "a monkey");
  expect(name).toContain("emoji-6x192-p8");
  expect(sum).toBeCloseTo(similarity, 6);
  expect(parts.reduce((total, { value }) => total + value, 0)).toBeCloseTo(sum, 9);
  expect(error).toBeLessThan(1e-5);
});

it("own-pool.ts: heads in the texts of a file", async () => {
  const pool = join(folder, "words.txt");
  await writeFile(pool, WORDS.join("\n"));
  const [background, place] = await inOwnWords(index, pool, "L1.H0,L3.H3", 3);
  expect(background.name).toBe("L1.H0");
  expect(background.texts[0]).toMatch(/background/);
  expect(place.texts[0]).toMatch(/^something (at|on)/);
  for (const { explained } of [background, place]) expect(explained).toBeGreaterThan(0.05);
});

it("labels-with-a-local-llm.ts: asks for a name and for verdicts, once", async () => {
  const llm = await serveLlm();
  const ask = () => nameHeads(index, "L1.H0,L3.H3", llm.url, "qwen3", join(folder, "answers"));
  const { named, asked } = await ask();
  expect(named.map(({ head, label, fit }) => [head, label, fit])).toEqual([
    ["L1.H0", "Location", 4],
    ["L3.H3", "Location", 4],
  ]);
  expect(named[0].by).toMatch(/^qwen3 at 127\.0\.0\.1/);
  expect(asked).toBe(4);
  expect(await ask()).toMatchObject({ named, asked: 0 });
});

it("remove-a-cue.ts: heads that carry the cue, and the worst group before and after", async () => {
  const { heads, before, after } = await removeTheCue(80, 1);
  expect(heads.length).toBeGreaterThan(0);
  for (const head of heads) expect(head).toMatch(/^L[0-3]\.H[0-3]$/);
  expect(after).toBeGreaterThanOrEqual(before);
}, 300_000);

it("study-of-two-models.ts: both models, through the same steps", async () => {
  const models = ["emoji-4x128-p8", "emoji-4x128-p16"];
  const found = await studyTwo(models, join(EXAMPLES, "scenes"), join(folder, "steps"), true);
  expect(found.map(({ name, heads }) => [name, heads])).toEqual(models.map((name) => [name, 8]));
  for (const { labels } of found) for (const label of labels) expect(label).toMatch(/^[a-z]/);
});

it("in-a-browser.ts: the same from files behind a server, in WebAssembly", async () => {
  webRuntime();
  const server = await startStaticServer({ "": join(EXAMPLES, "..") });
  const { similarity, row, column } = await lookAt(
    `${server.url}/models`,
    `${server.url}/examples/scenes/images/0067-monkey.png`,
    "a monkey",
  );
  await server.close();
  const model = await openModel();
  const [text] = (await explainImage(model, MONKEY, ["a monkey"])).texts;
  await model.release();
  expect(similarity).toBeCloseTo(text.similarity, 5);
  expect([row, column].every((place) => place >= 0 && place < 8)).toBe(true);
});

const PRINTED = join(EXAMPLES, "index_from_python.txt");
const norm = (x: Float32Array) => Math.hypot(...x);

// That it prints so is held where there is NumPy: test/long/index-from-python.test.ts.
it("index_from_python.py: what it printed is what the model says", async () => {
  const [first, ...printed] = (await readFile(PRINTED, "utf8")).trim().split("\n");
  const model = await openModel();
  const { layers, heads, width } = model.config.vision;
  const { images } = await openIndex(model, index);
  expect(first).toBe(`${images.length} images, ${layers} layers of ${heads} heads`);
  const scenes = join(EXAMPLES, "scenes");
  const query = await decomposeImage(model, join(scenes, images[0].path));
  for (const line of printed) {
    const [what, value, path] = line.split("  ");
    const { z, embedding } = await decomposeImage(model, join(scenes, path));
    const size = width / heads;
    const seen = z.slice((3 * heads + 1) * size, (3 * heads + 2) * size);
    const said = /^like/.test(what)
      ? embedding.reduce((sum, x, i) => sum + x * query.embedding[i], 0) /
        norm(embedding) /
        norm(query.embedding)
      : norm(seen);
    expect(said, line).toBeCloseTo(Number(value), 2);
  }
  await model.release();
});

it("which-head-knows-red.ts: all shares together are the difference of the two cosines", async () => {
  const { heads, total } = await whichHeadKnowsRed();
  const model = await openModel();
  const texts = ["a snowboarder with a red backdrop", "a snowboarder with a gray backdrop"];
  const [red, gray] = (await explainImage(model, SCENE, texts)).texts;
  await model.release();
  expect(total).toBeCloseTo(red.similarity - gray.similarity, 6);
  expect(total).toBeGreaterThan(0);
  expect(heads[0].value).toBeGreaterThan(0.2 * total);
});

it("what-a-head-finds-alike.ts: three images a head set, without the query", async () => {
  const found = await whatHeadsFindAlike("images/0067-monkey.png", ["all,mlps", "L3"]);
  expect(Object.keys(found)).toEqual(["all,mlps", "L3"]);
  for (const paths of Object.values(found)) {
    expect(new Set(paths).size).toBe(3);
    expect(paths).not.toContain("images/0067-monkey.png");
  }
});

it("what-a-head-can-write.ts: the third direction of L3.H1 goes from top right to bottom left", async () => {
  const { directions, chance } = await whatAHeadCanWrite("L3.H1", 3);
  expect(directions.map(({ name }) => name)).toEqual(["L3.H1@0", "L3.H1@1", "L3.H1@2"]);
  const [one, other] = directions[2].ends.map((texts) => texts.join());
  expect(one).toMatch(/upper part.*on the right/);
  expect(other).toMatch(/at the bottom.*on the left/);
  for (const { cosine } of directions) expect(cosine).toBeGreaterThan(chance!.high);
});
