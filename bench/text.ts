/**
 * What taking texts apart costs over plain encoding, side by side in one run. `npm run bench:text [-- MODEL …]`.
 *
 * Random weights of the true shapes, texts of one length. Each way takes turns with plain encoding, before and behind it; what counts is
 * the median of the ratios of such pairs, of the processor's time, which other work on the machine changes for both; and beside it the
 * ratio of the quickest runs, which such work changes least. One thread: waking others costs time that is not these graphs'.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadClipModel } from "../src/model/load-model.ts";
import { writeRandomCheckpoint } from "../test/support/random-checkpoint.ts";
import { SHAPES } from "../test/support/true-checkpoints.ts";

type ModelName = keyof typeof SHAPES;
/** Texts in a batch, and tokens of each: a caption's, and the whole context. */
const CASES = [
  { texts: 32, tokens: 12, rounds: 9 },
  { texts: 8, tokens: 77, rounds: 9 },
  { texts: 1, tokens: 12, rounds: 121 },
] as const;

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function measure(name: ModelName, folder: string): Promise<void> {
  await writeRandomCheckpoint(folder, SHAPES[name]);
  const model = await loadClipModel(folder, undefined, { threads: 1 });
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
    const spent = async (variant: keyof typeof variants) => {
      const start = process.cpuUsage();
      await variants[variant]();
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    const plain: number[] = [];
    const least = { parts: Number.POSITIVE_INFINITY, tokens: Number.POSITIVE_INFINITY };
    const ratios = { parts: [] as number[], tokens: [] as number[] };
    for (let round = -1; round < rounds; round++)
      for (const variant of ["parts", "tokens"] as const) {
        // Each beside a plain one of its own, before or behind it.
        const first = round % 2 === 0 ? await spent("plain") : undefined;
        const own = await spent(variant);
        const other = first ?? (await spent("plain"));
        if (round < 0) continue;
        plain.push(other);
        least[variant] = Math.min(least[variant], own);
        ratios[variant].push(own / other);
      }
    const over = (variant: "parts" | "tokens") =>
      `${median(ratios[variant]).toFixed(3)} (quickest by quickest ${(least[variant] / Math.min(...plain)).toFixed(3)})`;
    console.log(
      `${name}: ${texts} texts of ${tokens} tokens: plain ${median(plain).toFixed(1)} ms (least ${Math.min(...plain).toFixed(1)}); parts ×${over("parts")}; parts with every layer's tokens ×${over("tokens")}`,
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
