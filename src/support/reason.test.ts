import { describe, expect, it } from "vitest";
import { z } from "zod";
import { reasonOf } from "./reason.ts";

const schema = z.strictObject({
  heads: z.record(
    z.string().regex(/^L/, "heads are written L1"),
    z.union([z.string(), z.object({ label: z.string() })]),
  ),
  list: z.array(z.number()).default([]),
});
const reason = (value: unknown) => reasonOf(schema.safeParse(value).error);

describe("the reason why a file does not fit", () => {
  it("names the place and the innermost rule, on one line", () => {
    expect(reason({ heads: { x: "a" } })).toBe("heads → x: heads are written L1");
    expect(reason({ heads: {}, list: [1, "2"] })).toBe(
      "list → 1: Invalid input: expected number, received string",
    );
    expect(reason({ heads: { L1: 5 } })).toMatch(/^heads → L1: Invalid input: expected string/);
    expect(reason([])).toBe("Invalid input: expected object, received array");
  });

  it("says how much else is wrong, and is never long", () => {
    expect(reason({ list: ["a", "b"] })).toMatch(/ \(and 2 more\)$/);
    expect(reason({ heads: {}, ["k".repeat(1e5)]: 1 }).length).toBeLessThan(310);
    expect(reason({ heads: { [`a\n${"k".repeat(1e5)}`]: "x" } })).not.toContain("\n");
  });

  it("is the message of any other error", () => {
    expect(reasonOf(new Error("no\n  disk"))).toBe("no disk");
    expect(reasonOf("text")).toBe("text");
  });
});
