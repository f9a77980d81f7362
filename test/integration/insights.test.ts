import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { createModelLoader } from "../../src/model/registry.ts";

const code = { sha256: "of this code" };

const models = createModelLoader();
let scratch: string;
let index: Index;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "insights-"));
  const scenes = fileURLToPath(new URL("../../examples/scenes/", import.meta.url));
  await buildIndex(await models.load(DEFAULT_MODEL), await scanSource(scenes), join(scratch, "index"));
  index = await readIndex(join(scratch, "index"));
}, 120_000);
afterAll(async () => {
  vi.doUnmock("../../src/support/code-version.ts");
  vi.resetModules();
  await models.release();
  await rm(scratch, { recursive: true, force: true });
});

describe("what was measured of heads", () => {
  it("is kept, and survives neither other code nor other facts about the images", async () => {
    // The modules are shared with other test files: this one takes its own.
    vi.resetModules();
    vi.doMock("../../src/support/code-version.ts", () => ({ codeVersion: async () => code.sha256 }));
    const { measureInsights, readInsights } = await import("../../src/server/insights.ts");
    const model = await models.load(DEFAULT_MODEL);
    const measured = await measureInsights(model, index, scratch, {});
    expect(measured.selectivity.origin).toEqual(measured.retrieval.origin);
    expect(await readInsights(model, index, scratch)).toEqual(measured);
    const [first, ...rest] = index.images;
    const images = [{ ...first, factors: { ...first.factors, background: "another" } }, ...rest];
    expect(await readInsights(model, { ...index, images }, scratch)).toBeUndefined();
    code.sha256 = "of newer code";
    expect(await readInsights(model, index, scratch)).toBeUndefined();
    code.sha256 = "of this code";
    expect(await readInsights(model, index, scratch)).toEqual(measured);
  });
});
