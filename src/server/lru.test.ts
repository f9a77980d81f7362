import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBoundedCache } from "./lru.ts";

const ofLength = (budget: number) => createBoundedCache<string>(budget, ({ length }) => length);

describe("a bounded cache", () => {
  it("holds its budget, and lets go of what was used least recently", () => {
    const cache = ofLength(10);
    cache.set("a", "1234");
    cache.set("b", "1234");
    expect(cache.get("a")).toBe("1234");
    cache.set("c", "1234");
    expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["1234", undefined, "1234"]);
    cache.set("a", "12345678901");
    expect([cache.get("a"), cache.get("c")]).toEqual([undefined, "1234"]);
  });

  it("counts an entry once, however often it is set, and takes its last value", () => {
    const cache = ofLength(10);
    cache.set("a", "1234");
    for (const value of ["12", "123456", "123456"]) cache.set("b", value);
    expect([cache.get("a"), cache.get("b")]).toEqual(["1234", "123456"]);
    // Setting uses too: a is now the one that was not touched for longest.
    cache.set("a", "4321");
    cache.set("c", "1234");
    expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["4321", undefined, "1234"]);
  });

  it("fills its budget to the last byte", () => {
    const cache = ofLength(4);
    cache.set("a", "1234");
    expect(cache.get("a")).toBe("1234");
    cache.set("b", "1234");
    expect([cache.get("a"), cache.get("b")]).toEqual([undefined, "1234"]);
  });

  it("always holds the entries touched last that fit together", () => {
    const step = fc.record({
      key: fc.constantFrom("a", "b", "c", "d", "e"),
      size: fc.option(fc.integer({ min: 1, max: 12 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const cache = ofLength(10);
        // Last touched first.
        let kept: { key: string; size: number }[] = [];
        for (const { key, size } of steps) {
          const known = kept.find((entry) => entry.key === key);
          const others = kept.filter((entry) => entry.key !== key);
          if (size === null) {
            expect(cache.get(key)?.length).toBe(known?.size);
            if (known) kept = [known, ...others];
            continue;
          }
          cache.set(key, "x".repeat(size));
          kept = size > 10 ? others : [{ key, size }, ...others];
          while (kept.reduce((sum, entry) => sum + entry.size, 0) > 10) kept.pop();
        }
        for (const key of ["a", "b", "c", "d", "e"])
          expect(cache.get(key)?.length).toBe(kept.find((entry) => entry.key === key)?.size);
      }),
    );
  });
});
