/** What a local index answers, one in a store answers too, with the same numbers: every command, and the server. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { storeAt } from "../../src/corpus/store-at.ts";
import { openModel } from "../../src/index.ts";
import { indexedCorpus } from "../../src/server/corpora.ts";
import { startEngine } from "../../src/server/threads/engine.ts";
import { codeOf, post, send, startTestServer } from "../support/app-server.ts";
import { everyKind } from "../support/every-kind.ts";
import { runHere } from "../support/run-cli.ts";
import { startTestStore, type TestStore } from "../support/s3-server.ts";

const SCENES = fileURLToPath(new URL("../../examples/scenes/", import.meta.url));
const MODEL = "emoji-4x128-p8";
const POOL = [
  { text: "a dog", property: "animal" },
  { text: "two cats", property: "animal" },
  { text: "snow", property: "weather" },
  { text: "the rain", property: "weather" },
];

let server: TestStore;
let scratch: string;
const path = (name: string) => join(scratch, name);
let stored: string;
beforeAll(async () => {
  server = await startTestStore();
  scratch = mkdtempSync(join(tmpdir(), "stored-index-"));
  stored = `${server.address}/scenes.index`;
  useStore();
  const store = storeAt(`${server.address}/scenes`);
  const list = readFileSync(join(SCENES, "scenes.jsonl"));
  await store.put("scenes.jsonl", [list]);
  for (const name of readdirSync(join(SCENES, "images")))
    await store.put(`images/${name}`, [readFileSync(join(SCENES, "images", name))]);
  writeFileSync(path("pool.jsonl"), POOL.map((row) => JSON.stringify(row)).join("\n"));
  const model = await openModel(MODEL);
  const source = await scanSource(`${store.where}/scenes.jsonl`);
  for (const index of [path("scenes.index"), stored])
    await buildIndex(model, source, index, { shardSize: 16, mlps: true });
  await model.release();
});
beforeEach(() => useStore());
afterAll(async () => {
  await server.close();
  rmSync(scratch, { recursive: true });
});

function useStore() {
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
  vi.stubEnv("CLIP_INTERPRET_CACHE", path("cache"));
}

const image = join(SCENES, "images/0000-mobile-phone.png");
/** Each with an index in the place of INDEX. */
const COMMANDS: readonly (readonly [name: string, line: string])[] = [
  ["neighbors of a text", "neighbors --index INDEX --heads last2 --text cat --out OUT.html"],
  ["neighbors of an image", `neighbors --index INDEX --heads L3.H1 --image ${image}`],
  ["textspan", "textspan --index INDEX --heads L3.H1 --texts POOL --resamples 2"],
  ["similar", "similar --index INDEX --head L3.H1 --permutations 1"],
  ["selectivity", "selectivity --index INDEX --permutations 1"],
  ["explain", `explain ${image} --text cat --less-average --ablate L3 --index INDEX`],
  ["label", "label --index INDEX --heads L3.H1 --texts POOL"],
  ["atlas", "atlas --index INDEX --head L3.H1 --texts POOL"],
  ["evaluate retrieval", "evaluate retrieval --index INDEX"],
  ["evaluate zero-shot", "evaluate zero-shot --index INDEX --factor style --random 1 --no-layers"],
  [
    "debias",
    "debias --index INDEX --factor style --cue background --heads L3.H1 --random 1 --forward-images 2",
  ],
  ["index --check", "index --check --out INDEX"],
];
const QUICK = ["neighbors of a text", "selectivity", "evaluate zero-shot"];

describe("a command over an index in a store", () => {
  it.each(everyKind(COMMANDS, ([name]) => QUICK.includes(name)))(
    "answers as over one in a folder: %s",
    async (_, line) => {
      const ask = async (index: string, out: string) => {
        const words = line
          .split(" ")
          .map((word) => ({ INDEX: index, POOL: path("pool.jsonl") })[word] ?? word)
          .map((word) => word.replace("OUT", path(out)));
        const { code, stdout, stderr } = await runHere("--quiet", "--json", ...words);
        expect(`${code} ${code === 0 ? "" : stderr}`).toBe("0 ");
        const plain = stdout.replaceAll(stored, "INDEX").replaceAll(path("scenes.index"), "INDEX");
        return JSON.parse(plain.replaceAll(/"date": ?"[^"]*"/g, '"date":""'));
      };
      const [there, here] = [await ask(stored, "stored"), await ask(path("scenes.index"), "local")];
      expect(there).toEqual(here);
      if (line.includes("OUT"))
        expect(readFileSync(path("stored.html"), "utf8").match(/data:image/g)!.length).toBeGreaterThan(4);
    },
  );

  it("shows images of a store in a table of an index that is here", async () => {
    const asked = ["--export", "parquet", "--thumbnails", "32", "--text", "cat"];
    const { code, stderr } = await runHere("index", "--quiet", "--out", path("scenes.index"), ...asked);
    // A picture that is not found would be a warning.
    expect([code, stderr]).toEqual([0, ""]);
    const table = readFileSync(path("scenes.index/export/images.parquet"));
    expect(table.includes("score_cat")).toBe(true);
    expect(table.toString("latin1").match(/\x89PNG/g)).toHaveLength(24);
  });

  it("that writes beside it says that it cannot, and what to do", async () => {
    const { code, stderr } = await runHere("index", "--out", stored, "--export", "parquet");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/USAGE.*lies in a store/)]);
    expect(existsSync("s3:")).toBe(false);
  });
});

describe("the server", () => {
  it("searches and shows an index in a store, and says when the store does not answer", {
    timeout: 120_000,
  }, async () => {
    vi.stubEnv("AWS_MAX_ATTEMPTS", "2");
    const models = startEngine();
    onTestFinished(() => models.release());
    const app = await startTestServer({ models, corpora: [await indexedCorpus(stored)] }, 4);
    onTestFinished(() => app.close());
    const listed = (await send(app.url, "/api/corpora")).json<{ corpora: { name: string }[] }>();
    const [{ name }] = listed.corpora;
    expect(listed.corpora[0]).toMatchObject({ title: "scenes.index", images: 24 });
    const ask = (text: string) =>
      post(app.url, "/api/neighbors", { model: MODEL, corpus: name, query: { text }, heads: "last2", k: 3 });
    const found = (await ask("cat")).json<{ neighbors: { id: string }[] }>();
    const near = await runHere(
      "neighbors",
      "--index",
      path("scenes.index"),
      ..."--heads last2 --text cat -k 3 --json".split(" "),
    );
    expect(found.neighbors).toEqual(JSON.parse(near.stdout).neighbors);
    const shown = (await send(app.url, `/api/corpora/${name}/images`)).json<{
      images: { image: string }[];
    }>();
    const picture = await send(app.url, `/api/images/${shown.images[0].image}/file`);
    expect([picture.status, picture.body.toString("latin1", 1, 4)]).toEqual([200, "PNG"]);
    expect(app.faults).toEqual([]);
    // Not gone: it could not be asked for.
    server.fault = ({ key }) => (key.includes("images/") ? "refuse" : undefined);
    const unseen = await send(app.url, `/api/images/${shown.images[1].image}/file`);
    expect([unseen.status, codeOf(unseen)]).toEqual([502, "STORE_UNREACHABLE"]);

    server.fault = () => "refuse";
    const failed = await ask("dog");
    expect([failed.status, codeOf(failed)]).toEqual([502, "STORE_UNREACHABLE"]);
    expect(failed.body.toString()).not.toContain(server.address);
    server.fault = undefined;
    expect((await ask("dog")).status).toBe(200);
  });
});
