import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareModels } from "../../src/analysis/compare/compare.ts";
import { findSimilarHeads } from "../../src/analysis/similar/similar.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { scanSource } from "../../src/corpus/source.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allHeads } from "../../src/model/components.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { similarResultSchema } from "../../src/results/similar.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { runHere } from "../support/run-cli.ts";

const NAME = "emoji-4x128-p16";
let scratch: string;
let model: ClipModel;
let index: Index;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "similar-"));
  model = await loadClipModel((await locateModel(NAME)).folder, NAME, { threads: 1 });
  const indices = Array.from({ length: 60 }, (_, i) => i);
  await writeCorpus(join(scratch, "scenes"), await planCorpus({ split: "demo", size: 64, indices }));
  const source = await scanSource(join(scratch, "scenes", "scenes.jsonl"));
  await buildIndex(model, source, join(scratch, "index"), { dtype: "float32" });
  index = await readIndex(join(scratch, "index"));
}, 120_000);
afterAll(async () => {
  await model.release();
  rmSync(scratch, { recursive: true });
});

describe("heads that respond like one", () => {
  it("are as similar as the comparison of the model with itself says, most similar first", async () => {
    const found = await findSimilarHeads(model, index, { layer: 3, head: 1 }, { k: 15, permutations: 2 });
    const side = { model, index, components: { name: "all", set: allHeads(model.geometry) } };
    const { similarity, images } = await compareModels(side, side, { permutations: 1 });
    expect(images).toBe(60);
    const row = similarity[3 * 4 + 1];
    const expected = row
      .map((value, i) => ({ name: `L${Math.floor(i / 4)}.H${i % 4}`, value }))
      .filter(({ name }) => name !== "L3.H1")
      .sort((a, b) => b.value - a.value);
    expect(found.heads.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
    for (const [i, { similarity: own }] of found.heads.entries())
      expect(own).toBeCloseTo(expected[i].value, 5);
    expect(found.heads.map(({ percentile }) => Math.round(14 * percentile))).toEqual(
      Array.from({ length: 15 }, (_, i) => 14 - i),
    );
  });

  it("have a level of chance beside them, which shuffled images reach", async () => {
    const { heads } = await findSimilarHeads(model, index, { layer: 3, head: 1 }, { k: 3, permutations: 5 });
    for (const { similarity, chance, highestByChance } of heads) {
      expect(highestByChance).toBeGreaterThan(chance / 2);
      expect(similarity).toBeGreaterThan(highestByChance);
    }
  });

  it("are printed by the command, with where the numbers come from", async () => {
    const args = ["similar", "--index", join(scratch, "index"), "--model", NAME, "--head", "L3H1", "-k", "2"];
    const json = similarResultSchema.parse(JSON.parse((await runHere(...args, "--json")).stdout));
    expect(json.origin.model.weights).toBe(await model.weightsHash());
    expect(json.head.name).toBe("L3.H1");
    const { stdout } = await runHere(...args);
    for (const { name, similarity } of json.heads) {
      expect(stdout).toMatch(new RegExp(`^${name.replace(".", "\\.")} +${similarity.toFixed(3)} `, "m"));
    }
    const { code, stderr } = await runHere(...args.with(6, "L3"));
    expect([code, stderr]).toEqual([1, expect.stringContaining("HEADS_INVALID")]);
  });
});
