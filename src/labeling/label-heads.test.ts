import { describe, expect, it } from "vitest";
import type { Labels } from "../labels/labels-file.ts";
import { headNamed } from "../results/shapes.ts";
import type { ProgressEvent } from "../support/progress.ts";
import { labelHeads } from "./label-heads.ts";
import type { Described } from "./labeller.ts";
import { manualLabeller, requireHeads } from "./manual.ts";
import { publishedLabeller } from "./published.ts";
import { tagJudge, tagLabeller } from "./tags.ts";

const headOf = (name: string, ...tags: string[]): Described => ({
  ...headNamed(name),
  descriptions: tags.map((property, i) => ({ text: `${property} ${i}`, property, explainedVariance: 0.1 })),
});
const HEADS = [headOf("L0.H0", "animal", "animal", "colour"), headOf("L0.H1", "colour"), headOf("L0.H2")];
const BY_HAND: Labels = {
  model: "m",
  source: "own.json",
  heads: {
    "L0.H1": {
      ...{ label: "hues", descriptions: ["another text"], tags: [], explainedVariance: [], consistent: [] },
      labeller: { kind: "manual", by: "own.json", model: null, promptHash: null, date: null },
      judge: null,
    },
  },
};

describe("labelling heads", () => {
  it("gives each its label, what it was made from, and the judge's verdicts; heads without one are reported", async () => {
    const events: ProgressEvent[] = [];
    const report = (event: ProgressEvent) => events.push(event);
    const settings = {
      model: "m",
      source: "s",
      labeller: tagLabeller("2024"),
      judge: tagJudge("2024"),
      report,
    };
    const { labels, unlabelled } = await labelHeads(HEADS, settings);
    expect(labels.heads["L0.H0"]).toMatchObject({
      label: "animal",
      descriptions: ["animal 0", "animal 1", "colour 2"],
      tags: ["animal", "animal", "colour"],
      consistent: [true, true, false],
      judge: { kind: "tags" },
    });
    expect(unlabelled).toEqual([headNamed("L0.H2")]);
    expect(Object.keys(labels.heads)).toEqual(["L0.H0", "L0.H1"]);
    expect(events.map(({ type }) => type)).toEqual([
      "start",
      "advance",
      "advance",
      "advance",
      "end",
      "warning",
    ]);
    expect(events.at(-1)).toMatchObject({ code: "LABELS_MISSING", message: "no label for L0.H2" });
  });

  it("says nothing about which descriptions fit without a judge", async () => {
    const { labels } = await labelHeads(HEADS, { model: "m", source: "s", labeller: tagLabeller() });
    expect(labels.heads["L0.H0"]).toMatchObject({ consistent: [], judge: null });
  });

  it("stops when cancelled", async () => {
    const settings = { model: "m", source: "s", labeller: tagLabeller(), signal: AbortSignal.abort() };
    await expect(labelHeads(HEADS, settings)).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("takes labels by hand before any other, judges them too, and says when they are of other descriptions", async () => {
    const events: ProgressEvent[] = [];
    const report = (event: ProgressEvent) => events.push(event);
    const labeller = manualLabeller(BY_HAND, tagLabeller(), report);
    const { labels } = await labelHeads(HEADS, { model: "m", source: "s", labeller, judge: tagJudge() });
    expect(labels.heads["L0.H0"].labeller.kind).toBe("tags");
    expect(labels.heads["L0.H1"]).toMatchObject({
      label: "hues",
      descriptions: ["colour 0"],
      consistent: [false],
      labeller: { kind: "manual", by: "own.json" },
    });
    expect(events).toMatchObject([{ type: "warning", code: "LABELS_STALE" }]);
  });

  it("refuses labels by hand for heads that the model does not have", () => {
    expect(() => requireHeads(BY_HAND, ["L0.H0", "L0.H1"], "own.json")).not.toThrow();
    expect(() => requireHeads(BY_HAND, ["L0.H0", "L1.H0"], "own.json")).toThrow(
      "own.json labels L0.H1; there are L0.H0 … L1.H0",
    );
  });

  it("takes published labels where there are any, with their source", async () => {
    const { published, labeller } = await publishedLabeller("timm/vit_base_patch32_clip_224.openai");
    expect(published.heads).toHaveLength(48);
    const heads = [headOf("L8.H0", "emotion"), headOf("L0.H0", "colour")];
    const { labels, unlabelled } = await labelHeads(heads, {
      model: "m",
      source: "s",
      labeller,
      judge: tagJudge(),
    });
    expect(labels.heads["L8.H0"]).toMatchObject({
      label: "Emotion",
      consistent: [true],
      labeller: { kind: "published", by: expect.stringContaining("IntelLabs"), date: "2024-09" },
    });
    expect(unlabelled).toEqual([headNamed("L0.H0")]);
    await expect(publishedLabeller("emoji-4x128-p8")).rejects.toMatchObject({ code: "LABELS_MISSING" });
  });
});
