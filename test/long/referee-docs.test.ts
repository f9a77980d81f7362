import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { withBlocks } from "../../scripts/blocks.ts";
import { refereeBlocks } from "../../scripts/referee-tables.ts";
import { EMBEDDED_MODELS } from "../../src/model/embedded.ts";
import { runReferee } from "../../src/referee/run-referee.ts";
import { svgToPng } from "../../src/views/kit/png.ts";
import { refereeSvg } from "../../src/views/referee/svg.ts";

it("the referee's numbers in docs/ are those that it gives", async () => {
  const folder = await mkdtemp(join(tmpdir(), "referee-docs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const result = await runReferee({ models: EMBEDDED_MODELS, stepsFolder: folder });
  const blocks = refereeBlocks(result);
  const page = readFileSync(new URL("../../docs/referee.md", import.meta.url), "utf8");
  expect(withBlocks(page, "referee", Object.keys(blocks), blocks)).toBe(page);
  const picture = readFileSync(new URL("../../docs/images/referee.png", import.meta.url));
  expect(picture.equals(await svgToPng(refereeSvg(result)))).toBe(true);
});
