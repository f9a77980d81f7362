import { expect, it } from "vitest";
import { measureLabelFiles } from "./measure-files.ts";

it("several models' labels are measured at equal numbers too: the smallest as it is, others between it and all of theirs", async () => {
  const { files } = await measureLabelFiles(["published"]);
  const fewest = Math.min(...files.map(({ metrics }) => metrics.heads));
  expect(files.length).toBe(6);
  for (const { metrics, equalHeads } of files) {
    expect(equalHeads).toMatchObject({ heads: fewest, of: metrics.heads });
    const { synonym } = equalHeads!.entanglement;
    if (metrics.heads === fewest) expect(synonym).toBeCloseTo(metrics.entanglement.synonym, 12);
    else expect(synonym).toBeLessThan(metrics.entanglement.synonym);
  }
});
