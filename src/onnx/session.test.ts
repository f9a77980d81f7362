import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStaticServer } from "../../test/support/static-server.ts";
import { webRuntime } from "../../test/support/web-runtime.ts";
import { tensorBytes } from "../checkpoint/pieces.ts";
import { readSafetensors, type TensorRef } from "../checkpoint/safetensors.ts";
import { readTensor } from "../checkpoint/tensor-values.ts";
import { disk } from "../support/disk-bytes.ts";
import { webBytes } from "../support/web-bytes.ts";
import { createGraph } from "./graph.ts";
import { openNodeSession } from "./node-session.ts";
import type { OpenSession } from "./session.ts";
import { webSessions } from "./web-session.ts";

/*
 * What any ONNX Runtime must do that models run in.
 */

const FOLDER = fileURLToPath(new URL("../../models/emoji-4x128-p8", import.meta.url));
const FILE = "open_clip_model.safetensors";
let server: Awaited<ReturnType<typeof startStaticServer>>;
beforeAll(async () => {
  server = await startStaticServer({ "": FOLDER });
});
afterAll(() => server.close());

const RUNTIMES: readonly (readonly [
  string,
  () => Promise<{ open: OpenSession; tensors: ReadonlyMap<string, TensorRef> }>,
])[] = [
  [
    "for Node, over files",
    async () => ({ open: openNodeSession, tensors: await readSafetensors(disk, `${FOLDER}/${FILE}`) }),
  ],
  [
    "for the web, over HTTP ranges",
    async () => {
      const bytes = webBytes();
      const tensors = await readSafetensors(bytes, `${server.url}/${FILE}`);
      return { open: webSessions(webRuntime(), bytes), tensors };
    },
  ],
];

describe.each(RUNTIMES)("ONNX Runtime %s", (_, make) => {
  it("multiplies, in one precision and in the other", async () => {
    const { open } = await make();
    const g = createGraph("products");
    const [a, b] = [g.input("a", "float32", [2, 2]), g.input("b", "float64", [2, 2])];
    g.output("square", g.op("MatMul", [a, a]));
    g.output("fourth", g.op("MatMul", [b, b]), { type: "float64" });
    const session = await open(g.finish(), []);
    const feeds = {
      a: { data: Float32Array.of(1, 2, 3, 4), dims: [2, 2] },
      b: { data: Float64Array.of(1, 0, 0, 0.1), dims: [2, 2] },
    };
    const { square } = await session.run(feeds);
    expect([square!.dims, [...square!.data]]).toEqual([
      [2, 2],
      [7, 10, 15, 22],
    ]);
    expect((await session.runDouble(feeds)).fourth!.data).toEqual(Float64Array.of(1, 0, 0, 0.1 * 0.1));
    await session.release();
  });

  it("reads weights where they lie", async () => {
    const { open, tensors } = await make();
    const [weight, bias] = ["visual.ln_post.weight", "visual.ln_post.bias"].map((name) => tensors.get(name)!);
    const g = createGraph("weights");
    g.output("sum", g.op("Add", [g.weight(weight!), g.weight(bias!)]));
    const session = await open(g.finish(), [weight!, bias!], { optimize: "none" });
    const { sum } = await session.run({});
    await session.release();
    const read = (tensor: TensorRef) => readTensor(disk, { ...tensor, file: `${FOLDER}/${FILE}` });
    const [gamma, beta] = [await read(weight!), await read(bias!)];
    expect(sum!.data).toEqual(gamma.map((value, i) => value + beta[i]!));
  });

  it("refuses what is no graph", async () => {
    const { open } = await make();
    await expect(open(Uint8Array.of(1, 2, 3), [])).rejects.toMatchObject({ code: "CHECKPOINT_INVALID" });
  });
});

it("of a checkpoint's file the web's session fetches the tensors that it is told of", async () => {
  const fetched: number[] = [];
  const bytes = webBytes({ onFetched: (one) => fetched.push(one.bytes) });
  const tensors = await readSafetensors(bytes, `${server.url}/${FILE}`);
  const last = [...tensors.values()].sort((a, b) => b.offset - a.offset)[0]!;
  const g = createGraph("one");
  g.output("again", g.op("Add", [g.weight(last), g.scalar(0)]));
  await (await webSessions(webRuntime(), bytes)(g.finish(), [last])).release();
  expect(fetched).toEqual([65_536, tensorBytes(last)]);
});
