import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { describeFromWeights } from "../../src/analysis/from-weights/from-weights.ts";
import { segmentImage } from "../../src/analysis/segmentation/segmentation.ts";
import { explainWords } from "../../src/analysis/words/words.ts";
import { allHeads, parseComponents, parseHeads } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import {
  corpusImagesSchema,
  type imageSchema,
  insightsSchema,
  jobSchema,
  jobsSchema,
  meansSchema,
  propertiesSchema,
  tokensSchema,
  withoutSchema,
} from "../../src/results/app.ts";
import { explainResultSchema } from "../../src/results/explain.ts";
import { fineTuneResultSchema } from "../../src/results/fine-tune.ts";
import { fromWeightsResultSchema } from "../../src/results/from-weights.ts";
import { modelsResultSchema } from "../../src/results/models.ts";
import { neighborsResultSchema } from "../../src/results/neighbors.ts";
import { segmentResultSchema } from "../../src/results/segment.ts";
import { wordsResultSchema } from "../../src/results/words.ts";
import { defaultPool, loadPool } from "../../src/text/pool.ts";
import { codeOf, post, send, startTestServer, type TestServer } from "../support/app-server.ts";

const SCENES = fileURLToPath(new URL("../../examples/scenes/", import.meta.url));
const MONKEY = join(SCENES, "images/0067-monkey.png");
const model = DEFAULT_MODEL;
const models = createModelLoader();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
  await models.release();
});

/** Uploads an example scene; its reference. */
async function upload(path: string): Promise<string> {
  const body = await readFile(path);
  const answer = await send(server.url, "/api/images", {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body,
  });
  expect(answer.status).toBe(200);
  return answer.json<z.infer<typeof imageSchema>>().image;
}

const tokensOf = (base64: string) => new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);

/** Waits until a job has ended. */
async function ended(id: string): Promise<z.infer<typeof jobSchema>> {
  for (;;) {
    const job = jobSchema.parse((await send(server.url, `/api/jobs/${id}`)).json());
    if (!["queued", "running"].includes(job.state)) return job;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Stops the atlas that the embedded model is given after a corpus: `server-atlas.test.ts` looks at one, nothing here does. */
async function stopAtlas(): Promise<void> {
  const { jobs } = jobsSchema.parse((await send(server.url, "/api/jobs")).json());
  for (const { id } of jobs.filter((job) => job.kind === "atlas" && job.ended === null))
    await send(server.url, `/api/jobs/${id}`, { method: "DELETE" });
}

describe("from weights", () => {
  it("heads and a fine-tune answer as the analyses do; MLPs are refused", async () => {
    const loaded = await models.load(model);
    const asked = { model, heads: "L3.H1", directions: 2, texts: 3, draws: 5 };
    const answer = await post(server.url, "/api/from-weights", asked);
    const expected = await describeFromWeights(loaded, await loadPool(defaultPool(model)), {
      ...{ set: parseHeads(loaded, "L3.H1"), directions: 2, texts: 3, draws: 5, coherence: 0.3, seed: 0 },
    });
    expect(fromWeightsResultSchema.parse(answer.json())).toEqual(JSON.parse(JSON.stringify(expected)));
    const same = await post(server.url, "/api/fine-tune", { model, base: model, heads: "L3" });
    const { changed, heads, base } = fineTuneResultSchema.parse(same.json());
    expect([changed, heads.length, base.name]).toEqual([0, 4, model]);
    const mlp = await post(server.url, "/api/from-weights", { model, heads: "L3.MLP" });
    expect(codeOf(mlp)).toBe("HEADS_INVALID");
    const strange = await post(server.url, "/api/fine-tune", { model, base: "/etc/passwd" });
    expect(codeOf(strange)).toBe("MODEL_NOT_FOUND");
  });
});

describe("the server's analyses", () => {
  it("explain an image as the command does, to the last bit", async () => {
    const image = await upload(MONKEY);
    const texts = ["a monkey at the top", "a palm tree"];
    const answer = explainResultSchema.parse(
      (await post(server.url, "/api/explain", { model, image, texts })).json(),
    );
    const { image: named } = answer.origin;
    expect(named.name).toBe(image);
    expect(answer).toEqual(await explainImage(await models.load(model), MONKEY, texts, { image: named }));
    for (const { sum, similarity, error } of answer.texts) {
      expect(error).toBe(Math.abs(sum - similarity));
      expect(error).toBeLessThan(1e-5);
    }
  });

  it("say which word looks where as the command does, to the last bit, at once when the picture was seen", async () => {
    const image = await upload(MONKEY);
    const text = "a monkey on a purple background";
    const ask = (more: object) => post(server.url, "/api/words", { model, image, text, ...more });
    const answer = wordsResultSchema.parse((await ask({ pairs: 3 })).json());
    const one = await models.load(model);
    const named = { image: answer.origin.image };
    const all = { written: "all", writtenText: "all" };
    expect(answer).toEqual(await explainWords(one, MONKEY, text, { ...all, ...named, pairs: 3 }));
    expect(answer.error).toBeLessThan(1e-6);
    const some = wordsResultSchema.parse((await ask({ heads: "L3.H1", textHeads: "T2" })).json());
    const [set, textSet] = [
      parseComponents("L3.H1", one.geometry),
      parseComponents("L2", await one.textGeometry()),
    ];
    const sets = { set, textSet, written: "L3.H1", writtenText: "T2" };
    expect(some).toEqual(await explainWords(one, MONKEY, text, { ...sets, ...named }));
    expect(codeOf(await ask({ textHeads: "L3.H1" }))).toBe("HEADS_INVALID");
    expect(codeOf(await ask({ text: " " }))).toBe("REQUEST_INVALID");
    expect(codeOf(await ask({ pairs: 1e6 }))).toBe("REQUEST_INVALID");
  });

  it("say which texts are cut off, with the number of tokens that are read, as the commands do", async () => {
    const image = await upload(MONKEY);
    const long = `a monkey ${"and a palm tree ".repeat(40)}`.trim();
    const cut = [{ text: long, tokens: 32 }];
    const ask = async (path: string, more: object) =>
      (await post(server.url, path, { model, image, ...more })).json();
    // The second time from what is kept.
    for (const _ of [1, 2]) {
      const explained = explainResultSchema.parse(
        await ask("/api/explain", { texts: [long, "a monkey", long] }),
      );
      expect(explained.truncated).toEqual(cut);
    }
    const maps = { heads: "all", mode: "topic" };
    expect(await ask("/api/segment", { texts: ["a monkey", long], ...maps })).toMatchObject({
      truncated: cut,
    });
    expect(await ask("/api/tokens", { text: "a monkey", against: [long] })).toMatchObject({ truncated: cut });
    expect(await ask("/api/explain", { texts: ["a monkey"] })).not.toHaveProperty("truncated");
    const direct = await explainImage(await models.load(model), MONKEY, [long]);
    expect(direct.truncated).toEqual(cut);
  });

  it("segment as the command does, and give every head's tokens, whose sums are the maps and the contributions", async () => {
    const image = await upload(MONKEY);
    const texts = ["a monkey", "a purple background", "a palm tree"];
    for (const mode of ["topic", "contrast"] as const) {
      const scale = mode === "topic" ? "own" : "common";
      const request = { model, image, texts, heads: "L2-L3,L0.H1*0.5", mode, scale };
      const answer = segmentResultSchema.parse((await post(server.url, "/api/segment", request)).json());
      const loaded = await models.load(model);
      const set = parseComponents(request.heads, loaded.geometry);
      const { origin } = answer;
      expect(origin.image.name).toBe(image);
      const asked = { set, mode, scale, written: request.heads, image: origin.image } as const;
      expect(answer).toEqual(await segmentImage(loaded, MONKEY, texts, asked));
    }
    const tokens = tokensSchema.parse(
      (await post(server.url, "/api/tokens", { model, image, text: "a monkey" })).json(),
    );
    const explained = explainResultSchema.parse(
      (await post(server.url, "/api/explain", { model, image, texts: ["a monkey"] })).json(),
    );
    const values = tokensOf(tokens.values);
    const n = 1 + tokens.grid.rows * tokens.grid.columns;
    expect(values.length).toBe(tokens.layers * tokens.heads * n);
    for (const [i, { value }] of explained.texts[0].heads.entries()) {
      const sum = values.subarray(i * n, (i + 1) * n).reduce((total, one) => total + one, 0);
      expect(sum).toBeCloseTo(value, 5);
    }
    const all = await segmentImage(await models.load(model), MONKEY, ["a monkey"], {
      set: allHeads(tokens),
    });
    for (let patch = 0; patch < n - 1; patch++) {
      let sum = 0;
      for (let i = 0; i < tokens.layers * tokens.heads; i++) sum += values[i * n + 1 + patch];
      expect(sum).toBeCloseTo(all.texts[0].values.flat()[patch], 6);
    }
  });

  it("encode an image once and a text once, whatever is asked of them", async () => {
    const image = await upload(join(SCENES, "images/0030-frog.png"));
    const ask = (path: string, more: object) => post(server.url, path, { model, image, ...more });
    await ask("/api/explain", { texts: ["a frog", "a car"] });
    const before = { ...server.runs };
    const answered = async (path: string, more: object) => expect((await ask(path, more)).status).toBe(200);
    for (let i = 0; i < 10; i++) {
      await answered("/api/explain", { texts: ["a car", "a frog"] });
      await answered("/api/tokens", { text: "a frog", against: ["a car"] });
      await answered("/api/segment", { texts: ["a frog", "a car"], heads: `L${i % 4}`, mode: "topic" });
    }
    expect(server.runs).toEqual(before);
    await answered("/api/explain", { texts: ["a frog", "a green thing"] });
    expect(server.runs).toEqual({ images: before.images, texts: before.texts + 1 });
    // The same bytes under another name are the same image.
    const images = corpusImagesSchema.parse(
      (await send(server.url, "/api/corpora/scenes/images")).json(),
    ).images;
    const frog = images.find(({ path }) => path.endsWith("0030-frog.png"))!;
    await post(server.url, "/api/explain", { model, image: frog.image, texts: ["a frog"] });
    expect(server.runs.images).toBe(before.images);
  });

  it("stop working for who has left", async () => {
    const images = corpusImagesSchema
      .parse((await send(server.url, "/api/corpora/scenes/images")).json())
      .images.slice(-16);
    const before = server.runs.images;
    const leaving = new AbortController();
    const asked = images.map(({ image }) =>
      fetch(`${server.url}/api/explain`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, image, texts: ["a thing"] }),
        signal: leaving.signal,
      }),
    );
    await Promise.race(asked);
    leaving.abort();
    await Promise.allSettled(asked);
    // Who comes next does not wait for what nobody wants any more.
    const { status } = await post(server.url, "/api/explain", {
      ...{ model, image: images[0].image, texts: ["a thing"] },
    });
    expect(status).toBe(200);
    expect(server.runs.images - before).toBeLessThan(16);
    expect(server.faults).toEqual([]);
  });

  it("one run serves two who ask for the same new image at the same time", async () => {
    const image = await upload(join(SCENES, "images/0097-car.png"));
    const before = server.runs.images;
    const answers = await Promise.all(
      ["a", "b"].map((client) =>
        post(server.url, "/api/explain", { model, image, texts: ["a car"] }, { "x-client": client }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(server.runs.images).toBe(before + 1);
  });

  it("make the demo corpus on first use, in a job that everyone sees, and then find neighbours", async () => {
    const images = corpusImagesSchema.parse(
      (await send(server.url, "/api/corpora/scenes/images")).json(),
    ).images;
    const query = { image: images[0].image };
    const request = { model, corpus: "demo", query, heads: "L0.H1", k: 4 };
    expect(codeOf(await post(server.url, "/api/neighbors", request))).toBe("CORPUS_NOT_READY");
    const start = () => post(server.url, "/api/jobs", { kind: "prepare", corpus: "demo", model });
    const [first, second] = await Promise.all([start(), start()]);
    const job = jobSchema.parse(first.json());
    expect(second.json<{ id: string }>().id).toBe(job.id);
    expect(await ended(job.id)).toMatchObject({ state: "done", error: null });
    await stopAtlas();
    const found = neighborsResultSchema.parse((await post(server.url, "/api/neighbors", request)).json());
    expect(found).toMatchObject({
      // The example scenes are the first of the demo's: the query itself is left out.
      ...{ searched: 47, excluded: 1 },
      origin: { index: { name: "demo", images: 48 } },
      components: { set: "L0.H1", heads: [{ layer: 0, head: 1, name: "L0.H1", weight: 1 }] },
    });
    expect([found.neighbors, found.least, found.random].map((list) => list.length)).toEqual([4, 4, 4]);
    expect(found.neighbors[0].score).toBeGreaterThan(found.least[0].score);

    const where = `model=${encodeURIComponent(model)}&corpus=demo`;
    const insights = insightsSchema.parse((await send(server.url, `/api/insights?${where}`)).json());
    expect(insights.selectivity.heads).toHaveLength(16);
    const { properties } = propertiesSchema.parse(
      (await send(server.url, `/api/properties?${where}`)).json(),
    );
    const background = properties.find(({ name }) => name === "background")!;
    expect(background).toMatchObject({ source: "factor" });
    // A property's name is a set of heads.
    const named = await post(server.url, "/api/neighbors", {
      ...{ model, corpus: "demo", query: { text: "a red background" }, heads: "background", scoring: "z" },
    });
    const { components } = neighborsResultSchema.parse(named.json());
    const names = (heads: readonly { name: string }[]) => heads.map(({ name }) => name).sort();
    expect(names(components.heads)).toEqual(names(background.heads));
    expect(components.set).toBe("background");
  });

  it("say how the average picture scores, and an image without some heads beside as many random ones", async () => {
    const job = { kind: "prepare", corpus: "scenes", model };
    const { id } = (await post(server.url, "/api/jobs", job)).json<{ id: string }>();
    expect((await ended(id)).state).toBe("done");
    await stopAtlas();
    const texts = ["a monkey", "a red backdrop"];
    const means = meansSchema.parse(
      (await post(server.url, "/api/means", { model, corpus: "scenes", texts })).json(),
    );
    expect(means.origin.index).toMatchObject({ name: "scenes", images: 24 });
    // Each image by itself is another way to the same means.
    const loaded = await models.load(model);
    const files = (await readdir(join(SCENES, "images"))).filter((name) => name.endsWith(".png"));
    const all = await Promise.all(
      files.map((name) => explainImage(loaded, join(SCENES, "images", name), texts)),
    );
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const [t, one] of means.texts.entries()) {
      expect(one.similarity).toBeCloseTo(mean(all.map((image) => image.texts[t].similarity)), 4);
      for (const [unit, head] of one.heads.entries())
        expect(head.value).toBeCloseTo(mean(all.map((image) => image.texts[t].heads[unit].value)), 4);
    }

    const image = await upload(MONKEY);
    const asked = { model, image, texts, corpus: "scenes" };
    const { texts: whole } = await explainImage(loaded, MONKEY, texts);
    const effect = (t: number, unit: number, replacement: string) =>
      whole[t].heads[unit].value - (replacement === "mean" ? means.texts[t].heads[unit].value : 0);
    for (const replacement of ["mean", "zero"]) {
      const heads = "L0.H1*0.5,L2.H3*-1";
      const answer = withoutSchema.parse(
        (await post(server.url, "/api/without", { ...asked, heads, replacement })).json(),
      );
      expect(answer.over).toEqual(replacement === "mean" ? { corpus: "scenes", images: 24 } : null);
      for (const [t, one] of answer.texts.entries()) {
        const taken = 0.5 * effect(t, 1, replacement) - effect(t, 2 * 4 + 3, replacement);
        expect(one.similarity).toBeCloseTo(whole[t].similarity, 6);
        expect(one.without).toBeCloseTo(whole[t].similarity - taken, 6);
        expect(one.random).toMatchObject({ draws: 120 - 1, exhaustive: true });
      }
      // Of single heads all others are drawn, which can be counted here.
      const single = withoutSchema.parse(
        (await post(server.url, "/api/without", { ...asked, heads: "L1.H0", replacement })).json(),
      );
      const others = Array.from({ length: 16 }, (_, unit) => unit).filter((unit) => unit !== 4);
      for (const [t, { random }] of single.texts.entries()) {
        const scores = others.map((unit) => whole[t].similarity - effect(t, unit, replacement));
        expect(random?.draws).toBe(15);
        expect(random?.mean).toBeCloseTo(mean(scores), 6);
      }
    }
    const refused = await post(server.url, "/api/without", { ...asked, heads: "L1.MLP" });
    expect([refused.status, codeOf(refused)]).toEqual([400, "HEADS_INVALID"]);
    const unready = await post(server.url, "/api/means", { model, corpus: "photos", texts });
    expect(codeOf(unready)).toBe("CORPUS_NOT_READY");
  });

  it("give back an image's own file, to be saved and never shown", async () => {
    const image = await upload(MONKEY);
    const answer = await send(server.url, `/api/images/${image}/file`);
    expect(answer.body.equals(await readFile(MONKEY))).toBe(true);
    expect(answer.headers).toMatchObject({
      "content-disposition": "attachment",
      "content-type": "application/octet-stream",
      "x-content-type-options": "nosniff",
    });
  });

  it("describe themselves: OpenAPI, and every model that can be named", async () => {
    const { openapi, paths } = (await send(server.url, "/api/openapi.json")).json<{
      openapi: string;
      paths: Record<string, Record<string, { responses: object }>>;
    }>();
    expect(openapi).toBe("3.1.0");
    const named = ["/api/explain", "/api/segment", "/api/tokens", "/api/neighbors", "/api/jobs/events"];
    expect(Object.keys(paths)).toEqual(expect.arrayContaining([...named, "/api/images/{image}"]));
    expect(paths["/api/explain"].post.responses).toHaveProperty("200.content.application/json.schema");
    const listed = modelsResultSchema.parse((await send(server.url, "/api/models")).json());
    expect(listed.models.map(({ name }) => name)).toEqual(expect.arrayContaining([model, "ViT-B-32/openai"]));
    // Where they lie on the server's disk is nobody's business.
    expect(listed.models.every(({ folder }) => folder === null)).toBe(true);
  });
});
