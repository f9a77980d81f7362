import { describe, expect, it } from "vitest";
import { Random } from "../../math/random.ts";
import type { MatMul } from "../../onnx/matmul.ts";
import { type Grouping, shuffle } from "./groupings.ts";
import { measureMargin } from "./sign.ts";

const WIDTH = 3;
const matmul: MatMul = async (a, b) => {
  const [, rows, inner] = a.dims;
  const columns = b.dims[2];
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let i = 0; i < inner; i++) sum += a.data[row * inner + i] * b.data[i * columns + column];
    return sum;
  });
};

/** Images that prefer the first text whatever they show, in groups of unequal size. */
function sample(sizes: readonly number[], strength: number) {
  const random = new Random(4);
  const groups = Int32Array.from(sizes.flatMap((size, g) => Array.from({ length: size }, () => g)));
  const probes = Float32Array.from({ length: sizes.length * WIDTH }, () => random.unit() - 0.5);
  const block = Float32Array.from({ length: groups.length * WIDTH }, (_, at) => {
    const [row, i] = [Math.floor(at / WIDTH), at % WIDTH];
    return 20 * probes[i] + strength * probes[groups[row] * WIDTH + i] + random.unit() - 0.5;
  });
  const grouping: Grouping = {
    name: "f",
    values: sizes.map((_, g) => `v${g}`),
    groups,
    images: groups.length,
  };
  return { block, probes, grouping };
}

describe("the margin of the own value's text", () => {
  it("is one-sided for a component that writes towards what it sees or away from it, whatever it always prefers", async () => {
    for (const strength of [8, -8]) {
      const { block, probes, grouping } = sample([40, 9, 20], strength);
      const { mean, low, high, first, last, p } = await measureMargin(block, WIDTH, probes, grouping, matmul);
      expect(Math.sign(mean)).toBe(Math.sign(strength));
      expect([Math.sign(low), Math.sign(high)]).toEqual([Math.sign(strength), Math.sign(strength)]);
      expect(strength > 0 ? first : last).toBeGreaterThan(0.8);
      expect(p).toBeLessThan(1e-6);
    }
  });

  it("of shuffled values is as rarely large as its p says, and as rarely outside its interval", async () => {
    const { block, probes, grouping } = sample([40, 9, 1, 20], 0.4);
    const [least, outside] = [[0.5, 0.1, 0.05], { count: 0 }];
    const found: number[] = [];
    const DRAWS = 800;
    for (let draw = 0; draw < DRAWS; draw++) {
      const groups = shuffle(grouping.groups, 1, draw);
      const { p, low, high } = await measureMargin(block, WIDTH, probes, { ...grouping, groups }, matmul);
      found.push(p);
      if (low > 0 || high < 0) outside.count++;
    }
    for (const level of least) {
      const share = found.filter((p) => p <= level).length / DRAWS;
      expect(Math.abs(share - level), `${level}`).toBeLessThan(0.02 + 0.15 * level);
    }
    expect(outside.count / DRAWS).toBeLessThan(0.12);
  });
});
