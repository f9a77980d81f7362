import { readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { withBlocks } from "../../scripts/blocks.ts";
import {
  debiasBlocks,
  EVALUATION_PAGES,
  RETRIEVAL_MODELS,
  RETRIEVAL_SCORINGS,
  retrievalBlocks,
} from "../../scripts/evaluation-tables.ts";
import { splitByCue } from "../../src/analysis/debias/cue-problem.ts";
import { debias } from "../../src/analysis/debias/debias.ts";
import { cueProbes, PLANTED_CUE, plantedClasses } from "../../src/analysis/debias/planted-bias.ts";
import { measureRetrieval } from "../../src/analysis/neighbors/retrieval.ts";
import { prepareZeroShot } from "../../src/analysis/zero-shot/problem.ts";
import { worldIndex } from "../../src/corpus/world-index.ts";
import { EMBEDDED_MODELS } from "../../src/model/embedded.ts";
import { createModelLoader } from "../../src/model/registry.ts";
import { embedTexts } from "../../src/model/text-cache.ts";
import { indexFor } from "../../src/study/inputs.ts";

const loader = createModelLoader();
afterAll(() => loader.release());

const expectPage = (name: keyof typeof EVALUATION_PAGES, blocks: Readonly<Record<string, string>>) => {
  const page = readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
  expect(withBlocks(page, "evaluation", EVALUATION_PAGES[name], blocks)).toBe(page);
};

it("what docs/debias.md says of the embedded models is what debias gives", async () => {
  const results = [];
  for (const name of EMBEDDED_MODELS) {
    const model = await loader.load(name);
    const index = await worldIndex(model, { split: "balanced", images: 6000 });
    const embed = (texts: readonly string[]) => embedTexts(model, texts);
    const grouped = await prepareZeroShot(model, index, plantedClasses(), { groupBy: [PLANTED_CUE], embed });
    const problem = splitByCue(grouped, PLANTED_CUE);
    results.push(await debias(model, problem, { cueProbes: await cueProbes(model, problem, [], embed) }));
  }
  expectPage("debias.md", debiasBlocks(results));
});

it("what docs/neighbors.md says of the embedded models is what evaluate retrieval gives", async () => {
  const results = [];
  for (const name of RETRIEVAL_MODELS) {
    const model = await loader.load(name);
    const index = await indexFor(model, {});
    for (const scoring of RETRIEVAL_SCORINGS) results.push(await measureRetrieval(model, index, { scoring }));
  }
  expectPage("neighbors.md", retrievalBlocks(results));
});
