import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { z } from "zod";
import { buildIndex } from "../../src/corpus/build.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { openModel } from "../../src/model/registry.ts";
import {
  addedCorpusSchema,
  appSchema,
  changedCorporaSchema,
  corporaSchema,
  corpusImagesSchema,
  type JobView,
  rootsSchema,
} from "../../src/results/app.ts";
import { neighborsResultSchema } from "../../src/results/neighbors.ts";
import { indexedCorpus } from "../../src/server/corpora.ts";
import { codeOf, post, send, startTestServer, type TestServer } from "../support/app-server.ts";

const SCENES = fileURLToPath(new URL("../../examples/scenes/images/", import.meta.url));
const model = DEFAULT_MODEL;
let place: string;
let pictures: readonly string[];
let server: TestServer;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "clip-interpret-own-"));
  pictures = (await readdir(SCENES)).sort();
  const root = join(place, "pictures");
  for (const folder of ["few/inner", ".hidden", "empty"])
    await mkdir(join(root, folder), { recursive: true });
  await mkdir(join(place, "outside"));
  for (const name of pictures.slice(0, 6)) await copyFile(join(SCENES, name), join(root, "few", name));
  await copyFile(join(SCENES, pictures[7]), join(place, "outside", "secret.png"));
  await copyFile(join(SCENES, pictures[8]), join(root, ".hidden", "a.png"));
  await symlink(join(place, "outside", "secret.png"), join(root, "few", "link.png"));
  await symlink(join(place, "outside"), join(root, "away"));
  await symlink(join(root, "few"), join(root, "near"));
  await writeFile(join(root, "few", "notes.txt"), "notes");
  server = await startTestServer({ roots: [root] });
});
afterAll(async () => {
  await server.close();
  await rm(place, { recursive: true, force: true });
});

const roots = async (query: string, url = server.url) =>
  rootsSchema.parse((await send(url, `/api/roots${query}`)).json());
const corpus = async (name: string, url = server.url) =>
  corporaSchema
    .parse((await send(url, `/api/corpora?model=${model}`)).json())
    .corpora.find((one) => one.name === name);
const appOf = async (url = server.url) => appSchema.parse((await send(url, "/api/app")).json());
const remove = (name: string, url = server.url) => send(url, `/api/corpora/${name}`, { method: "DELETE" });

/** Waits for a job. */
async function until(id: string, done: (job: JobView) => boolean, url = server.url): Promise<JobView> {
  for (;;) {
    const job = (await send(url, `/api/jobs/${id}`)).json<JobView>();
    if (done(job) || !["queued", "running"].includes(job.state)) return job;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Adds a folder and waits until it is indexed. */
async function add(path: string, url = server.url): Promise<string> {
  const answer = await post(url, "/api/corpora", { root: "pictures", path, model });
  expect(answer.status).toBe(200);
  const added = addedCorpusSchema.parse(answer.json());
  expect((await until(added.job.id, () => false, url)).state).toBe("done");
  return added.corpus;
}

const neighbors = async (name: string, url = server.url) => {
  const asked = { model, corpus: name, query: { text: "a monkey" }, heads: "all", k: 64 };
  return neighborsResultSchema.parse((await post(url, "/api/neighbors", asked)).json());
};

describe("a folder of one's own", () => {
  it("is looked for below the roots: names only, what is hidden or leads away left out", async () => {
    expect(await roots("")).toEqual({ roots: ["pictures"], folder: null });
    const top = await roots("?root=pictures");
    expect(top.folder).toEqual({
      ...{ root: "pictures", path: "", folders: ["empty", "few", "near"], pictures: 0, more: false },
    });
    const few = await roots("?root=pictures&path=/few/");
    expect(few.folder).toMatchObject({ path: "few", folders: ["inner"], pictures: 7 });
    expect(JSON.stringify([top, few])).not.toContain(place);
  });

  it.each([
    ["pictures", ".."],
    ["pictures", "few/../.."],
    ["pictures", "../outside"],
    ["pictures", "away"],
    ["pictures", "away/../away"],
    ["pictures", ".hidden"],
    ["pictures", "few/link.png"],
    ["pictures", "few/notes.txt"],
    ["pictures", "nosuch"],
    ["pictures", "few\\..\\.."],
    ["pictures", "few\u0000"],
    ["outside", ""],
    ["..", "outside"],
    ["/", "etc"],
  ])(
    "is none of the roots' where %s / %s leads: nothing is told of it, nothing added",
    async (root, path) => {
      const query = `?root=${encodeURIComponent(root)}&path=${encodeURIComponent(path)}`;
      const [seen, added] = [
        await send(server.url, `/api/roots${query}`),
        await post(server.url, "/api/corpora", { root, path, model }),
      ];
      for (const answer of [seen, added]) {
        expect([answer.status, codeOf(answer)]).toEqual([404, "NOT_FOUND"]);
        expect(answer.body.toString()).not.toContain(place);
      }
    },
  );

  it("without pictures is refused, and not kept", async () => {
    const answer = await post(server.url, "/api/corpora", { root: "pictures", path: "empty", model });
    expect(codeOf(answer)).toBe("NO_IMAGES");
    expect(await corpus("empty")).toBeUndefined();
  });

  it("is indexed, searched and shown; what a link in it leads to is no part of it", async () => {
    const name = await add("few");
    expect(name).toBe("few");
    // A second time, by another way, it is the same.
    expect(await add("near")).toBe("few");
    expect(await corpus("few")).toMatchObject({ images: 6, indexed: true, searchable: 6, own: true });
    const { images } = corpusImagesSchema.parse((await send(server.url, "/api/corpora/few/images")).json());
    expect(images.map(({ path }) => path)).toEqual(pictures.slice(0, 6));
    expect((await neighbors("few")).neighbors).toHaveLength(6);
    expect((await send(server.url, `/api/images/${images[0].image}/picture`)).status).toBe(200);
  });

  it("takes in what was added to it, and lets go of what was removed", async () => {
    const root = join(place, "pictures");
    await mkdir(join(root, "changing"));
    for (const name of pictures.slice(0, 3)) await copyFile(join(SCENES, name), join(root, "changing", name));
    await add("changing");
    const before = (await corpus("changing"))!.version;
    expect((await corpus("changing"))!.version).toBe(before);
    await copyFile(join(SCENES, pictures[4]), join(root, "changing", pictures[4]));
    await rm(join(root, "changing", pictures[0]));
    await add("changing");
    expect(await corpus("changing")).toMatchObject({ images: 3, indexed: true, searchable: 3 });
    // As many as before, and a page hears that they are others.
    expect((await corpus("changing"))!.version).not.toBe(before);
    const found = (await neighbors("changing")).neighbors.map(({ path }) => path).sort();
    expect(found).toEqual([pictures[1], pictures[2], pictures[4]]);
  });

  it("is the default when it is chosen, after a restart too, and start pictures are its own", async () => {
    expect((await appOf()).defaultCorpus).toBe("demo");
    await add("few");
    const answer = await send(server.url, "/api/corpora/few/default", { method: "POST" });
    // Without a body there is nothing to say how long.
    expect(answer.status).toBe(200);
    expect(changedCorporaSchema.parse(answer.json()).default).toBe("few");
    const again = await startTestServer({ roots: [join(place, "pictures")], cache: server.cache });
    onTestFinished(() => again.close());
    const app = await appOf(again.url);
    expect(app).toMatchObject({ defaultCorpus: "few", example: { texts: [] } });
    expect(app.starts).toHaveLength(6);
    expect(app.starts.every((image) => image.startsWith("few:"))).toBe(true);
    expect(await corpus("few", again.url)).toMatchObject({ indexed: true, own: true });
    // Whoever does not allow the folder does not serve it.
    const closed = await startTestServer({ cache: server.cache });
    onTestFinished(() => closed.close());
    expect(await corpus("few", closed.url)).toBeUndefined();
    expect((await appOf(closed.url)).defaultCorpus).toBe("demo");
    expect(codeOf(await post(closed.url, "/api/corpora", { root: "pictures", path: "few", model }))).toBe(
      "NOT_FOUND",
    );
  });

  it("is removed with its index, never with its pictures; what was not added stays", async () => {
    await mkdir(join(place, "pictures", "short"));
    await copyFile(join(SCENES, pictures[9]), join(place, "pictures", "short", "a.png"));
    const indexes = join(server.cache, "app", "indexes");
    const before = await readdir(indexes).catch(() => []);
    await add("short");
    await send(server.url, "/api/corpora/short/default", { method: "POST" });
    expect((await readdir(indexes)).length).toBe(before.length + 1);
    const answer = await remove("short");
    expect(changedCorporaSchema.parse(answer.json())).toMatchObject({ default: "demo" });
    expect(await readdir(indexes)).toEqual(before);
    expect(await readFile(join(place, "pictures", "short", "a.png"))).toEqual(
      await readFile(join(SCENES, pictures[9])),
    );
    expect(codeOf(await remove("short"))).toBe("NOT_FOUND");
    expect(codeOf(await remove("scenes"))).toBe("CORPUS_FIXED");
  });

  it("can be searched while it grows: every shard that is finished; stopped, it goes on from there", async () => {
    const folder = join(place, "pictures", "many");
    await mkdir(folder);
    for (let i = 0; i < 1000; i++)
      await copyFile(join(SCENES, pictures[i % pictures.length]), join(folder, `${i}.png`));
    const added = addedCorpusSchema.parse(
      (await post(server.url, "/api/corpora", { root: "pictures", path: "many", model })).json(),
    );
    await until(added.job.id, ({ task, done }) => task === "indexing" && done > 140);
    const growing = await corpus("many");
    expect(growing).toMatchObject({ images: 1000, indexed: false, job: added.job.id });
    expect(growing!.searchable).toBeGreaterThanOrEqual(128);
    expect((await neighbors("many")).origin.index.images).toBeGreaterThanOrEqual(growing!.searchable);
    await send(server.url, `/api/jobs/${added.job.id}`, { method: "DELETE" });
    expect((await until(added.job.id, () => false)).state).toBe("cancelled");
    const left = await corpus("many");
    expect(left!.searchable).toBeLessThan(1000);
    // Removing it while it is indexed stops that first.
    const next = await post(server.url, "/api/corpora", { root: "pictures", path: "many", model });
    const { job } = next.json<z.infer<typeof addedCorpusSchema>>();
    await until(job.id, ({ task }) => task === "indexing");
    expect((await remove("many")).status).toBe(200);
    expect((await until(job.id, () => false)).state).toBe("cancelled");
    expect((await readdir(folder)).length).toBe(1000);
  });
});

describe("an index that is served", () => {
  it("is the default at the start, and is seen to grow and to be pruned", async () => {
    const folder = join(place, "served");
    await mkdir(folder);
    const put = (names: readonly string[]) =>
      Promise.all(names.map((name) => copyFile(join(SCENES, name), join(folder, name))));
    await put(pictures.slice(0, 4));
    const index = join(place, "served.index");
    const own = await openModel(model);
    onTestFinished(() => own.release());
    await buildIndex(own, folder, index);
    const served = await startTestServer({ corpora: [await indexedCorpus(index)], cache: server.cache });
    onTestFinished(() => served.close());
    expect((await appOf(served.url)).defaultCorpus).toBe("served-index");
    const seen = async () => {
      const { total } = corpusImagesSchema.parse(
        (await send(served.url, "/api/corpora/served-index/images")).json(),
      );
      const found = (await neighbors("served-index", served.url)).neighbors;
      return [total, found.length];
    };
    expect(await seen()).toEqual([4, 4]);
    await put(pictures.slice(4, 9));
    await buildIndex(own, folder, index);
    expect(await seen()).toEqual([9, 9]);
    for (const name of pictures.slice(0, 6)) await rm(join(folder, name));
    await buildIndex(own, folder, index, { prune: true });
    expect(await seen()).toEqual([3, 3]);
  });
});
