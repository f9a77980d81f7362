import { describe, expect, it } from "vitest";
import { measureBaselines } from "../../labeling/baselines.ts";
import { calibrate, type Truth } from "../../labeling/calibration.ts";
import { pluralityByChance } from "../../labeling/chance.ts";
import { valuesOf } from "../../labeling/metric-names.ts";
import { measureByLayer, measureByProperty, measureLabels } from "../../labeling/metrics.ts";
import { compareSizes } from "../../labeling/size-comparison.ts";
import { tagJudge, tagLabeller } from "../../labeling/tags.ts";
import type { StudyModel, StudyReport } from "../../study/report.ts";
import { headsCsv, metricsCsv, studyMarkdown } from "./markdown.ts";
import { studyHtml } from "./page.ts";
import { findings } from "./words.ts";

const EVIL = '=1+1,"<script>alert(1)</script>|`';
const pool = ["colour", "animal", EVIL].flatMap((property) =>
  Array.from({ length: 9 }, (_, i) => ({ text: `${property} ${i}`, property })),
);
const labelling = { labeller: tagLabeller(""), judge: tagJudge("") };

/** A model of four heads, of which `known` respond to what their labels say. */
async function modelOf(name: string, size: number, known: number): Promise<[StudyModel, Truth]> {
  const labels = ["colour", "animal", EVIL, "colour"];
  const heads = labels.map((label, h) => ({
    head: `L0.H${h}`,
    label,
    consistent: [true, true, true, h < 2, false],
  }));
  const described = heads.map(({ head, label, consistent }) => ({
    head,
    descriptions: consistent.map((fits, i) => ({
      text: `${label} ${i}`,
      property: fits ? label : "animal",
      explainedVariance: 0.1,
    })),
  }));
  const factors = ["colour", "animal", EVIL];
  const truth: Truth = {
    factors,
    poolShares: [1 / 3, 1 / 3, 1 / 3],
    shares: new Map(
      heads.map(({ head, label }, h) => [
        head,
        factors.map((factor) => ((factor === label) === h < known ? 0.6 : 0.1)),
      ]),
    ),
    nested: [],
  };
  const metrics = measureLabels(heads);
  const hash = "0".repeat(64);
  const model: StudyModel = {
    name,
    notice: null,
    shape: { layers: 1, headsPerLayer: 4, width: 8, patch: 8, imageSize: 64, size, trainedOn: null },
    inputs: {
      ...{ weights: hash, index: hash, images: 10, labeller: "tags", judge: "tags" },
      pool: { name: "own", hash, texts: 27, tags: [{ tag: "colour", texts: 9 }] },
    },
    ...{ metrics, byLayer: measureByLayer(heads), byProperty: measureByProperty(heads) },
    resampled: (await measureBaselines(described, pool, labelling, { draws: 2 })).randomTexts,
    baselines: await measureBaselines(described, pool, labelling, { draws: 50 }),
    chanceCcs: pluralityByChance(pool),
    calibration: calibrate([{ heads, truth }], { permutations: 20 }),
    heads: heads.map(({ head, label, consistent }, h) => ({
      ...{ head, label, ccs: consistent.filter(Boolean).length, sameLabel: 0.5 },
      ccsResampled: { mean: 3, low: 3, high: 4 },
      descriptions: described[h].descriptions.map(({ text, property }, i) => ({
        ...{ text, property, explained: 0.1, fits: consistent[i] },
      })),
      ...{ totalVariance: 1, rank: 5 },
      selectivity: [{ factor: "colour", share: 0.6, significant: true }],
      images: [{ path: "a.png", label: EVIL, score: 1, sha256: hash }],
    })),
  };
  return [model, truth];
}

async function reportOf(...models: readonly (readonly [string, number, number])[]): Promise<StudyReport> {
  const made = await Promise.all(models.map(([name, size, known]) => modelOf(name, size, known)));
  const measured = made.map(([model]) => model);
  return {
    format: "clip-interpret-study",
    version: 1,
    code: { version: "1.2.3", sha256: "1".repeat(64) },
    settings: {
      heads: "last4",
      iterations: 5,
      blocks: 32,
      resamples: 2,
      draws: 50,
      permutations: 2,
      seed: 0,
    },
    models: measured,
    sizes: compareSizes(
      measured.map(({ name, shape, metrics }) => ({
        ...{ name, size: shape.size, heads: metrics.heads },
        values: valuesOf(metrics),
      })),
    ),
    calibration: calibrate(
      made.map(([{ heads }, truth]) => ({
        heads: heads.map(({ head, label, descriptions }) => ({
          ...{ head, label, consistent: descriptions.map(({ fits }) => fits === true) },
        })),
        truth,
      })),
      { permutations: 200 },
    ),
    published: [],
  };
}

describe("a study in words", () => {
  it("says how many labels are right, and what it could not see", async () => {
    const words = findings(await reportOf(["one", 10, 4], ["two", 20, 4])).join("\n");
    expect(words).toContain("of 8 heads, 8 (100 %) are labelled with the factor that truly explains most");
    expect(words).toContain("This study cannot say: no model was trained from several seeds");
  });

  it("says so when labels are no better than chance", async () => {
    const words = findings(await reportOf(["one", 10, 0])).join("\n");
    expect(words).toContain("Labels say no more than chance: of 4 heads, 0 (0 %)");
    expect(words).toContain("All models have one size");
  });

  it("with seeds says what difference could have been seen", async () => {
    const report = await reportOf(["a", 10, 4], ["a-s2", 10, 4], ["b", 20, 4]);
    const words = findings(report).at(-1);
    expect(words).toContain("no larger model is told apart from a smaller one by any metric");
    expect(words).toContain("With 2 seeds of a, a difference in association must be at least");
    expect(studyMarkdown(report)).toContain("**Models that differ in their seed alone**");
  });

  it("without known factors says that truth was not measured", async () => {
    const report = { ...(await reportOf(["one", 10, 4])), calibration: null };
    expect(findings(report)[0]).toContain("whether the labels are true is not measured here");
    expect(studyHtml(report)).toContain("whether the labels are true is not measured here");
  });
});

describe("a study's files", () => {
  it("take no text for markup, a cell or a formula", async () => {
    const report = await reportOf([EVIL, 10, 4], ["two", 20, 2]);
    const page = studyHtml(report, new Map());
    expect(page).not.toContain("<script>");
    expect(page).toContain("&lt;script&gt;");
    expect(page.match(/<section class="head"/g)?.length).toBe(8);
    const [head, first] = headsCsv(report).split("\n");
    expect(head.split(",").length).toBe(12);
    expect(first.startsWith(`"'=1+1,""<script>`)).toBe(true);
    expect(metricsCsv(report).trimEnd().split("\n").length).toBe(1 + 2 * 9);
    const rows = studyMarkdown(report)
      .split("\n")
      .filter((line) => line.startsWith("| ") && line.includes("1+1"));
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) expect(row).toContain("\\|\\`");
  });

  it("are the same for the same report", async () => {
    const report = await reportOf(["one", 10, 4]);
    expect(studyHtml(report)).toBe(studyHtml(structuredClone(report)));
  });
});
