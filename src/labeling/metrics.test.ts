import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { METRICS, valuesOf } from "../results/metrics.ts";
import { headNamed } from "../results/shapes.ts";
import { readJson } from "../support/files.ts";
import { type JudgedHead, measureByLayer, measureByProperty, measureLabels } from "./metrics.ts";

const fits = (ccs: number) => Array.from({ length: 5 }, (_, i) => i < ccs);
const head = (name: string, label: string, ccs?: number): JudgedHead => ({
  ...headNamed(name),
  label,
  consistent: ccs === undefined ? [] : fits(ccs),
});

const published = (await readJson(
  fileURLToPath(new URL("../../assets/published/head-labels.json", import.meta.url)),
)) as { models: Record<string, { heads: Record<string, string> }> };
const printed = (await readJson(
  fileURLToPath(new URL("../../assets/published/printed-values.json", import.meta.url)),
)) as { models: Record<string, { entanglement: number | null }> };
const labelsOf = (model: string) =>
  Object.entries(published.models[model].heads).map(([name, label]) => head(name, label));

describe("the labels that the original application shows", () => {
  // Share sharing a label (case / plural folded), 1 − distinct/n (case / plural), prefix rule.
  it.each([
    ["ViT-B-32/openai", 48, 0.562, 0.604, 0.396, 0.417, 0.396],
    ["ViT-B-16/laion2b_s34b_b88k", 48, 0.396, 0.458, 0.25, 0.292, 0.292],
    ["ViT-L-14/openai", 64, 0.594, 0.609, 0.406, 0.422, 0.438],
    ["ViT-L-14/laion2b_s32b_b82k", 64, 0.609, 0.641, 0.438, 0.469, 0.484],
    // Nothing is printed for these two.
    ["ViT-B-32/datacomp_m_s128m_b4k", 48, 0.417, 0.521, 0.271, 0.333, 0.313],
    ["ViT-B-16/openai", 48, 0.396, 0.458, 0.292, 0.354, 0.375],
  ])("give for %s", (model, heads, shareCase, sharePlural, distinctCase, distinctPlural, prefix) => {
    const found = measureLabels(labelsOf(model));
    expect(found.heads).toBe(heads);
    // The values are quoted to three digits, some cut off and some rounded.
    const near = (value: number, quoted: number) => expect(Math.abs(value - quoted)).toBeLessThan(0.00051);
    near(found.entanglement.case, shareCase);
    near(found.entanglement.plural, sharePlural);
    near(found.duplicates.case, distinctCase);
    near(found.duplicates.plural, distinctPlural);
    near(found.prefix, prefix);
  });

  it("give under no rule the printed entanglement, and under every rule more of it in the larger models", () => {
    const rules = (model: string) => {
      const { entanglement, duplicates, prefix } = measureLabels(labelsOf(model));
      return [...Object.values(entanglement), ...Object.values(duplicates), prefix];
    };
    const models = Object.keys(printed.models).filter((model) => printed.models[model].entanglement !== null);
    expect(models.length).toBe(4);
    const small = models.filter((model) => model.startsWith("ViT-B"));
    const large = models.filter((model) => model.startsWith("ViT-L"));
    for (const rule of rules(models[0]).keys()) {
      const all = models.map((model) => rules(model)[rule]);
      const misses = all.map((value, i) => Math.abs(value - printed.models[models[i]].entanglement!));
      expect(Math.max(...misses)).toBeGreaterThan(0.05);
      for (const b of small) for (const l of large) expect(rules(l)[rule]).toBeGreaterThan(rules(b)[rule]);
    }
    const print = (model: string) => printed.models[model].entanglement!;
    expect(Math.max(...large.map(print))).toBeLessThan(Math.min(...small.map(print)));
  });

  it("have no judge, so nothing is said of their consistency", () => {
    const { judged, association, meanCcs, concentration } = measureLabels(labelsOf("ViT-B-32/openai"));
    expect({ judged, association, meanCcs, concentration }).toEqual({
      ...{ judged: 0, association: null, meanCcs: null, concentration: null },
    });
  });
});

describe("the metrics of judged heads", () => {
  const heads = [
    head("L2.H0", "Color", 5),
    head("L2.H1", "colours", 5),
    head("L2.H2", "Animal", 3),
    head("L3.H0", "Counting", 4),
    head("L3.H1", "number", 0),
    head("L3.H2", "weather", 1),
  ];

  it("are counted as the formulas say", () => {
    const found = measureLabels(heads);
    expect(found.histogram).toEqual([1, 1, 0, 1, 1, 2]);
    expect(found.meanCcs).toBe(3);
    expect(found.association).toBe(4 / 6);
    expect(found.associationThreeOrFive).toBe(3 / 6);
    expect(found.ccsAt[5]).toBe(2 / 6);
    expect(found.low).toBe(2 / 6);
    expect(found.entanglement).toEqual({ written: 0, case: 0, plural: 0, synonym: 4 / 6 });
    expect(found.duplicates.synonym).toBe(1 - 4 / 6);
    expect(found.concentration).toBe(1);
  });

  it("are given by property and by layer", () => {
    expect(
      measureByProperty(heads).map(({ name, heads: of, meanCcs }) => [name, of.length, meanCcs]),
    ).toEqual([
      ["Color", 2, 5],
      ["Counting", 2, 2],
      ["Animal", 1, 3],
      ["weather", 1, 1],
    ]);
    const [second, third] = measureByLayer(heads);
    expect([second.name, second.association, second.entanglement]).toEqual(["L2", 1, 2 / 3]);
    expect([third.name, third.association, third.entanglement]).toEqual(["L3", 1 / 3, 2 / 3]);
  });

  it("judge by the first five descriptions and leave out heads that nobody judged", () => {
    const ten = { ...headNamed("L0.H0"), label: "a", consistent: Array.from({ length: 10 }, () => true) };
    const { histogram, judged } = measureLabels([ten, head("L0.H1", "b")]);
    expect({ histogram, judged }).toEqual({ histogram: [0, 0, 0, 0, 0, 1], judged: 1 });
  });

  it("are shares, ordered as they must be, whatever the labels", () => {
    const label = fc.constantFrom("Color", "colors", "animal", "Animals", "body part", "bodyparts", "Art");
    const anyHead = fc.record({ label, ccs: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(anyHead, { minLength: 1, maxLength: 30 }), (drawn) => {
        const found = measureLabels(drawn.map(({ label: l, ccs }, i) => head(`L0.H${i}`, l, ccs)));
        for (const { of, key } of METRICS) {
          const value = of(found);
          if (value === null) continue;
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(key === "meanCcs" ? 5 : 1);
        }
        // Every fold joins labels and parts none; a label shared by k heads counts k times or k − 1 times.
        const { entanglement: e, duplicates: d } = found;
        expect(e.written <= e.case && e.case <= e.plural && e.plural <= e.synonym).toBe(true);
        for (const fold of ["written", "case", "plural", "synonym"] as const) {
          expect(d[fold]).toBeLessThanOrEqual(e[fold]);
          expect(d[fold] * 2 + 1e-12).toBeGreaterThanOrEqual(e[fold]);
        }
        expect(found.histogram.reduce((sum, n) => sum + n, 0)).toBe(drawn.length);
        expect(Object.keys(valuesOf(found))).toEqual(METRICS.map(({ key }) => key));
      }),
    );
  });
});
