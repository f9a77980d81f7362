import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { withBlocks } from "../../scripts/blocks.ts";
import { STUDY_PAGES, studyBlocks } from "../../scripts/study-tables.ts";
import { EMBEDDED_MODELS } from "../../src/model/embedded.ts";
import { runStudy } from "../../src/study/run-study.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { studyCalibrationSvg } from "../../src/views/study/charts.ts";

it("the study's numbers in docs/ are those that it gives", async () => {
  const folder = await mkdtemp(join(tmpdir(), "study-docs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { result } = await runStudy({ models: EMBEDDED_MODELS, stepsFolder: folder });
  const blocks = studyBlocks(result);
  for (const [name, names] of Object.entries(STUDY_PAGES)) {
    const page = readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
    expect(withBlocks(page, "study", names, blocks)).toBe(page);
  }
  const picture = readFileSync(new URL("../../docs/images/calibration.png", import.meta.url));
  expect(picture.equals(await svgToPng(studyCalibrationSvg(result)))).toBe(true);
});
