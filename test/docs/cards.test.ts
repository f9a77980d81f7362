import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { minimumShare } from "../../src/math/minimum.ts";

/*
 * What a model's card says of its worst group and of the style it never saw, against the counts in its evaluation. The
 * cards are written by Python; this program's own arithmetic must find the same.
 */

interface Measured {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}
interface Evaluation {
  readonly compositions: { readonly concept: Measured };
  readonly style: { readonly concept: Measured };
  readonly bias: {
    readonly worst: Measured & { readonly concept: string; readonly background: string };
    readonly groups: readonly { readonly hits: number; readonly n: number }[];
  };
}

const percent = ({ accuracy, low, high }: Measured) =>
  `${(100 * accuracy).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
const family = readFileSync("models/README.md", "utf8");

const models = readdirSync("models").filter((name) => existsSync(`models/${name}/evaluation.json`));

describe.each(models)("the card of %s", (name) => {
  const read = (file: string) => readFileSync(`models/${name}/${file}`, "utf8");
  const { compositions, style, bias } = JSON.parse(read("evaluation.json")) as Evaluation;
  const card = read("README.md");

  it("gives the worst group the interval of the lowest accuracy of all groups", () => {
    const { share, low, high } = minimumShare(bias.groups);
    const { worst } = bias;
    expect(worst.accuracy).toBeCloseTo(share, 12);
    expect(worst.low).toBeCloseTo(low, 8);
    expect(worst.high).toBeCloseTo(high, 8);
    expect(card).toContain(`${worst.concept} on ${worst.background}, ${percent(worst)}`);
    expect(family).toContain(percent(worst));
  });

  it("begins with what a hub reads of it, the accuracy among that", () => {
    const [, header] = /^---\n([\s\S]*?)\n---\n\n# /.exec(card) ?? [];
    for (const line of ["license: mit", "library_name: open_clip", `  - name: ${name}`])
      expect(header?.split("\n")).toContain(line);
    expect(header).toContain(`value: ${compositions.concept.accuracy.toFixed(4)}`);
  });

  it("has the accuracy on the unseen style beside that on seen drawings", () => {
    for (const of of [compositions.concept, style.concept]) {
      expect(card).toContain(`| concept | ${percent(of)}`);
      expect(family.split("## Elsewhere")[0]).toContain(percent(of));
    }
  });
});
