/**
 * What taking texts apart costs over plain encoding, side by side in one run. `npm run bench:text [-- MODEL …]`.
 *
 * Random weights of the true shapes. All take turns on the same batch of texts of one length, in one order and the other; what counts
 * is the ratio of their medians, of the processor's time, which other work on the machine leaves nearly as it is.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadClipModel } from "../src/model/load-model.ts";
import { writeRandomCheckpoint } from "../test/support/random-checkpoint.ts";
import { SHAPES } from "../test/support/true-checkpoints.ts";
import { ratio } from "./ratio.ts";

type ModelName = keyof typeof SHAPES;
/** Texts in a batch, and tokens of each: a caption's, and the whole context. */
const CASES = [
  { texts: 32, tokens: 12, rounds: 9 },
  { texts: 8, tokens: 77, rounds: 9 },
  { texts: 1, tokens: 12, rounds: 61 },
] as const;

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function measure(name: ModelName, folder: string): Promise<void> {
  await writeRandomCheckpoint(folder, SHAPES[name]);
  const model = await loadClipModel(folder);
  const last = SHAPES[name].text.vocabSize - 1;
  for (const { texts, tokens, rounds } of CASES) {
    const batch = Array.from({ length: texts }, (_, text) =>
      Array.from({ length: tokens }, (_, at) => (at === tokens - 1 ? last : (text * 7919 + at * 31) % last)),
    );
    const all = Array.from({ length: SHAPES[name].text.layers }, (_, layer) => layer);
    const variants = {
      plain: () => model.encodeTokens(batch),
      parts: () => model.decomposeTokens(batch),
      tokens: () => model.decomposeTokens(batch, { tokenLayers: all }),
    };
    const times = { plain: [] as number[], parts: [] as number[], tokens: [] as number[] };
    const order = ["plain", "parts", "tokens"] as const;
    for (let round = -1; round < rounds; round++)
      for (const variant of round % 2 === 0 ? order : order.toReversed()) {
        const start = process.cpuUsage();
        await variants[variant]();
        const { user, system } = process.cpuUsage(start);
        if (round >= 0) times[variant].push((user + system) / 1000);
      }
    const plain = median(times.plain);
    const over = (variant: "parts" | "tokens") => (median(times[variant]) / plain).toFixed(3);
    for (const [variant, what] of [
      ["parts", "parts"],
      ["tokens", "parts with every layer's tokens"],
    ] as const)
      ratio({
        ...{ what: `${what} of ${texts} texts of ${tokens} tokens, ${name}`, took: median(times[variant]) },
        ...{ unit: "ms of processor", beside: "plain encoding", besideTook: plain },
      });
    console.log(
      `${name}: ${texts} texts of ${tokens} tokens: plain ${plain.toFixed(1)} ms; parts ×${over("parts")}; parts with every layer's tokens ×${over("tokens")}`,
    );
  }
  await model.release();
}

const folder = await mkdtemp(join(tmpdir(), "clip-interpret-bench-"));
try {
  const asked = process.argv.slice(2).filter((name): name is ModelName => name in SHAPES);
  for (const name of asked.length > 0 ? asked : (["ViT-B-32"] as const))
    await measure(name, join(folder, name));
} finally {
  await rm(folder, { recursive: true });
}
