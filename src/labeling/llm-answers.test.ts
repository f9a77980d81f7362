import { describe, expect, it } from "vitest";
import { parseLabel, parseVerdicts } from "./llm-answers.ts";

describe("an answer", () => {
  it.each([
    ["Locations", "Locations"],
    ["  locations.\n", "locations"],
    ['"Body parts"', "Body parts"],
    ["**Colors**", "Colors"],
    ["Label: Weather", "Weather"],
    ["<think>\nLisbon, Hanoi…\n</think>\n\nLocation", "Location"],
    ["Word starting with z", "Word starting with z"],
    ["Couleurs d’été", "Couleurs d'été"],
  ])("%j is the label %j", (answer, label) => {
    expect(parseLabel(answer)).toBe(label);
  });

  it.each([
    ["1 yes\n2 no\n3 yes", [true, false, true]],
    ["3. Yes\n1. No\n2. YES.", [true, true, false].map((_, i) => i > 0)],
    ["1: yes\r\n\r\n2) no\r\n3 - **yes**", [true, false, true]],
    ["<think>hm</think>1 no\n2 no\n3 no", [false, false, false]],
  ])("%j gives verdicts", (answer, verdicts) => {
    expect(parseVerdicts(answer, 3)).toEqual(verdicts);
  });

  it("that is too long is shown in part", () => {
    expect(() => parseLabel("word ".repeat(200))).toThrow(/^.{1,220}$/);
  });
});
