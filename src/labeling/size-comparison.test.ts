import { describe, expect, it } from "vitest";
import { METRICS, type MetricValues } from "../results/metrics.ts";
import { compareSizes, type SizedModel } from "./size-comparison.ts";

const values = (known: Partial<MetricValues>): MetricValues =>
  Object.fromEntries(METRICS.map(({ key }) => [key, known[key] ?? null])) as MetricValues;
const model = (name: string, size: number, association: number, entanglement: number): SizedModel => ({
  ...{ name, size, heads: 20 },
  values: values({ association, entanglement }),
});

const seeds = [
  model("small", 10, 0.5, 0.4),
  model("small-s2", 10, 0.6, 0.5),
  model("small-s3", 10, 0.7, 0.6),
];

describe("models of several sizes", () => {
  it("are grouped by seed, smallest first", () => {
    const { groups, seeds: known } = compareSizes([model("large", 30, 0.9, 0.9), ...seeds]);
    expect(groups.map(({ name, models }) => [name, models.length])).toEqual([
      ["small", 3],
      ["large", 1],
    ]);
    expect(groups[0].mean.association).toBeCloseTo(0.6, 12);
    expect(groups[0].deviation.association).toBeCloseTo(0.1, 12);
    expect(groups[1].deviation.association).toBeNull();
    expect(known).toEqual({ group: "small", count: 3 });
  });

  it("are distinguished only beyond what seeds scatter, with the power that three seeds give", () => {
    const { steps } = compareSizes([...seeds, model("large", 30, 0.9, 0.99)]);
    expect(steps.map(({ metric }) => metric)).toEqual(["association", "entanglement"]);
    const error = 0.1 * Math.sqrt(1 / 3 + 1);
    for (const { critical, detectable } of steps) {
      expect(critical).toBeCloseTo(4.30265 * error, 4);
      expect(detectable).toBeCloseTo((4.30265 + 1.06066) * error, 4);
    }
    expect(steps[0]).toMatchObject({ smaller: "small", larger: "large", verdict: "not told apart" });
    const clear = compareSizes([...seeds, model("large", 30, 1.2, 1.2)]).steps;
    // Higher association is more interpretable, higher entanglement less.
    expect(clear.map(({ verdict }) => verdict)).toEqual(["more interpretable", "less interpretable"]);
  });

  it("whose seeds agree by accident are taken to scatter by one head", () => {
    const same = ["small", "small-s2", "small-s3"].map((name) => model(name, 10, 0.9, 0.9));
    const { steps } = compareSizes([...same, model("large", 30, 0.9, 0.95)]);
    expect(steps.map(({ scatter }) => scatter)).toEqual([0.05, 0.05]);
    expect(steps.map(({ verdict }) => verdict)).toEqual(["not told apart", "not told apart"]);
  });

  it("of one size are not compared, and without seeds nothing is claimed", () => {
    expect(compareSizes([model("a", 10, 0.1, 0.1), model("b", 10, 0.9, 0.9)]).steps).toEqual([]);
    const { steps, seeds: known } = compareSizes([model("a", 10, 0.1, 0.1), model("b", 20, 0.9, 0.9)]);
    expect(known).toBeNull();
    expect(new Set(steps.map(({ verdict, critical }) => `${verdict} ${critical}`))).toEqual(
      new Set(["no seeds to compare with null"]),
    );
  });
});
