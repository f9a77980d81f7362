import { expect, it } from "vitest";
import { TOWER_ACTIVATIONS } from "../checkpoint/model-config.ts";
import { SLOPES } from "./gradients.ts";
import { createGraph } from "./graph.ts";
import { createSession } from "./node-session.ts";
import { ACTIVATIONS } from "./transformer.ts";

it.each(TOWER_ACTIVATIONS)("the slope of %s is how fast it grows", async (activation) => {
  const g = createGraph("slope");
  const x = g.input("x", "float32", ["n"]);
  g.output("value", ACTIVATIONS.standard[activation](g, x));
  g.output("slope", SLOPES[activation](g, x));
  const session = await createSession(g.finish(), undefined);
  const step = 1 / 128;
  // 0 is left out: there ReLU has no slope.
  const at = Float32Array.from({ length: 40 }, (_, i) => (i - 20) / 4 + 1 / 8);
  const run = (shift: number) =>
    session.run({ x: { data: at.map((value) => value + shift), dims: [at.length] } });
  const [below, here, above] = [await run(-step), await run(0), await run(step)];
  for (const [i, slope] of here.slope.data.entries()) {
    const grown = (above.value.data[i] - below.value.data[i]) / (2 * step);
    expect(Math.abs(slope - grown)).toBeLessThan(1e-4);
  }
  await session.release();
});
