import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClassSet } from "./classes.ts";
import { accuracyOf, contestsOf, hitsOf, worstOf } from "./zero-shot.ts";

const classSet = (contests: readonly (string | null)[]): ClassSet => ({
  ...{ factor: "label", unless: null },
  classes: contests.map((contest, c) => ({ name: `c${c}`, texts: ["t"], values: [`c${c}`], contest })),
});

describe("zero-shot classification", () => {
  it("takes the best class of an image's own contest, the earlier of ties", () => {
    const contest = fc.constantFrom(null, "a", "b");
    fc.assert(
      fc.property(
        fc.array(contest, { minLength: 1, maxLength: 6 }),
        fc.array(
          fc.tuple(fc.nat(5), fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 6, maxLength: 6 })),
        ),
        (contests, images) => {
          const truth = Int32Array.from(images, ([c]) => c % contests.length);
          const scores = Float64Array.from(images.flatMap(([, row]) => row.slice(0, contests.length)));
          const hits = hitsOf(scores, truth, contestsOf(classSet(contests)));
          images.forEach(([, row], i) => {
            const rivals = contests.flatMap((of, c) => (of === contests[truth[i]] ? [c] : []));
            const best = Math.max(...rivals.map((c) => row[c]));
            expect(hits[i]).toBe(rivals.find((c) => row[c] === best) === truth[i] ? 1 : 0);
          });
        },
      ),
    );
  });

  it("counts by class and group, and finds the worst", () => {
    const hits = Uint8Array.of(1, 0, 1, 1, 0, 0);
    const truth = Int32Array.of(0, 0, 0, 1, 1, 1);
    const groups = { names: ["x", "y", "none"], groups: Int32Array.of(0, 1, 0, 0, 1, -1) };
    const found = accuracyOf(hits, truth, classSet([null, null]), groups);
    expect(found.all).toMatchObject({ share: 0.5, n: 6 });
    expect(found.classes.map(({ name, share }) => [name, share])).toEqual([
      ["c0", 2 / 3],
      ["c1", 1 / 3],
    ]);
    expect(found.groups.map(({ name, share, n }) => [name, share, n])).toEqual([
      ["x", 1, 3],
      ["y", 0, 2],
    ]);
    expect(found.worst?.name).toBe("y");
    expect(worstOf([])).toBeNull();
  });
});
