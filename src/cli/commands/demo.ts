import { resolve } from "node:path";
import { Option } from "commander";
import { type DemoResult, demoResult } from "../../results/demo.ts";
import { originOf } from "../../results/origin.ts";
import { DEMO, planCorpus, worldFolder, writeCorpus } from "../../world/corpus.ts";
import { SPLIT_NAMES, type SplitName } from "../../world/splits.ts";
import type { Register } from "../command.ts";
import { wholeNumber } from "../strings.ts";

interface DemoOptions {
  readonly out?: string;
  readonly split: SplitName;
  readonly scenes: number;
  readonly size: number;
}

/** `demo`: draws a corpus of the embedded models' world, with the truth about every picture. */
export const registerDemo: Register = (program, run) => {
  program
    .command("demo")
    .description("draw a corpus of scenes whose every factor is known, with a mask of every object")
    .option("--out <folder>", "where to; by default a folder in this program's cache")
    .addOption(
      new Option("--split <name>", "which part of the world").choices(SPLIT_NAMES).default(DEMO.split),
    )
    .option("--scenes <n>", "how many scenes", wholeNumber(1, 1_000_000), DEMO.images)
    .option("--size <pixels>", "side of the pictures", wholeNumber(16, 1024), DEMO.size)
    .action(
      run(async ({ report, signal, result }, options: DemoOptions) => {
        const { split, scenes: images, size } = options;
        const plan = await planCorpus({ split, size, indices: Array.from({ length: images }, (_, i) => i) });
        const folder = options.out ? resolve(options.out) : worldFolder(plan, process.env);
        const drawn = await writeCorpus(folder, plan, { report, signal });
        const found = { folder, split, images, size, key: plan.key, drawn };
        const json = demoResult(await originOf({}), found);
        result(json, () => explained(json));
      }),
    );
};

function explained({ folder, split, images, drawn }: DemoResult) {
  const how =
    drawn === 0 ? "were here already" : drawn === images ? "drawn" : `completed, ${drawn} drawn now`;
  return [
    `${images} scenes of the split "${split}" in ${folder} (${how})`,
    "  overview.png   the first of them at a glance",
    "  images/        the pictures",
    "  masks/         one byte a pixel: 0 for none, k for the scene's k-th object",
    "  scenes.jsonl   one line a scene: its factors, a caption, texts that are true and false of it",
  ].join("\n");
}
