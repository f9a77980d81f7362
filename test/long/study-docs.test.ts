import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { withBlocks } from "../../scripts/blocks.ts";
import { STUDY_PAGES, studyBlocks } from "../../scripts/study-tables.ts";
import { EMBEDDED_MODELS } from "../../src/model/embedded.ts";
import { runStudy } from "../../src/study/run-study.ts";

it("the study's numbers in docs/ are those that it gives", async () => {
  const folder = await mkdtemp(join(tmpdir(), "study-docs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { result } = await runStudy({ models: EMBEDDED_MODELS, stepsFolder: folder });
  const blocks = studyBlocks(result);
  for (const [name, names] of Object.entries(STUDY_PAGES)) {
    const page = readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
    expect(withBlocks(page, "study", names, blocks)).toBe(page);
  }
});
