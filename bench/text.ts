/**
 * What taking texts apart costs over plain encoding, side by side in one run. `npm run bench:text [-- MODEL …]`.
 *
 * Random weights of the true shapes, texts of one length. Each way takes turns with plain encoding, before and behind it; what counts is
 * the median of the ratios of such pairs, of the processor's time, which other work on the machine changes for both. One thread: waking
 * others costs time that is not these graphs'. Where a session's weights happen to lie in memory is worth up to a fifth, so pairs are of
 * several loads of the model, whose sessions are made in one order and the other.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadClipModel } from "../src/model/load-model.ts";
import { writeRandomCheckpoint } from "../test/support/random-checkpoint.ts";
import { SHAPES } from "../test/support/true-checkpoints.ts";
import { ratio } from "./ratio.ts";

type ModelName = keyof typeof SHAPES;
/** Texts in a batch, and tokens of each: a caption's, and the whole context; pairs of each load. */
const CASES = [
  { texts: 32, tokens: 12, rounds: 6 },
  { texts: 8, tokens: 77, rounds: 4 },
  { texts: 1, tokens: 12, rounds: 40 },
] as const;
const LOADS = 4;
/** Runs before a pair counts: code is compiled as it is used. */
const WARM = 3;

const WAYS = { parts: "parts", tokens: "parts with every layer's tokens" } as const;
type Way = keyof typeof WAYS;

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function measure(name: ModelName, folder: string): Promise<void> {
  await writeRandomCheckpoint(folder, SHAPES[name]);
  const { layers, vocabSize } = SHAPES[name].text;
  const all = Array.from({ length: layers }, (_, layer) => layer);
  const pairs = CASES.map(() => ({ parts: [] as [number, number][], tokens: [] as [number, number][] }));
  for (let load = 0; load < LOADS; load++) {
    const model = await loadClipModel(folder, undefined, { threads: 1 });
    for (const [c, { texts, tokens, rounds }] of CASES.entries()) {
      const batch = Array.from({ length: texts }, (_, text) =>
        Array.from({ length: tokens }, (_, at) =>
          at === tokens - 1 ? vocabSize - 1 : (text * 7919 + at * 31) % (vocabSize - 1),
        ),
      );
      const variants = {
        plain: () => model.encodeTokens(batch),
        parts: () => model.decomposeTokens(batch),
        tokens: () => model.decomposeTokens(batch, { tokenLayers: all }),
      };
      const spent = async (variant: "plain" | Way) => {
        const start = process.cpuUsage();
        await variants[variant]();
        const { user, system } = process.cpuUsage(start);
        return (user + system) / 1000;
      };
      const order = ["plain", "parts", "tokens"] as const;
      for (const variant of load % 2 === 0 ? order : order.toReversed())
        for (let run = 0; run < WARM; run++) await spent(variant);
      for (let round = 0; round < rounds; round++)
        for (const way of ["parts", "tokens"] as const) {
          const first = round % 2 === 0 ? await spent("plain") : undefined;
          const own = await spent(way);
          pairs[c][way].push([own, first ?? (await spent("plain"))]);
        }
    }
    await model.release();
  }
  for (const [c, { texts, tokens }] of CASES.entries())
    for (const way of ["parts", "tokens"] as const) {
      const own = pairs[c][way];
      const plain = median(own.map(([, of]) => of));
      const over = median(own.map(([took, of]) => took / of));
      const what = `${WAYS[way]} of ${texts} texts of ${tokens} tokens, ${name}`;
      console.log(
        `${what}: ×${over.toFixed(3)}, median of ${own.length} pairs; plain ${plain.toFixed(1)} ms`,
      );
      ratio({
        what,
        took: over * plain,
        unit: "ms of processor",
        beside: "plain encoding",
        besideTook: plain,
      });
    }
}

const folder = await mkdtemp(join(tmpdir(), "clip-interpret-bench-"));
try {
  const asked = process.argv.slice(2).filter((name): name is ModelName => name in SHAPES);
  for (const name of asked.length > 0 ? asked : (["ViT-B-32"] as const))
    await measure(name, join(folder, name));
} finally {
  await rm(folder, { recursive: true });
}
