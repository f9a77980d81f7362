import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { csvOf } from "./csv.ts";

const read = (csv: string): string[][] => parse(csv, { comment: "#", comment_no_infix: true });

test("a reader gets back what was written, whatever texts hold", () => {
  const cell = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom('say "a, b"', "two\nlines", "\r", "# no comment", ""),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, fc.double({ noNaN: true }))), (rows) => {
      const written = read(csvOf({ program: "x" }, ["#a", "b", "c"], rows));
      const plain = (text: string) => (/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text);
      expect(written).toEqual([
        ["#a", "b", "c"],
        ...rows.map(([a, b, c]) => [plain(a), plain(b), String(c)]),
      ]);
    }),
  );
});

test("no text is a formula to a spreadsheet, and numbers stay numbers", () => {
  const rows = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"].map((text) => [
    text,
    -1.5,
    null,
    undefined,
    true,
  ]);
  const [, ...lines] = read(csvOf(undefined, ["text", "value", "none", "neither", "is"], rows));
  for (const [text, ...others] of lines) {
    expect(text).toMatch(/^'/);
    expect(others).toEqual(["-1.5", "", "", "true"]);
  }
});

test("an origin is written as comment lines: one a value, with its path, nothing for what is not known", () => {
  const origin = {
    program: "clip-interpret" as const,
    version: "1.0.0",
    model: { name: "m", weights: "ab", precision: "fp32" as const, device: "cpu", notice: null },
    image: { name: "a\nb,=c()", label: null, sha256: "cd" },
  };
  expect(csvOf(origin, ["a"], [[1]])).toBe(
    `# program: clip-interpret
# version: 1.0.0
# model.name: m
# model.weights: ab
# model.precision: fp32
# model.device: cpu
# image.name: a b,'=c()
# image.sha256: cd
a
1
`,
  );
});
