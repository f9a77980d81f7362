import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { withBlocks } from "../../scripts/blocks.ts";
import { STUDY_PAGES, studyBlocks } from "../../scripts/study-tables.ts";
import { runStudy } from "../../src/study/run-study.ts";

const MODELS = [
  ...["emoji-4x128-p8", "emoji-6x192-p8", "emoji-4x128-p16", "emoji-4x128-p16-s2", "emoji-4x128-p16-s3"],
];

it("the study's numbers in docs/ are those that it gives", async () => {
  const folder = await mkdtemp(join(tmpdir(), "study-docs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { result } = await runStudy({ models: MODELS, stepsFolder: folder });
  const blocks = studyBlocks(result);
  for (const [name, names] of Object.entries(STUDY_PAGES)) {
    const page = readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
    expect(withBlocks(page, "study", names, blocks)).toBe(page);
  }
});
