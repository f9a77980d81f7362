import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { relativeError } from "../../test/support/compare.ts";
import { writeSafetensors } from "../../test/support/safetensors.ts";
import { readSafetensors } from "../checkpoint/safetensors.ts";
import { disk } from "../support/disk-bytes.ts";
import { createGraph } from "./graph.ts";
import { linearIn, type Precision } from "./linear.ts";
import { createSession } from "./node-session.ts";

const [ROWS, INPUTS, OUTPUTS] = [6, 64, 24];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "linear-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** x·Wᵀ + b as the towers compute it. */
async function product(precision: Precision, x: Float32Array, weight: Float32Array, bias: Float32Array) {
  const path = join(folder, "linear.safetensors");
  const raw = (values: Float32Array, shape: number[]) => ({
    dtype: "F32",
    shape,
    bytes: new Uint8Array(values.buffer),
  });
  writeSafetensors(
    path,
    new Map([
      ["weight", raw(weight, [OUTPUTS, INPUTS])],
      ["bias", raw(bias, [OUTPUTS])],
    ]),
  );
  const tensors = await readSafetensors(disk, path);
  const g = createGraph("linear");
  const linear = { weight: tensors.get("weight")!, bias: tensors.get("bias")! };
  g.output("y", linearIn(precision)(g, g.input("x", "float32", ["rows", INPUTS]), linear));
  const session = await createSession(g.finish(), path);
  const { y } = await session.run({ x: { data: x, dims: [x.length / INPUTS, INPUTS] } });
  await session.release();
  return y.data;
}

/** Not centred on zero, so that no sum of products all but cancels out. */
const wave = (length: number, pace: number) =>
  Float32Array.from({ length }, (_, i) => 0.4 + Math.sin(i * i * pace));
const weight = wave(OUTPUTS * INPUTS, 1.3);
const bias = wave(OUTPUTS, 0.9);

describe("a linear map in int8", () => {
  it("is near the one in float32, and is not it", async () => {
    const x = wave(ROWS * INPUTS, 0.7);
    const [exact, int8] = await Promise.all([
      product("fp32", x, weight, bias),
      product("int8", x, weight, bias),
    ]);
    expect(relativeError(int8, exact)).toBeGreaterThan(1e-4);
    expect(relativeError(int8, exact)).toBeLessThan(0.02);
  });

  it("does not overflow where every weight and every input has the largest level", async () => {
    const ones = new Float32Array(OUTPUTS * INPUTS).fill(1);
    const y = await product("int8", new Float32Array(INPUTS).fill(1), ones, new Float32Array(OUTPUTS));
    for (const value of y) expect(value).toBeCloseTo(INPUTS, 4);
  });

  it("scales every row and every output channel by itself", async () => {
    const x = wave(ROWS * INPUTS, 0.7).map((value, i) => value * 10 ** -Math.floor(i / INPUTS));
    const uneven = weight.map((value, i) => value * 10 ** -(Math.floor(i / INPUTS) % 6));
    const none = new Float32Array(OUTPUTS);
    const exact = await product("fp32", x, uneven, none);
    const int8 = await product("int8", x, uneven, none);
    for (let row = 0; row < ROWS; row++) {
      for (let group = 0; group < 6; group++) {
        const pick = (y: Float32Array) =>
          y.slice(row * OUTPUTS, (row + 1) * OUTPUTS).filter((_, channel) => channel % 6 === group);
        expect(relativeError(pick(int8), pick(exact))).toBeLessThan(0.1);
      }
    }
  });

  it("keeps rows and channels of zeros", async () => {
    const y = await product("int8", new Float32Array(2 * INPUTS), weight, bias);
    expect([...y]).toEqual([...bias, ...bias]);
    const channels = await product("int8", wave(INPUTS, 1), new Float32Array(OUTPUTS * INPUTS), bias);
    expect([...channels]).toEqual([...bias]);
  });
});
