import { parse } from "csv-parse/sync";
import { expect, it } from "vitest";
import { runHere } from "../../test/support/run-cli.ts";
import { ablation } from "../views/ablation/ablation.fixture.ts";
import { result as compared } from "../views/compare/compare.fixture.ts";
import { cue } from "../views/debias/debias.fixture.ts";
import { sample as tuned } from "../views/fine-tune/fine-tune.fixture.ts";
import { sample as fromWeights } from "../views/from-weights/from-weights.fixture.ts";
import { RESULT as labelled } from "../views/labels/labels.fixture.ts";
import { result as neighbors } from "../views/neighbors/neighbors.fixture.ts";
import { small as selectivity } from "../views/selectivity/selectivity.fixture.ts";
import { sample as textspan } from "../views/textspan/textspan.fixture.ts";
import { tableText } from "./tables.ts";

const RESULTS: readonly (readonly [command: string, result: object])[] = [
  ["compare", compared(2, 2)],
  ["compare", tuned(4)],
  ["debias", cue],
  ["evaluate zero-shot", ablation],
  ["label", labelled],
  ["neighbors", neighbors],
  ["selectivity", selectivity],
  ["textspan", textspan(2, 3)],
  ["textspan", fromWeights(2, 3)],
];

it.each(RESULTS)(
  "%s gives the same rows as CSV and as JSON Lines, every cell one value",
  (command, result) => {
    const lines = tableText(command, result, "jsonl")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const rows: Record<string, string>[] = parse(tableText(command, result, "csv"), {
      columns: true,
      comment: "#",
      comment_no_infix: true,
    });
    expect(lines.length).toBeGreaterThan(0);
    const cell = (value: unknown) => (value === null || value === undefined ? "" : String(value));
    for (const [i, line] of lines.entries()) {
      expect(Object.values(line).filter((value) => value !== null && typeof value === "object")).toEqual([]);
      for (const [name, text] of Object.entries(rows[i])) {
        // A text that a spreadsheet would compute has an apostrophe before it.
        expect(text.replace(/^'/, ""), name).toBe(cell(line[name]));
      }
    }
  },
);

it("explain's rows sum to each text's similarity, and name the model they come from", async () => {
  const { code, stdout } = await runHere("explain", "--csv");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^# program: clip-interpret\n# version: .*\n# model.name: emoji-4x128-p8\n/);
  const rows: Record<string, string>[] = parse(stdout, {
    columns: true,
    comment: "#",
    comment_no_infix: true,
  });
  const texts = new Set(rows.map(({ text }) => text));
  expect(texts.size).toBeGreaterThan(1);
  for (const text of texts) {
    const own = rows.filter((row) => row.text === text);
    const sum = own.reduce((total, row) => total + Number(row.value), 0);
    expect(sum).toBeCloseTo(Number(own[0].similarity), 6);
  }
});
