import { expect, test } from "vitest";
import { sampleExplanation, sampleMatrix } from "./sample.fixture.ts";
import { explanationTerminal } from "./terminal.ts";

const input = (texts: string[], shape = { layers: 4, heads: 4 }) =>
  sampleExplanation(texts.map((text, index) => sampleMatrix(text, shape, index + 3)));
const plain = { columns: 80, colour: false };
/** Names and values of the rows of components. */
const rows = (output: string) =>
  [...output.matchAll(/^ {2}(embed|L\d+\.(?:MLP|H\d+)) +([+−]?[\d.]+)/gm)].map(([, name, number]) => ({
    name,
    value: Number(number.replace("−", "-")),
  }));

test("prints every component of a small model, largest first, and their sum", () => {
  const [text] = input(["a cat"]).texts;
  const output = explanationTerminal(input(["a cat"]), plain);
  const printed = rows(output);
  expect(new Set(printed.map(({ name }) => name)).size).toBe(21);
  const sizes = printed.map(({ value }) => Math.abs(value));
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  expect(printed.reduce((total, { value }) => total + value, 0)).toBeCloseTo(text.similarity, 3);
  expect(output).toContain("the parts add up exactly to the cosine (error 3e-8)");
});

test("of a large model prints 24 and the sum of the rest, or every one with `all`", () => {
  const large = input(["a cat"], { layers: 12, heads: 12 });
  const output = explanationTerminal(large, plain);
  const rest = /133 more +([+−][\d.]+) +together \(--all/.exec(output)![1];
  const shown = rows(output).reduce((total, { value }) => total + value, 0);
  expect(rows(output)).toHaveLength(24);
  expect(shown + Number(rest.replace("−", "-"))).toBeCloseTo(large.texts[0].sum, 3);
  expect(rows(explanationTerminal(large, { ...plain, all: true }))).toHaveLength(157);
});

test("ranks several texts, and does not when there is one", () => {
  const output = explanationTerminal(input(["a cat", "a dog", "a car"]), plain);
  const similarities = [...output.matchAll(/^ {2}“.*” +([−\d.]+)/gm)].map(([, n]) =>
    Number(n.replace("−", "-")),
  );
  expect(similarities).toHaveLength(3);
  expect(similarities).toEqual([...similarities].sort((a, b) => b - a));
  expect(explanationTerminal(input(["a cat"]), plain)).not.toContain("highest first");
});

test("bars grow to the right for positive values and to the left for negative ones", () => {
  for (const line of explanationTerminal(input(["a cat"]), plain).split("\n")) {
    if (/ \+.*[█▌]/.test(line)) expect(line).toMatch(/│[█▌]/);
    if (/ −.*[█▐]/.test(line)) expect(line).toMatch(/█│|▐│/);
  }
});

test("colours only when asked, and the words are the same", () => {
  const coloured = explanationTerminal(input(["a cat", "a dog"]), { columns: 80, colour: true });
  const bare = explanationTerminal(input(["a cat", "a dog"]), plain);
  expect(bare).not.toContain("\x1b");
  expect(coloured).toContain("\x1b[31m");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are the subject
  expect(coloured.replace(/\x1b\[\d+m/g, "")).toBe(bare);
});

test("fits the terminal, with long and wide texts too", () => {
  const texts = ["x".repeat(5000), "日本語のテキスト".repeat(40), "a cat"];
  for (const columns of [72, 80, 120]) {
    for (const line of explanationTerminal(input(texts), { columns, colour: false }).split("\n")) {
      const wide = line.match(/[\u2e80-\uffff]/g)?.length ?? 0;
      expect(line.length + wide, line).toBeLessThanOrEqual(columns);
    }
  }
});

test("control characters of a text do not reach the terminal", () => {
  const output = explanationTerminal(
    sampleExplanation(input(["\x1b[2Jgone\r\n\x07"]).texts, {
      image: "\x1b]0;title\x07.png",
      notice: "a\x1bb",
    }),
    plain,
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(output).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
});

test("says so when the parts do not add up", () => {
  const broken = input(["a cat"]);
  const texts = [{ ...broken.texts[0], error: 0.1 }];
  expect(explanationTerminal({ ...broken, texts }, plain)).toContain("the parts do NOT add up");
});
