import { cpSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import type { StudySettings } from "../../src/results/study.ts";
import { measureModel } from "../../src/study/measure-model.ts";
import { createSteps, type Steps } from "../../src/study/steps.ts";
import { hashPool } from "../../src/text/pool.ts";
import { repositoryPath } from "../e2e/cli.ts";

/*
 * A study that is run again takes a kept step only where the step would give the same: each setting makes anew what
 * follows from it, and nothing else.
 */

const scratch = mkdtempSync(join(tmpdir(), "study-steps-"));
const models = createModelLoader({ threads: 1 });
let index: Index & { readonly name: string };
beforeAll(async () => {
  const model = await models.load("emoji-4x128-p16");
  await buildIndex(model, await scanSource(repositoryPath("examples/scenes")), join(scratch, "index"));
  index = { ...(await readIndex(join(scratch, "index"))), name: "scenes" };
});
afterAll(async () => {
  await models.release();
  rmSync(scratch, { recursive: true });
});

const tagged = (property: string, texts: readonly string[]) => texts.map((text) => ({ text, property }));
const poolOf = (texts: readonly { text: string; property: string }[]) => ({
  ...{ name: "own", hash: hashPool(texts), texts },
});
const POOL = poolOf([
  ...tagged("background", ["a red background", "a blue background", "a green background"]),
  ...tagged("group", ["an animal", "a plant", "a vehicle", "a tool"]),
]);
const SETTINGS: StudySettings = {
  ...{ heads: "L3", iterations: 5, blocks: 8, resamples: 2, draws: 2, permutations: 3, seed: 0 },
};

interface Inputs extends Partial<StudySettings> {
  readonly code?: string;
  readonly pool?: typeof POOL;
  readonly threads?: number;
}

/** Runs the study over what is kept; the steps that were computed, and the result. */
async function study({ code = "code", pool = POOL, threads = 1, ...settings }: Inputs = {}) {
  const computed: string[] = [];
  const kept = createSteps(join(scratch, "steps"));
  const steps: Steps = {
    run: (model, step, key, compute) =>
      kept.run(model, step, key, () => {
        computed.push(step);
        return compute();
      }),
  };
  const model = await models.load("emoji-4x128-p16");
  const result = await measureModel({
    ...{ model, index, pool, steps, code, threads },
    ...{ settings: { ...SETTINGS, ...settings }, trainedOn: null },
  });
  return { computed, result };
}

const ALL = ["textspan", "resamples", "selectivity", "selectivity-halves", "images"];
beforeAll(async () => {
  expect((await study()).computed).toEqual(ALL);
  renameSync(join(scratch, "steps"), join(scratch, "first"));
});

describe("a study run again", () => {
  it.each<[string, Inputs, string[]]>([
    ["nothing", {}, []],
    ["the permutations", { permutations: 4 }, ["selectivity"]],
    ["the seed", { seed: 1 }, ["textspan", "resamples", "selectivity", "selectivity-halves"]],
    ["the texts that are chosen", { iterations: 6 }, ["textspan", "images"]],
    ["the blocks", { blocks: 9 }, ["resamples"]],
    ["the resamples", { resamples: 3 }, ["resamples"]],
    ["the heads", { heads: "L2" }, ["textspan", "resamples", "images"]],
    ["the pool", { pool: poolOf(POOL.texts.slice(0, 6)) }, ["textspan", "resamples", "images"]],
    ["the code", { code: "other code" }, ALL],
    ["the draws of the baselines, which are no step", { draws: 3 }, []],
    ["the threads, which change no number", { threads: 2 }, []],
  ])("with other settings makes anew what follows from them: %s", async (_, inputs, anew) => {
    cpSync(join(scratch, "first"), join(scratch, "steps"), { recursive: true });
    const { computed, result } = await study(inputs);
    expect(computed).toEqual(anew);
    rmSync(join(scratch, "steps"), { recursive: true });
    expect((await study(inputs)).result).toEqual(result);
    rmSync(join(scratch, "steps"), { recursive: true });
  });
});
