import { describe, expect, it } from "vitest";
import { parseLabel, parseVerdicts } from "./llm-answers.ts";

describe("an answer", () => {
  it.each([
    ["Locations", "Locations"],
    ["  locations.\n", "locations"],
    ['"Body parts"', "Body parts"],
    ["**Colors**", "Colors"],
    ["Label: Weather", "Weather"],
    ["**Property:** Weather", "Weather"],
    ["<think>\nLisbon, Hanoi…\n</think>\n\nLocation", "Location"],
    ["Lisbon, Hanoi…\n</think>\n\nLocation", "Location"],
    ["Word starting with z", "Word starting with z"],
    ["Couleurs d’été", "Couleurs d'été"],
    ['{"label": "Body parts"}', "Body parts"],
    ['```json\n{"label": "Body parts"}\n```', "Body parts"],
    ["Here is the name:\n```\nTextures\n```", "Textures"],
    ["No entry signs", "No entry signs"],
    ["Nothingness", "Nothingness"],
  ])("%j is the label %j", (answer, label) => {
    expect(parseLabel(answer)).toBe(label);
  });

  it.each([
    ...["None", "none.", "N/A", "**None**", "No common property", "Nothing in common", "I don’t know"],
    ...[
      "Unknown",
      "Label: none",
      "I do not know.",
      '{"label": null}',
      '{"label": "none"}',
      "No clear pattern",
    ],
    ...["There is no common property.", "<think>birds and rust?</think>None of them"],
  ])("%j says that there is no label", (answer) => {
    expect(parseLabel(answer)).toBeNull();
  });

  it.each([
    ...["A name of five words", "These are all about places", "They are places", "It is location"],
    ...["The common property is location", '{"name": "Location"}', "<think>Lisbon, Hanoi…", "```\n```", "42"],
    ...["Location\nor place", "```\nLocation\n```\n```\nPlace\n```"],
  ])("%j is no label", (answer) => {
    expect(() => parseLabel(answer)).toThrow(expect.objectContaining({ code: "LLM_ANSWER_INVALID" }));
  });

  it.each([
    ["1 yes\n2 no\n3 yes", [true, false, true]],
    ["3. Yes\n1. No\n2. YES.", [false, true, true]],
    ["1: yes\r\n\r\n2) no\r\n3 - **yes**", [true, false, true]],
    ["<think>hm</think>1 no\n2 no\n3 no", [false, false, false]],
    ["1. Yes – it names a town\n2. No - a colour\n3. Yes, a hill.", [true, false, true]],
    ["1. **Yes** (a town)\n2. **No**: a colour\n**3. Yes**", [true, false, true]],
    ["- 1: Yes\n- 2: No\n- 3: Yes", [true, false, true]],
    ["```\n1 yes\n2 no\n3 yes\n```", [true, false, true]],
    ["Verdicts:\n```text\n1 yes\n2 no\n3 yes\n```\n", [true, false, true]],
    ["1. 1\n2. 0\n3. 1", [true, false, true]],
    ["1 0\n2 0\n3 1", [false, false, true]],
    ["1\n0\n1", [true, false, true]],
    ["yes\nno – a colour\nyes", [true, false, true]],
    ['{"1": true, "2": false, "3": true}', [true, false, true]],
    ['{"1": "yes", "2": "no", "3": 1}', [true, false, true]],
  ])("%j gives verdicts", (answer, verdicts) => {
    expect(parseVerdicts(answer, 3)).toEqual(verdicts);
  });

  it.each([
    ...[
      "1 yes\n2 no",
      "1 yes\n1. no\n3 yes",
      "1. Yes\n1. No\n1. Yes",
      "1 yes\n2 maybe\n3 yes",
      "1. No idea\n2. yes\n3. yes",
    ],
    ...[
      "1 yes\n2 no\n4 yes",
      "0\n1\n2",
      "1. 0.5\n2. 0.1\n3. 0.9",
      "All but the last fit.",
      "1. Yes and no\n2. no\n3. no",
    ],
    ...[
      '{"1": true, "2": false}',
      '{"1": true, "2": "perhaps", "3": true}',
      "1 yes\n2 no\n3 yes\nI hope this helps.",
    ],
    ...["1 1 1", "yes", "1.\n0.\n1."],
  ])("%j gives none", (answer) => {
    expect(() => parseVerdicts(answer, 3)).toThrow(expect.objectContaining({ code: "LLM_ANSWER_INVALID" }));
  });

  it.each([
    ["1", true],
    ["0", false],
    ["No.", false],
    ["1. No", false],
    ["Yes – it names a town", true],
    ['{"1": false}', false],
  ])("%j about one description is %j", (answer, verdict) => {
    expect(parseVerdicts(answer, 1)).toEqual([verdict]);
  });

  it("that is too long is shown in part, and not read without bound", () => {
    expect(() => parseLabel("word ".repeat(200))).toThrow(/^.{1,220}$/);
    expect(() => parseLabel(`${"`".repeat(3)}\n`.repeat(10_000))).toThrow(/an answer of .* characters/);
    expect(parseLabel(`<think>${"hm ".repeat(100_000)}</think>Location`)).toBe("Location");
  });
});
