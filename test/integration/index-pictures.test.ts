import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { folderStore } from "../../src/corpus/folder-store.ts";
import { readIndex } from "../../src/corpus/open-index.ts";
import type { WritableStore } from "../../src/corpus/plain-store.ts";
import { scanSource } from "../../src/corpus/source.ts";
import type { GivenFile } from "../../src/corpus/source-files.ts";
import { sourceOfFiles } from "../../src/corpus/source-files.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { openModel } from "../../src/model/registry.ts";
import type { Corpora, JobView } from "../../src/results/app.ts";
import type { NeighborsResult } from "../../src/results/neighbors.ts";
import { ClipInterpretError } from "../../src/support/errors.ts";
import { createAnswers } from "../../src/tab/answers.ts";
import { createCollections } from "../../src/tab/collections.ts";
import { createKeptFolders } from "../../src/tab/kept-folders.ts";
import { createOpenModels } from "../../src/tab/open-models.ts";

/*
 * Folders that a page without a server is given: here with a disk in the place of the browser's. What is indexed step by step is
 * what the command indexes, whatever it was stopped by.
 */

const MODEL = "emoji-4x128-p8";
let folder: string;
let pictures: string;
let model: ClipModel;

/** Files of a folder as a browser hands them over. */
async function given(root: string): Promise<GivenFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      const { mtimeMs } = await stat(path);
      const file = new File([await readFile(path)], name, { lastModified: Math.trunc(mtimeMs) });
      return { path: path.slice(root.length + 1), file };
    }),
  );
}

beforeAll(async () => {
  model = await openModel(MODEL);
  folder = await mkdtemp(join(tmpdir(), "given-"));
  pictures = join(folder, "pictures");
  const scenes = "examples/scenes/images";
  const names = (await readdir(scenes)).sort().slice(0, 6);
  for (const [i, name] of names.entries())
    await cp(join(scenes, name), join(pictures, i < 3 ? "first" : "second", name));
  await writeFile(join(pictures, "first/broken.png"), "\x89PNG\r\n\x1a\n and then nothing", "latin1");
  await writeFile(join(pictures, "second/drawing.svg"), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await writeFile(join(pictures, "second/notes.txt"), "no picture");
  await writeFile(join(pictures, ".hidden.png"), "none either");
  await writeFile(join(pictures, "second/plain"), await readFile(join(scenes, names[0]!)));
});
afterAll(async () => {
  await model?.release();
  await rm(folder, { recursive: true, force: true });
});

it("finds in a list of files what is found in the folder", async () => {
  const { images, passed } = await scanSource(pictures);
  expect(await sourceOfFiles("pictures", await given(pictures))).toMatchObject({
    passed,
    images: images.map((image) => ({
      ...image,
      // Messages say where the file is on the disk.
      ...(image.refused && { refused: { ...image.refused, message: expect.any(String) } }),
    })),
  });
});

/** A page with what it keeps in a folder. */
function page(
  kept: string,
  change: { store?: WritableStore; room?: number; isFree?: boolean; device?: string } = {},
) {
  const heard: JobView[] = [];
  const folders = createKeptFolders({
    store: async () => change.store ?? folderStore(join(folder, kept)),
    openModel: async () => ({ ...model, device: change.device ?? "cpu" }),
    deviceOf: () => change.device ?? "cpu",
    room: async () => change.room ?? 1e9,
    lock: async () => (change.isFree === false ? undefined : () => {}),
    tell: (job) => heard.push(job),
    others: ["demo"],
    defaultCorpus: "demo",
    now: () => performance.now(),
  });
  const answer = createAnswers({
    facts: { version: "", answers: {}, files: {}, indexes: {}, pools: {}, pictures: {} },
    models: createOpenModels({
      load: async () => ({ ...model, device: change.device ?? "cpu" }),
      isLarge: () => false,
      workOf: (name) => folders.workOf(name),
    }),
    readFile: async () => new Uint8Array(),
    openIndex: () => Promise.reject(new Error("none")),
    runtime: async () => ({ runtime: "none", threads: 1 }),
    collections: createCollections(folders, []),
  });
  const ask = <T>(method: string, path: string, body?: unknown) =>
    answer({ method, path, body }) as Promise<T>;
  return {
    heard,
    ask,
    step: folders.step,
    give: async (files?: GivenFile[]) =>
      ask<{ corpus: string; job: JobView }>("POST", "/api/corpora", {
        ...{ title: "Pictures", files: files ?? (await given(pictures)), model: MODEL },
      }),
    async finish() {
      while (await folders.step());
      return heard.at(-1)!;
    },
    corpora: async () => (await ask<Corpora>("GET", `/api/corpora?model=${MODEL}`)).corpora,
    neighbors: () =>
      ask<NeighborsResult>("POST", "/api/neighbors", {
        ...{ model: MODEL, corpus: "own-pictures", query: { text: "a red background" }, heads: "all", k: 3 },
      }),
  };
}

const code = async (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error) => (error instanceof ClipInterpretError ? error.code : String(error)),
  );

describe("a folder that a page was given", () => {
  it("is indexed as the command does it, byte for byte", async () => {
    const { give, finish, corpora, ask } = page("whole");
    const { corpus } = await give();
    expect(corpus).toBe("own-pictures");
    expect(await finish()).toMatchObject({ state: "done", done: 9, total: 9 });
    expect(await corpora()).toMatchObject([
      { name: corpus, title: "Pictures", images: 8, indexed: true, searchable: 7, own: true, job: null },
    ]);
    const command = join(folder, "command.index");
    await buildIndex(model, pictures, command, { dtype: "float32" });
    const [there] = (await readdir(join(folder, "whole", corpus))).filter((name) => name.startsWith("index"));
    const [a, b] = [await readIndex(join(folder, "whole", corpus, there!)), await readIndex(command)];
    const hashes = ({ manifest }: typeof a) =>
      manifest.shards.map(({ files: { "rejected.jsonl": _, ...files } }) => files);
    expect(hashes(a)).toEqual(hashes(b));
    const left = await ask<{ rejected: { path: string }[]; passedOver: unknown }>(
      "GET",
      `/api/corpora/${corpus}/left-out?model=${MODEL}`,
    );
    expect(left.rejected.map(({ path }) => path).sort()).toEqual(["first/broken.png", "second/drawing.svg"]);
    expect(left.passedOver).toEqual({ hidden: 1, others: { ".txt": 1 } });
  });

  it("is indexed apart for each device that looks at it", async () => {
    const onGpu = page("whole", { device: "webgpu" });
    expect(await onGpu.corpora()).toMatchObject([{ searchable: 0, indexed: false }]);
    await onGpu.ask("POST", "/api/jobs", { kind: "prepare", corpus: "own-pictures", model: MODEL });
    expect(await onGpu.finish()).toMatchObject({ state: "done" });
    expect((await onGpu.neighbors()).origin.model.device).toBe("webgpu");
    const onCpu = page("whole");
    expect(await onCpu.corpora()).toMatchObject([{ searchable: 7, indexed: true }]);
    expect((await onCpu.neighbors()).origin.model.device).toBe("cpu");
  });

  it("goes on where it was stopped, in a page that was opened anew", async () => {
    const first = page("stopped");
    const { job } = await first.give();
    // Eight are kept, then two looked at.
    for (let i = 0; i < 11; i++) await first.step();
    await first.ask("DELETE", `/api/jobs/${job.id}`);
    expect(await first.finish()).toMatchObject({ state: "cancelled" });
    const [kept] = await first.corpora();
    expect(kept!.searchable).toBeGreaterThan(0);
    expect(kept!.indexed).toBe(false);
    const again = page("stopped");
    expect(await again.corpora()).toMatchObject([{ searchable: kept!.searchable, indexed: false }]);
    await again.ask("POST", "/api/jobs", { kind: "prepare", corpus: "own-pictures", model: MODEL });
    expect(await again.finish()).toMatchObject({ state: "done", done: 9 });
    const whole = page("whole");
    const [resumed, once] = [await again.neighbors(), await whole.neighbors()];
    expect(resumed.neighbors).toEqual(once.neighbors);
    const image = `own-pictures:${once.neighbors[0]!.id}`;
    const about = { model: MODEL, image, texts: ["a red background"] };
    expect(await again.ask("POST", "/api/explain", about)).toMatchObject({ texts: [{}] });
  });

  it("is forgotten whole", async () => {
    const { ask, corpora } = page("stopped");
    expect(await ask("DELETE", "/api/corpora/own-pictures")).toEqual({ corpora: ["demo"], default: "demo" });
    expect(await corpora()).toEqual([]);
    expect(await readdir(join(folder, "stopped"))).toEqual([]);
  });

  it("that was closed while its pictures were copied leaves nothing", async () => {
    const first = page("half");
    await first.give();
    for (let i = 0; i < 4; i++) await first.step();
    expect(await readdir(join(folder, "half"))).toEqual(["own-pictures"]);
    const again = page("half");
    expect(await again.corpora()).toEqual([]);
    await again.give((await given(pictures)).slice(0, 2));
    await again.finish();
    expect((await readdir(join(folder, "half", "own-pictures", "pictures"))).length).toBeLessThanOrEqual(2);
  });

  it("says what stands in its way", async () => {
    const full = page("full", { room: 1000 });
    await full.give();
    expect((await full.finish()).error).toMatchObject({ code: "STORAGE_FULL" });
    expect(await full.corpora()).toEqual([]);
    const busy = page("busy", { isFree: false });
    await busy.give();
    expect((await busy.finish()).error).toMatchObject({ code: "STORAGE_BUSY" });
    const { give } = page("none");
    expect(await code(give([]))).toBe("NO_IMAGES");
    const list = { ...(await given(pictures))[0]!, path: "list.csv" };
    await expect(give([list])).rejects.toMatchObject({ hint: expect.stringMatching(/read by the command/) });
    const one =
      (await given(pictures)).find(({ path }) => path.endsWith("monkey.png")) ??
      (await given(join(pictures, "first")))[1]!;
    const many = Array.from({ length: 10_001 }, (_, i) => ({ ...one, path: `${i}.png` }));
    expect(await code(give(many))).toBe("PICTURES_TOO_MANY");
  });
});
