import fc from "fast-check";
import { expect, test } from "vitest";
import {
  cleanText,
  decimalsFor,
  escapeXml,
  formatCosine,
  formatError,
  formatSigned,
  shorten,
  textWidth,
} from "./text.ts";

test("escapes what has a meaning in XML, inside elements and attributes", () => {
  expect(escapeXml(`<script>"a" & 'b'</script>`)).toBe(
    "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;",
  );
});

test("drops controls, bidirectional overrides and halves of characters; keeps every script and emoji", () => {
  expect(cleanText("a\u0000b\u001b[31mc\u202ed\ud800e\uffff \r\n\t f")).toBe("ab[31mcde f");
  expect(cleanText("שלום 👩‍👩‍👧 naïve 日本")).toBe("שלום 👩‍👩‍👧 naïve 日本");
  expect(cleanText(`Z${"\u0301".repeat(4000)}`)).toHaveLength(5);
});

test("whatever the text, the result is legal XML text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escapeXml(text)).not.toMatch(/[<>"'\p{Surrogate}\p{Cc}]|&(?!amp;|lt;|gt;|quot;|#39;)/u);
    }),
  );
});

test("a shortened text fits, ends in … and is cut between characters", () => {
  const widthOf = (part: string) => textWidth(part, 12);
  expect(shorten("a cat", 100, widthOf)).toBe("a cat");
  const cut = shorten("x".repeat(5000), 200, widthOf);
  expect(cut).toMatch(/^x{10,}…$/);
  expect(widthOf(cut)).toBeLessThanOrEqual(200);
  expect(shorten("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 2, () => 1)).toBe("👩‍👩‍👧…");
  expect(shorten("x".repeat(5000), Number.POSITIVE_INFINITY, widthOf).length).toBeLessThan(400);
});

test("numbers have a true minus, a sign and as many decimals as their size needs", () => {
  expect(formatSigned(0.03124, decimalsFor(0.0312))).toBe("+0.0312");
  expect(formatSigned(-0.0041, 4)).toBe("−0.0041");
  expect(formatSigned(-0.00001, 4)).toBe("0.0000");
  expect([decimalsFor(1.5), decimalsFor(0.2), decimalsFor(0.0004), decimalsFor(0)]).toEqual([2, 3, 6, 4]);
  expect([formatCosine(0.12344), formatCosine(-0.5), formatCosine(-1e-9)]).toEqual([
    "0.1234",
    "−0.5000",
    "0.0000",
  ]);
  expect([formatError(3.2e-8), formatError(0)]).toEqual(["3e-8", "0"]);
});
