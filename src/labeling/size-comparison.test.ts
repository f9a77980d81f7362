import { describe, expect, it } from "vitest";
import { Random } from "../math/random.ts";
import { headOf } from "../results/shapes.ts";
import type { JudgedHead } from "./metrics.ts";
import { compareSizes, type SizedModel } from "./size-comparison.ts";

/** Twenty heads of two layers: the first `sure` have CCS 5, the others 1; the first `shared` have one label. */
const model = (name: string, size: number, sure: number, shared: number): SizedModel => ({
  ...{ name, size, layers: 2 },
  heads: Array.from({ length: 20 }, (_, i) => ({
    ...headOf(i < 10 ? 0 : 1, i % 10),
    label: i < shared ? "colour" : `label ${i}`,
    consistent: Array.from({ length: 5 }, (_, k) => k === 0 || i < sure),
  })),
});

const seeds = [model("small", 10, 10, 8), model("small-s2", 10, 12, 10), model("small-s3", 10, 14, 12)];

describe("models of several sizes", () => {
  it("are grouped by seed, smallest first", () => {
    const { groups, seeds: known } = compareSizes([model("large", 30, 18, 18), ...seeds]);
    expect(groups.map(({ name, models }) => [name, models.length])).toEqual([
      ["small", 3],
      ["large", 1],
    ]);
    expect(groups[0].mean.association).toBeCloseTo(0.6, 12);
    expect(groups[0].deviation.association).toBeCloseTo(0.1, 12);
    expect(groups[1].deviation.association).toBeNull();
    expect(known).toEqual({ groups: ["small"], degrees: 2 });
  });

  it("are distinguished only beyond what seeds scatter, all comparisons corrected together", () => {
    const { steps } = compareSizes([...seeds, model("large", 30, 20, 20)]);
    const [ccs, association, entanglement] = steps;
    expect([ccs.metric, association.metric, entanglement.metric]).toEqual([
      ...["meanCcs", "association", "entanglement"],
    ]);
    // .4 in units of .1·√(1/3 + 1): t = 3.464 with two degrees of freedom.
    expect(association.p).toBeCloseTo(0.0742, 4);
    expect(association.pHolm).toBeCloseTo(2 * 0.0742, 3);
    expect(association).toMatchObject({ smaller: "small", larger: "large", verdict: "not told apart" });
    // scipy: noncentral t at the level .05/3.
    expect(association.detectable! / (0.1 * Math.sqrt(1 / 3 + 1))).toBeCloseTo(9.84, 1);
  });

  it("differ where they differ by much more", () => {
    const close = [model("small", 10, 2, 2), model("small-s2", 10, 2, 3), model("small-s3", 10, 3, 2)];
    const { steps } = compareSizes([...close, ...[1, 2, 3].map((s) => model(`large-s${s}`, 30, 20, 20))]);
    // Higher association is more interpretable, higher entanglement less.
    expect(steps.map(({ verdict }) => verdict)).toEqual([
      ...["more interpretable", "more interpretable", "less interpretable"],
    ]);
  });

  it("pool the scatter of all groups that have seeds", () => {
    const larger = [model("large", 30, 6, 4), model("large-s2", 30, 10, 4)];
    const { seeds: known, steps } = compareSizes([...seeds, ...larger]);
    expect(known).toEqual({ groups: ["small", "large"], degrees: 3 });
    // s²: .01 with two degrees of freedom, .02 with one.
    const { scatter } = steps.find(({ metric }) => metric === "association")!;
    expect(scatter).toBeCloseTo(Math.sqrt((2 * 0.01 + 0.02) / 3), 12);
  });

  it("whose seeds agree by accident are taken to scatter by one head", () => {
    const same = ["small", "small-s2", "small-s3"].map((name) => model(name, 10, 18, 18));
    const { steps } = compareSizes([...same, model("large", 30, 18, 19)]);
    expect(steps.find(({ metric }) => metric === "association")).toMatchObject({ scatter: 0.05, p: 1 });
  });

  it("are compared by heads of the same relative depth, and by as many", () => {
    // Four layers of ten heads, of which the last two were analysed.
    const deep: SizedModel = {
      ...{ name: "deep", size: 99, layers: 4 },
      heads: Array.from({ length: 20 }, (_, i) => ({
        ...headOf(2 + Math.floor(i / 10), i % 10),
        ...{ label: "colour", consistent: [true] },
      })),
    };
    const found = compareSizes([...seeds, deep]);
    // The last half: one layer of two.
    expect(found).toMatchObject({ from: 0.5, heads: 10 });
    expect(found.groups[0].mean.association).toBeCloseTo(2 / 10, 12);
  });

  it("of one size are not compared, and without seeds nothing is claimed", () => {
    expect(compareSizes([model("a", 10, 1, 1), model("b", 10, 19, 19)]).steps).toEqual([]);
    const { steps, seeds: known } = compareSizes([model("a", 10, 1, 1), model("b", 20, 19, 19)]);
    expect(known).toBeNull();
    expect(new Set(steps.map(({ verdict, p }) => `${verdict} ${p}`))).toEqual(
      new Set(["no seeds to compare with null"]),
    );
  });

  it("of one kind are called different in 5 of 100 studies at most", () => {
    const draw = (name: string, size: number, random: Random): SizedModel => ({
      ...{ name, size, layers: 2 },
      heads: Array.from(
        { length: 20 },
        (_, i): JudgedHead => ({
          ...headOf(i < 10 ? 0 : 1, i % 10),
          label: `label ${random.below(12)}`,
          consistent: Array.from({ length: 5 }, () => random.unit() < 0.6),
        }),
      ),
    });
    let studies = 0;
    for (let run = 0; run < 100; run++) {
      const random = new Random(5, run);
      const models = [1, 2, 3].flatMap((seed) => [
        draw(`a-s${seed}`, 10, random),
        draw(`b-s${seed}`, 20, random),
      ]);
      if (compareSizes(models).steps.some(({ verdict }) => verdict !== "not told apart")) studies++;
    }
    expect(studies).toBeLessThanOrEqual(10);
  });
});
