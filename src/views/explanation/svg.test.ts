import { describe, expect, test } from "vitest";
import type { ExplainResult } from "../../results/explain.ts";
import { expectBalanced } from "../kit/markup.fixture.ts";
import { explanationHtml } from "./page.ts";
import { sampleExplanation, sampleMatrix } from "./sample.fixture.ts";
import { explanationSvg as draw } from "./svg.ts";

const image = { png: new Uint8Array([137, 80, 78, 71]), width: 64, height: 64 };
const shape = { layers: 4, heads: 4 };
const HOSTILE = [
  `<script>alert("1")</script>`,
  `"quotes" & 'more' ]]> -->`,
  "ctrl \u0000\u001b[31m \u202e reversed",
  "x".repeat(5000),
  "a 👩‍👩‍👧 and a 🚗",
  "שלום עולם",
  "",
];

const explanation = (texts: readonly string[]) =>
  sampleExplanation(texts.map((text, index) => sampleMatrix(text, shape, 5 + index)));
const explanationSvg = (result: ExplainResult, picture = image) => draw(result, { image: picture });

describe("picture of an explanation", () => {
  test.each([1, 2, 3, 6, 9])("%i texts: one matrix each, inside the picture, none over another", (count) => {
    const svg = explanationSvg(explanation(HOSTILE.concat("a", "b").slice(0, count)));
    expectBalanced(svg);
    expect(svg.match(/<title>L3\.H3 /g)).toHaveLength(count);
    expect(svg.match(/sums exactly/g)).toHaveLength(count);
    expect(svg.match(/towards the text →/g)).toHaveLength(1);
  });

  test("texts are in the order of their similarity", () => {
    const input = explanation(["a", "b", "c"]);
    const texts = input.texts.map((text, index) => ({ ...text, similarity: [0.1, 0.3, 0.2][index] }));
    const drawn = [...explanationSvg({ ...input, texts }).matchAll(/>cosine (0\.\d+)</g)].map(([, n]) => n);
    expect(drawn).toEqual(["0.3000", "0.2000", "0.1000"]);
  });

  test("the matrices share one colour scale, and the picture says so", () => {
    const input = explanation(["a", "b"]);
    const weak = { ...input.texts[1], heads: input.texts[1].heads.map((head) => ({ ...head, value: 1e-6 })) };
    const svg = explanationSvg({ ...input, texts: [input.texts[0], weak] });
    expect(svg).toContain("One colour scale for all texts.");
    const alone = explanationSvg({ ...input, texts: [weak] });
    const fillOf = (text: string) =>
      /<title>L0\.H0 \+0\.0000[^<]*<\/title>[^>]*fill="(#\w+)"/.exec(text)?.[1];
    expect(fillOf(svg)).toBe("#f5f5f5");
    expect(fillOf(alone)).toBe("#b2182b");
  });

  test("a small image is enlarged in whole squares, a large one is not", () => {
    expect(explanationSvg(explanation(["a"]))).toContain('image-rendering="optimizeSpeed"');
    const large = { ...image, width: 224, height: 224 };
    expect(explanationSvg(explanation(["a"]), large)).not.toContain("image-rendering");
    expect(explanationSvg(explanation(["a"]), large)).toContain('href="data:image/png;base64,iVBORw=="');
  });

  test("the notice appears; the caption does not claim a sum that does not hold", () => {
    const input = explanation(["a"]);
    const broken = sampleExplanation([{ ...input.texts[0], error: 0.1 }], { notice: "outside <its> world" });
    expect(explanationSvg(broken)).toContain("outside &lt;its&gt; world");
    expect(explanationSvg(broken)).toContain("do NOT add up");
    expect(explanationSvg(input)).toContain("add up exactly");
  });

  test("hostile names and texts stay text", () => {
    const about = { image: "<svg><img src=x>".repeat(50), model: "<b>" };
    const svg = explanationSvg(sampleExplanation(explanation(HOSTILE).texts, about));
    expectBalanced(svg);
    expect(svg).not.toMatch(/<script|<img|<b>|x{400}/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
    expect(svg).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
  });
});

describe("HTML page", () => {
  const page = explanationHtml(explanation(HOSTILE), { image });

  test("is well formed and keeps hostile text inert", () => {
    expectBalanced(page.replace("<!doctype html>", ""));
    expect(page).not.toMatch(/<script|onerror=|javascript:/i);
    expect(page).not.toContain("\u202e");
  });

  test("asks for nothing outside itself", () => {
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<link|@import|url\(|(?:src|href)="(?!data:)/);
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\//);
  });

  test("has the largest contributions of every text as a table that sums to the score", () => {
    const tables = page.match(/<table>.*?<\/table>/gs) ?? [];
    expect(tables).toHaveLength(HOSTILE.length);
    for (const table of tables) {
      const rows = [...table.matchAll(/<td>([+−]?[\d.]+)<\/td>/g)].map(([, n]) =>
        Number(n.replace("−", "-")),
      );
      const total = rows.pop()!;
      expect(rows).toHaveLength(13);
      expect(rows.reduce((sum, value) => sum + value, 0)).toBeCloseTo(total, 3);
    }
  });

  test("holds all of the data as JSON that reads back equal", () => {
    const json = /<pre[^>]*>(.*?)<\/pre>/s.exec(page)![1].replaceAll("&lt;", "<").replaceAll("&amp;", "&");
    expect(JSON.parse(json)).toEqual(explanation(HOSTILE));
  });
});
