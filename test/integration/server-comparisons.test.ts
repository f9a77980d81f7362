import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareModels } from "../../src/analysis/compare/compare.ts";
import { readIndex } from "../../src/corpus/open-index.ts";
import { allHeads } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import type { ComparisonState, JobView } from "../../src/results/app.ts";
import { compareResultSchema } from "../../src/results/compare.ts";
import { codeOf, post, send, startTestServer, type TestServer } from "../support/app-server.ts";

const OTHER = "emoji-6x192-p8";

describe("two models compared in the app", () => {
  let server: TestServer;
  const models = createModelLoader();
  beforeAll(async () => {
    server = await startTestServer({}, 48);
  });
  afterAll(async () => {
    await server?.close();
    await models.release();
  });

  const asked = { model: DEFAULT_MODEL, other: OTHER, corpus: "demo" };
  const stateOf = (change: Record<string, string> = {}) =>
    send(server.url, `/api/comparison?${new URLSearchParams({ ...asked, ...change })}`);
  const done = async (change: Record<string, string> = {}) => {
    const { id } = (
      await post(server.url, "/api/jobs", { kind: "compare", ...asked, ...change })
    ).json<JobView>();
    for (;;) {
      const job = (await send(server.url, `/api/jobs/${id}`)).json<JobView>();
      if (job.ended !== null) return job;
      await new Promise((go) => setTimeout(go, 100));
    }
  };
  const reports = async () =>
    (await send(server.url, "/api/app")).json<{ reports: { id: string; title: string }[] }>().reports;

  it("says what it takes, indexes what is missing, finds what `compare` finds, and keeps the report", async () => {
    const before = (await stateOf()).json<ComparisonState>();
    expect(before).toMatchObject({ state: "absent", images: 96, job: null });
    expect(await reports()).toEqual([]);
    expect(await done()).toMatchObject({ state: "done", kind: "compare", subject: "demo" });
    const after = (await stateOf()).json<{ state: string; report: string }>();
    expect(after.state).toBe("ready");
    expect((await reports()).map(({ id }) => id)).toEqual([after.report]);
    const page = await send(server.url, `/api/reports/${after.report}`);
    expect(page.body.toString()).toContain("Pairs that are each other’s best match");
    expect(String(page.headers["content-security-policy"])).toContain("sandbox");

    const folder = join(server.cache, "app");
    const kept = await readFile(join(folder, "comparisons", `${after.report}.json`), "utf8");
    const found = compareResultSchema.parse(JSON.parse(kept));
    const indexes = await readdir(join(folder, "indexes"));
    const sides = await Promise.all(
      [DEFAULT_MODEL, OTHER].map(async (name) => {
        const model = await models.load(name);
        const weights = (await model.weightsHash()).slice(0, 12);
        const index = await readIndex(join(folder, "indexes", indexes.find((one) => one.includes(weights))!));
        return {
          model,
          index: { ...index, name: "demo" },
          components: { name: "all", set: allHeads(model.geometry) },
        };
      }),
    );
    expect(found).toEqual(await compareModels(sides[0], sides[1]));
    expect(found.pairs.length).toBeGreaterThan(0);
  });

  it("compares weights where one is the other's base, and says where it cannot", async () => {
    const before = (await stateOf({ by: "weights" })).json<ComparisonState>();
    expect(before).toMatchObject({ state: "absent", images: null, job: null });
    const job = await done({ by: "weights" });
    expect(job).toMatchObject({ state: "failed", error: { code: "MODELS_DIFFER" } });
    expect(codeOf(await stateOf({ other: DEFAULT_MODEL }))).toBe("REQUEST_INVALID");
    expect(codeOf(await stateOf({ corpus: "photos" }))).toBe("IMAGES_DIFFER");
    expect(codeOf(await stateOf({ other: "nosuch" }))).toBe("MODEL_NOT_FOUND");
    expect(codeOf(await stateOf({ corpus: "nosuch" }))).toBe("NOT_FOUND");
  });
});
