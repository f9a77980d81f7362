import { describe, expect, it } from "vitest";
import { always, guess, listed, often, perfect, resultOf, saidOf } from "../../referee/referee.fixture.ts";
import type { RefereeMethod, RefereeResult } from "../../results/referee.ts";
import { refereeHeadsCsv, refereeMethodsCsv } from "./csv.ts";
import { refereeMarkdown } from "./markdown.ts";
import { refereeHtml } from "./page.ts";
import { refereeSvg } from "./svg.ts";
import { findings } from "./words.ts";

const EVIL = '=1+1,"<script>alert(1)</script>|`';
const says = { perfect, often: often(0.5), guess, [EVIL]: always };
const methods = [...Object.keys(says).map((key) => listed(key))];
const said = (count: number) => Array.from({ length: count }, (_, i) => saidOf(`model ${i}`, i + 1, says));
const result = resultOf(said(4), methods);

/** The result with one method's numbers set. */
const withMethod = (
  key: string,
  change: (method: RefereeMethod) => Partial<RefereeMethod>,
): RefereeResult => ({
  ...result,
  methods: result.methods.map((method) => (method.key === key ? { ...method, ...change(method) } : method)),
});
const wordsOf = (of: RefereeResult) => findings(of).join("\n");

describe("the referee's words", () => {
  it("say who is right most often, beside what", () => {
    const [first] = findings(result);
    const { constant } = result;
    expect(first).toContain("perfect is right most often: for 64 of 64 heads (100 %)");
    expect(first).toContain(
      `Always saying “${constant.label}” is right for ${Math.round((100 * constant.right) / 64)} %`,
    );
    expect(first).toContain("Better than one label for all, over heads and over trainings: perfect");
  });

  it("follow each method's verdict", () => {
    for (const [verdict, words] of [
      [
        "beats it over these heads only",
        "Better than it over these heads only, which are not independent draws: perfect",
      ],
      ["beats chance only", "Better than chance within layers, but not than one label for all: perfect"],
      ["not told from chance", "Not told from labels dealt out at random within layers: perfect"],
    ] as const) {
      const alone = withMethod("perfect", () => ({ verdict }));
      const others = {
        ...alone,
        methods: alone.methods.filter(({ key }) => ["perfect", "constant"].includes(key)),
      };
      expect(wordsOf(others)).toContain(words);
      expect(wordsOf(others)).toContain("No method is shown to be better than one label for all");
    }
  });

  it("tell a method from the leader by its p, just below and at the level", () => {
    const at = (p: number) => wordsOf(withMethod("often", () => ({ behind: { ahead: 9, back: 1, p } })));
    expect(at(0.049)).toMatch(/Behind perfect by more than accident: [^(]*often/);
    expect(at(0.05)).toMatch(/not told apart from it: often/);
  });

  it("say of whom the labelled factor suffers, by the corrected p", () => {
    const at = (pHolm: number) =>
      wordsOf(withMethod("perfect", ({ causal }) => ({ causal: { ...causal!, p: 0.01, pHolm } })));
    expect(at(0.049)).toMatch(/the labelled factor suffers for perfect/);
    expect(at(0.05)).toMatch(/; not for perfect/);
  });

  it("say what is lost elsewhere", () => {
    const share = { mean: 0.4, low: 0.35, high: 0.45 };
    const lost = wordsOf(withMethod("perfect", () => ({ texts: share })));
    expect(lost).toContain("with half of the texts for 40 % [0.35, 0.45]");
    expect(lost).toContain("Most is lost by perfect with half of the texts: 60 points of 100.");
    expect(wordsOf(result)).toContain("No method loses a point of 100");
  });

  it("of one model say nothing of trainings; always say what the models are", () => {
    const one = resultOf(said(1), methods);
    expect(wordsOf(one)).not.toContain("is ahead of one label for all by");
    expect(wordsOf(one)).not.toContain("over heads and over trainings:");
    expect(wordsOf(result)).toContain("Over 4 trainings, perfect is ahead of one label for all by");
    expect(findings(one).at(-1)).toContain("Truth here is what is known of these images");
    const embedded = resultOf([saidOf("emoji-4x128-p8", 1, says)], methods);
    expect(findings(embedded).at(-1)).toContain("small models of a generated world");
  });
});

describe("the referee's files", () => {
  it("take no text for markup, a cell or a formula", () => {
    const page = refereeHtml(result);
    expect(page).not.toContain("<script>");
    expect(page).toContain("&lt;script&gt;");
    expect(refereeSvg(result)).not.toContain("<script>");
    const lines = refereeMethodsCsv(result).split("\n");
    expect(lines.some((line) => line.startsWith(`"'=1+1,""<script>`))).toBe(true);
    const rows = refereeMarkdown(result)
      .split("\n")
      .filter((line) => line.startsWith("| ") && line.includes("1+1"));
    expect(rows.length).toBeGreaterThan(2);
    for (const row of rows) expect(row).toContain("\\|\\`");
  });

  it("have a line a method, and a line a head with what every method says", () => {
    const dataOf = (csv: string) => csv.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(dataOf(refereeMethodsCsv(result)).length).toBe(1 + result.methods.length);
    const [head, first, ...rest] = dataOf(refereeHeadsCsv(result));
    expect(rest.length).toBe(63);
    expect(head.startsWith("model,layer,head,truth,share,perfect,")).toBe(true);
    const cells = first.split(",");
    expect(cells[3]).toBe(cells[5]);
  });

  it("say which method did not run, and why", () => {
    expect(refereeMarkdown(result)).toContain("no: no --llm-url was given");
  });
});
