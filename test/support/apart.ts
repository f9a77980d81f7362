import { expect } from "vitest";

/** The greatest difference between numbers of two results that are alike in all else, which is seen to. */
export function apart(one: unknown, other: unknown): number {
  if (typeof one === "number" && typeof other === "number") return Math.abs(one - other);
  if (one === null || typeof one !== "object") {
    expect(one).toEqual(other);
    return 0;
  }
  const [a, b] = [one, other] as Record<string, unknown>[];
  expect(Object.keys(a!).sort()).toEqual(Object.keys(b!).sort());
  return Math.max(0, ...Object.keys(a!).map((key) => apart(a![key], b![key])));
}
