import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorPage } from "../../scripts/error-page.ts";
import { ClipInterpretError, ERRORS, exitCodeOf } from "./errors.ts";

describe("errors", () => {
  it("are all documented in docs/errors.md (`npm run docs:errors` writes it)", () => {
    expect(readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8")).toBe(errorPage());
  });

  it("exit with 1 for a user's mistake, 2 for a fault of ours, 130 after Ctrl-C", () => {
    expect(exitCodeOf(new ClipInterpretError("USAGE", "x"))).toBe(1);
    expect(exitCodeOf(new ClipInterpretError("SUM_MISMATCH", "x"))).toBe(2);
    expect(exitCodeOf(new ClipInterpretError("CANCELLED", "x"))).toBe(130);
    expect(exitCodeOf(new Error("x"))).toBe(2);
  });

  it("carry the table's hint unless they have a better one", () => {
    expect(new ClipInterpretError("USAGE", "x").hint).toBe(ERRORS.USAGE.hint);
    expect(new ClipInterpretError("USAGE", "x", { hint: "y" }).hint).toBe("y");
  });
});
