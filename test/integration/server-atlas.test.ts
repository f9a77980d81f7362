import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import type { JobView } from "../../src/results/app.ts";
import {
  type AtlasHeadResult,
  type AtlasState,
  atlasHeadResultSchema,
  atlasStateSchema,
  type KnowingHeads,
  knowingHeadsSchema,
} from "../../src/results/atlas.ts";
import { codeOf, post, send, startTestServer, type TestServer } from "../support/app-server.ts";

const query = `model=${DEFAULT_MODEL}&corpus=demo`;
const asked = { model: DEFAULT_MODEL, corpus: "demo" };
let server: TestServer;
const get = (path: string) => send(server.url, path);
const label = (head: string, body: object) =>
  send(server.url, `/api/atlas/heads/${head}/label`, {
    method: "PUT",
    headers: {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(JSON.stringify(body))),
    },
    body: JSON.stringify(body),
  });

/** Waits until no job is under way. */
async function settled(): Promise<JobView[]> {
  for (;;) {
    const { jobs } = (await get("/api/jobs")).json<{ jobs: JobView[] }>();
    if (jobs.length > 0 && jobs.every(({ ended }) => ended !== null)) return jobs;
    await sleep(50);
  }
}

let before: AtlasState;
let early: string;
let state: AtlasState;
let jobs: JobView[];
beforeAll(async () => {
  server = await startTestServer();
  before = (await get(`/api/atlas?${query}`)).json<AtlasState>();
  early = codeOf(await post(server.url, "/api/jobs", { kind: "atlas", ...asked }));
  await post(server.url, "/api/jobs", { kind: "prepare", ...asked });
  jobs = await settled();
  state = atlasStateSchema.parse((await get(`/api/atlas?${query}`)).json());
}, 120_000);
afterAll(() => server.close());

const overview = () => {
  if (state.state !== "ready") throw new Error(state.state);
  return state.atlas;
};

describe("the atlas in the app", () => {
  it("says what is missing before there is a corpus, and no job can make it then", () => {
    expect(before).toEqual({ state: "absent", needs: "corpus", seconds: null, images: null, job: null });
    expect(early).toBe("CORPUS_NOT_READY");
  });

  it("of the embedded model is made with the demo corpus, unasked", () => {
    expect(jobs.map(({ kind, state: ended }) => [kind, ended])).toEqual([
      ["atlas", "done"],
      ["prepare", "done"],
    ]);
    expect(overview().heads).toHaveLength(16);
    expect(server.faults).toEqual([]);
  });

  it("has a page for every head, with the pictures that it names in the corpus", async () => {
    for (const { name } of overview().heads) {
      const answer = await get(`/api/atlas/heads/${name}?${query}`);
      expect(atlasHeadResultSchema.parse(answer.json()).entry.name).toBe(name);
    }
    const page = (await get(`/api/atlas/heads/L3.H1?${query}`)).json<AtlasHeadResult>();
    const [{ id }] = page.pictures;
    expect((await get(`/api/images/demo:${id}/picture?side=64`)).status).toBe(200);
    expect([page.previous?.name, page.next?.name]).toEqual(["L3.H0", "L3.H2"]);
  });

  it.each([
    ["L9.H0", "NOT_FOUND"],
    ["L0.H4", "NOT_FOUND"],
    ["..%2foverview", "REQUEST_INVALID"],
  ])("has no page %s", async (head, code) => {
    expect(codeOf(await get(`/api/atlas/heads/${head}?${query}`))).toBe(code);
  });

  it("says what another corpus would take", async () => {
    const scenes = { model: DEFAULT_MODEL, corpus: "photos" };
    const { id } = (await post(server.url, "/api/jobs", { kind: "prepare", ...scenes })).json<JobView>();
    const of = async () => (await get(`/api/atlas?model=${DEFAULT_MODEL}&corpus=photos`)).json<AtlasState>();
    expect(await of()).toMatchObject({ state: "absent", needs: "corpus", job: id });
    while ((await get(`/api/jobs/${id}`)).json<JobView>().ended === null) await sleep(20);
    const atlas = (await get("/api/jobs")).json<{ jobs: JobView[] }>().jobs[0];
    expect(atlas).toMatchObject({ kind: "atlas", subject: "photos" });
    await send(server.url, `/api/jobs/${atlas.id}`, { method: "DELETE" });
    await settled();
    const absent = await of();
    expect(absent).toMatchObject({ state: "absent", needs: "atlas", images: 8, job: null });
    expect(absent.state === "absent" && absent.seconds).toBeGreaterThan(0);
  });

  it("finds the heads that know a text", async () => {
    const answer = await post(server.url, "/api/atlas/find", { ...asked, text: "a red background" });
    const { heads } = knowingHeadsSchema.parse(answer.json<KnowingHeads>());
    expect(heads).toHaveLength(16);
    expect(["L0.H1", "L1.H0"]).toContain(heads[0].name);
    expect(codeOf(await post(server.url, "/api/atlas/find", { ...asked, text: " " }))).toBe(
      "REQUEST_INVALID",
    );
  });

  it("shows labels that are given in it, with who gave them, until they are taken away", async () => {
    const given = await label("L1.H0", { model: DEFAULT_MODEL, label: " backdrops ", by: "Ada" });
    expect(given.json()).toMatchObject({
      head: { name: "L1.H0" },
      label: { label: "backdrops", kind: "manual", by: "Ada", ccs: null },
    });
    await Promise.all(
      ["L0.H1", "L3.H1"].map((head) => label(head, { model: DEFAULT_MODEL, label: `of ${head}` })),
    );
    const { heads } = (await get(`/api/labels?model=${DEFAULT_MODEL}`)).json<{
      heads: { name: string; label: { label: string } }[];
    }>();
    expect(heads.map((head) => `${head.name} ${head.label.label}`).sort()).toEqual([
      "L0.H1 of L0.H1",
      "L1.H0 backdrops",
      "L3.H1 of L3.H1",
    ]);
    const page = (await get(`/api/atlas/heads/L1.H0?${query}`)).json<AtlasHeadResult>();
    expect(page.entry.label?.label).toBe("backdrops");
    // What heads are called can be searched by.
    const { properties } = (await get(`/api/properties?${query}`)).json<{
      properties: { name: string; heads: { name: string }[] }[];
    }>();
    expect(properties.find(({ name }) => name === "backdrops")?.heads.map(({ name }) => name)).toEqual([
      "L1.H0",
    ]);
    const near = (heads: string) =>
      post(server.url, "/api/neighbors", { ...asked, heads, query: { text: "a red background" } });
    const { neighbors } = (await near("backdrops")).json<{ neighbors: unknown[] }>();
    expect(neighbors).toEqual((await near("L1.H0")).json<{ neighbors: unknown[] }>().neighbors);
    expect((await label("L1.H0", { model: DEFAULT_MODEL, label: "" })).json()).toMatchObject({
      label: null,
    });
    expect(codeOf(await near("backdrops"))).toBe("HEADS_INVALID");
    expect((await get(`/api/atlas/heads/L1.H0?${query}`)).json()).toMatchObject({
      entry: { label: null },
    });
    const after = (await get(`/api/atlas?${query}`)).json<AtlasState>();
    const named = after.state === "ready" ? after.atlas.heads.filter((head) => head.label) : [];
    expect(named.map(({ name }) => name)).toEqual(["L0.H1", "L3.H1"]);
  });

  it.each([
    ["too long a label", { label: "x".repeat(81) }, "L1.H0", "REQUEST_INVALID"],
    ["a head that is not there", { label: "x" }, "L7.H0", "NOT_FOUND"],
    ["a model that is a folder", { label: "x", model: "/etc" }, "L1.H0", "MODEL_NOT_FOUND"],
  ])("takes no label for %s", async (_what, body, head, code) => {
    expect(codeOf(await label(head, { model: DEFAULT_MODEL, ...body }))).toBe(code);
  });
});
