import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { allHeads, parseComponents } from "../../src/model/components.ts";
import { decomposeImages } from "../../src/model/decompose-images.ts";
import { prepareProbe } from "../../src/model/head-space.ts";
import { scoreImages } from "../../src/model/kernel.ts";
import { unitProbe } from "../../src/model/probe.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { type imageSchema, jobSchema } from "../../src/results/app.ts";
import { explainResultSchema } from "../../src/results/explain.ts";
import { neighborsResultSchema } from "../../src/results/neighbors.ts";
import { segmentResultSchema } from "../../src/results/segment.ts";
import { repositoryPath } from "../e2e/cli.ts";
import { codeOf, post, send, startTestServer, type TestServer } from "../support/app-server.ts";

/*
 * Two models of one shape, so that one's numbers would fit wherever the other's belong.
 */

const [ONE, OTHER] = ["emoji-4x128-p16", "emoji-4x128-p16-s2"];
const SCENES = repositoryPath("examples/scenes/images");
const TEXTS = ["a monkey", "a purple background"];
const models = createModelLoader();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ served: [ONE] });
});
afterAll(async () => {
  await server.close();
  await models.release();
});

async function upload(path: string, url = server.url): Promise<string> {
  const answer = await send(url, "/api/images", {
    ...{ method: "POST", headers: { "content-type": "application/octet-stream" } },
    body: await readFile(path),
  });
  return answer.json<z.infer<typeof imageSchema>>().image;
}

const explain = async (model: string, image: string, url = server.url) =>
  explainResultSchema.parse((await post(url, "/api/explain", { model, image, texts: TEXTS })).json());

const segment = async (model: string, image: string) =>
  segmentResultSchema.parse(
    (
      await post(server.url, "/api/segment", { model, image, texts: TEXTS, heads: "all", mode: "topic" })
    ).json(),
  );

/** What a model says without a server. */
async function direct(name: string, path: string) {
  const model = await models.load(name);
  const { texts, sumError } = await explainImage(model, path, TEXTS);
  const maps = (await segmentImage(model, path, TEXTS, { set: allHeads(model.geometry) })).texts;
  return { texts, sumError, maps: maps.map(({ values }) => values.flat()) };
}

describe("two models on one server", () => {
  it.each([
    ["one after the other", "0067-monkey.png", [ONE, OTHER]],
    ["the other way round", "0030-frog.png", [OTHER, ONE]],
  ])("answer each for itself, asked %s", async (_, file, order) => {
    const path = join(SCENES, file);
    const image = await upload(path);
    const own = await Promise.all(order.map((name) => direct(name, path)));
    expect(own[0].texts).not.toEqual(own[1].texts);
    expect(own[0].maps).not.toEqual(own[1].maps);
    // The second round is answered from what is kept.
    for (const round of [1, 2]) {
      const runs = server.runs.images;
      for (const [i, model] of order.entries()) {
        const { texts, sumError, origin } = await explain(model, image);
        expect(origin.model.name).toBe(model);
        expect({ texts, sumError }).toEqual({ texts: own[i].texts, sumError: own[i].sumError });
        const { texts: maps } = await segment(model, image);
        expect(maps.map(({ values }) => values.flat())).toEqual(own[i].maps);
      }
      expect(server.runs.images - runs).toBe(round === 1 ? 2 : 0);
    }
  });

  it("answer each for itself when they are asked at the same moment", async () => {
    const path = join(SCENES, "0097-car.png");
    const image = await upload(path);
    const answers = await Promise.all([ONE, OTHER, ONE, OTHER].map((model) => explain(model, image)));
    const own = await Promise.all([ONE, OTHER].map((name) => direct(name, path)));
    for (const [i, { texts }] of answers.entries()) expect(texts).toEqual(own[i % 2].texts);
  });

  it("search a corpus each with its own numbers", async () => {
    const query = { text: TEXTS[0] };
    for (const name of [ONE, OTHER]) await prepare(name);
    const found = async (model: string) => {
      const asked = { model, corpus: "scenes", query, heads: "L3", k: 4 };
      return neighborsResultSchema.parse((await post(server.url, "/api/neighbors", asked)).json());
    };
    const answers = [await found(ONE), await found(OTHER)];
    expect(answers[0].neighbors).not.toEqual(answers[1].neighbors);
    for (const [i, name] of [ONE, OTHER].entries()) {
      const model = await models.load(name);
      const set = parseComponents("L3", model.geometry);
      const probe = prepareProbe(model.geometry, unitProbe(await model.encodeTexts([TEXTS[0]])));
      const files = answers[i].neighbors.map(({ path }) => join(SCENES, "..", path));
      for await (const { decomposition } of decomposeImages(model, files)) {
        const own = scoreImages(model.geometry, probe, decomposition!, set);
        // The index is kept in float16.
        for (const [at, { score }] of answers[i].neighbors.entries())
          expect(Math.abs(score - own[at])).toBeLessThan(1e-3);
      }
    }
  });
});

/** Indexes the example scenes with a model, as a page would have it done. */
async function prepare(model: string): Promise<void> {
  const started = await post(server.url, "/api/jobs", { kind: "prepare", corpus: "scenes", model });
  let job = jobSchema.parse(started.json());
  while (["queued", "running"].includes(job.state)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    job = jobSchema.parse((await send(server.url, `/api/jobs/${job.id}`)).json());
  }
  expect(job).toMatchObject({ state: "done", error: null });
}

describe("a model in a folder", () => {
  let parent: string;
  let folder: string;
  let served: TestServer;
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), "named-alike-"));
    folder = join(parent, ONE);
    await cp(repositoryPath(`models/${OTHER}`), folder, { recursive: true });
    served = await startTestServer({ served: [folder] });
  });
  afterAll(async () => {
    await served.close();
    await rm(parent, { recursive: true });
  });
  const appOf = async (url: string) => (await send(url, "/api/app")).json<{ defaultModel: string }>();
  const listOf = async (url: string) =>
    (await send(url, "/api/models")).json<{ models: { name: string; present: boolean; folder: null }[] }>()
      .models;

  it("has an id that the page can ask for, which stands in the list and says no path", async () => {
    const { defaultModel: id } = await appOf(served.url);
    expect(id).toMatch(new RegExp(`^${ONE}-[0-9a-f]{8}$`));
    const detail = (await send(served.url, `/api/model?name=${encodeURIComponent(id)}`)).json();
    expect(detail).toMatchObject({ name: id, embedded: false, layers: 4 });
    const list = await listOf(served.url);
    expect(list[0]).toMatchObject({ name: id, source: "folder", present: true, folder: null, layers: 4 });
    expect(JSON.stringify([list, detail])).not.toContain(parent);
  });

  it("is answered for with its own weights, and an embedded one of its name with its own", async () => {
    const { defaultModel: id } = await appOf(served.url);
    const path = join(SCENES, "0030-frog.png");
    const image = await upload(path, served.url);
    const own = { [id]: folder, [ONE]: ONE };
    for (const model of [id, ONE, id]) {
      const { texts, origin } = await explain(model, image, served.url);
      expect(texts).toEqual((await direct(own[model], path)).texts);
      expect(origin.model.weights).toBe(await (await models.load(own[model])).weightsHash());
    }
    expect((await direct(folder, path)).texts).not.toEqual((await direct(ONE, path)).texts);
  });

  it("cannot be asked for by a path", async () => {
    for (const name of [folder, `${folder}/`, "/", "..", `models/${OTHER}`, "__proto__", ""]) {
      const answer = await send(served.url, `/api/model?name=${encodeURIComponent(name)}`);
      expect([name, answer.status >= 400, codeOf(answer)]).toEqual([name, true, "MODEL_NOT_FOUND"]);
    }
  });

  it("has the same id after a restart, elsewhere too, and another for other weights", async () => {
    const moved = join(parent, "moved", ONE);
    await cp(folder, moved, { recursive: true });
    const odd = join(parent, "my clip #2 (né)");
    await cp(repositoryPath(`models/${ONE}`), odd, { recursive: true });
    const again = await startTestServer({ served: [moved, odd, "emoji-4x128-p8"] });
    try {
      const [first, second] = await listOf(again.url);
      expect(first.name).toBe((await appOf(served.url)).defaultModel);
      expect((await appOf(again.url)).defaultModel).toBe(first.name);
      expect(second.name).toMatch(/^my-clip-2-n-[0-9a-f]{8}$/);
      const image = await upload(join(SCENES, "0030-frog.png"), again.url);
      expect((await explain(second.name, image, again.url)).origin.model.name).toBe("my clip #2 (né)");
    } finally {
      await again.close();
    }
  });
});

describe("a server that is started with what is not there", () => {
  const refusal = (options: Parameters<typeof startTestServer>[0]) =>
    startTestServer({ port: 1, ...options }).then(
      () => "it started",
      (error) => error.code,
    );

  it("does not start", async () => {
    const folder = await mkdtemp(join(tmpdir(), "not-there-"));
    const labels = async (text: object) => {
      const path = join(folder, "labels.json");
      await writeFile(path, JSON.stringify(text));
      return path;
    };
    expect(await refusal({ served: ["nosuch"] })).toBe("MODEL_NOT_FOUND");
    expect(await refusal({ served: [ONE, join(folder, "nosuch")] })).toBe("MODEL_NOT_FOUND");
    expect(await refusal({ labels: join(folder, "nosuch.json") })).toBe("INPUT_NOT_FOUND");
    expect(await refusal({ labels: await labels({ heads: { "L3.H1": "" } }) })).toBe("JSON_INVALID");
    for (const other of [
      { model: OTHER, heads: { "L3.H1": "colour" } },
      { models: { [OTHER]: { heads: { "L3.H1": "colour" } } } },
      { colour: ["L9.H1"] },
    ]) {
      expect(await refusal({ served: [ONE], labels: await labels(other) })).toBe("LABELS_MISSING");
    }
    // Where all is well it is the port that cannot be had.
    const own = await labels({ model: ONE, heads: { "L3.H1": "colour" } });
    expect(await refusal({ served: [ONE], labels: own, host: "203.0.113.1", token: "x".repeat(16) })).toBe(
      "ADDRESS_UNUSABLE",
    );
    await rm(folder, { recursive: true });
  });
});
