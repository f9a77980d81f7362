/**
 * Writes the numbers of a study of the embedded models into docs/, and its picture of labels and truth.
 *
 *   npm run docs:study -- report/study.json
 *
 * after `clip-interpret study --out report/`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { studyResultSchema } from "../src/results/study.ts";
import { svgToPng } from "../src/views/kit/png.ts";
import { studyCalibrationSvg } from "../src/views/study/charts.ts";
import { withBlocks } from "./blocks.ts";
import { STUDY_PAGES, studyBlocks } from "./study-tables.ts";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("which study.json?");
const study = studyResultSchema.parse(JSON.parse(readFileSync(path, "utf8")));
const blocks = studyBlocks(study);
for (const [name, names] of Object.entries(STUDY_PAGES)) {
  const page = new URL(`../docs/${name}`, import.meta.url);
  writeFileSync(page, withBlocks(readFileSync(page, "utf8"), "study", names, blocks));
}
writeFileSync(
  new URL("../docs/images/calibration.png", import.meta.url),
  await svgToPng(studyCalibrationSvg(study)),
);
