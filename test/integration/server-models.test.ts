import { cp, mkdtemp, readFile } from "node:fs/promises";
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
import { post, send, startTestServer, type TestServer } from "../support/app-server.ts";

/*
 * Two models of one shape, so that one's numbers would fit wherever the other's belong.
 */

const [ONE, OTHER] = ["emoji-4x128-p16", "emoji-4x128-p16-s2"];
const SCENES = repositoryPath("examples/scenes/images");
const TEXTS = ["a monkey", "a purple background"];
const models = createModelLoader();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ defaultModel: ONE });
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

describe("a folder that has the name of another model", () => {
  it("is answered for with its own weights, and the other with its own", async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "named-alike-")), ONE);
    await cp(repositoryPath(`models/${OTHER}`), folder, { recursive: true });
    const served = await startTestServer({ defaultModel: folder });
    try {
      const path = join(SCENES, "0030-frog.png");
      const image = await upload(path, served.url);
      const own = { [folder]: await direct(OTHER, path), [ONE]: await direct(ONE, path) };
      for (const model of [folder, ONE, folder]) {
        const { texts, origin } = await explain(model, image, served.url);
        expect(texts).toEqual(own[model].texts);
        expect(origin.model.weights).toBe(await (await models.load(model)).weightsHash());
      }
    } finally {
      await served.close();
    }
  });
});
