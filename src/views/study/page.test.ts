import { describe, expect, it } from "vitest";
import { EVIL, reportOf } from "../../study/study.fixture.ts";
import { studyHeadsCsv, studyMetricsCsv } from "./csv.ts";
import { studyMarkdown } from "./markdown.ts";
import { studyHtml } from "./page.ts";
import { findings } from "./words.ts";

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
    expect(words).toContain(
      "With the seeds of a (1 degree of freedom), a difference in association must be at least",
    );
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
    const [head, first] = studyHeadsCsv(report).split("\n");
    expect(head.split(",").length).toBe(13);
    expect(first.startsWith(`"'=1+1,""<script>`)).toBe(true);
    expect(studyMetricsCsv(report).trimEnd().split("\n").length).toBe(1 + 2 * 9);
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
