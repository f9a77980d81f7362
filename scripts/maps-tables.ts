/** The numbers of how true maps are in docs/: written by `npm run docs:maps`, held by a long test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluateMaps } from "../src/analysis/segmentation/faithfulness.ts";
import { corpusMasks } from "../src/analysis/segmentation/masked-images.ts";
import { parseComponents } from "../src/model/components.ts";
import { DEFAULT_MODEL } from "../src/model/embedded.ts";
import { openModel } from "../src/model/registry.ts";
import type { Faithfulness } from "../src/results/faithfulness.ts";
import {
  askedInWords,
  faithfulnessTable,
  leadersInWords,
  sanityTable,
} from "../src/views/faithfulness/words.ts";
import { inlineMarkdown, tableMarkdown } from "../src/views/kit/table.ts";
import { DEMO, planCorpus, writeCorpus } from "../src/world/corpus.ts";
import { withBlocks } from "./blocks.ts";

/** The page that they are in. */
export const MAPS_PAGE = "faithful-maps.md";
const NAMES = ["asked", "measures", "leaders", "sanity"];

/** Measures the default model's maps on the first of the demo scenes, which are drawn for it. */
export async function measureMaps(): Promise<Faithfulness> {
  const folder = await mkdtemp(join(tmpdir(), "maps-docs-"));
  const model = await openModel(DEFAULT_MODEL);
  try {
    const indices = Array.from({ length: SCENES }, (_, i) => i);
    await writeCorpus(folder, await planCorpus({ split: DEMO.split, size: DEMO.size, indices }));
    const scenes = { ...(await corpusMasks(folder)), source: "the demo corpus" };
    const sets = ["all", "last1"].map((name) => ({ name, set: parseComponents(name, model.geometry) }));
    return await evaluateMaps(model, scenes, sets);
  } finally {
    await model.release();
    await rm(folder, { recursive: true, force: true });
  }
}

const SCENES = 200;

/** The page with these numbers. */
export function withMaps(page: string, result: Faithfulness): string {
  const sanity = sanityTable(result);
  return withBlocks(page, "maps", NAMES, {
    asked: inlineMarkdown(askedInWords(result)),
    measures: tableMarkdown(faithfulnessTable(result)),
    leaders: leadersInWords(result)
      .map((line) => `- ${inlineMarkdown(line)}`)
      .join("\n"),
    sanity: sanity === null ? "" : tableMarkdown(sanity),
  });
}
