import { calibrateLabels } from "../../labeling/calibrate-labels.ts";
import { readSynonyms } from "../../labeling/synonym-map.ts";
import { labelsOrigin } from "../../labels/labels-file.ts";
import { defaultPool, loadPool } from "../../text/pool.ts";
import { calibrationTerminal } from "../../views/study/calibration-terminal.ts";
import type { Register } from "../command.ts";
import { wholeNumber } from "../strings.ts";

interface CalibrateCliOptions {
  readonly labels: string;
  readonly index: string;
  readonly texts?: string;
  readonly synonyms?: string;
  readonly permutations: number;
  readonly seed: number;
}

/** `calibrate --labels FILE --index INDEX`: whether labels are true, on images whose factors are known. */
export const registerCalibrate: Register = (program, run) => {
  program
    .command("calibrate")
    .description(
      "compare head labels with what the heads truly respond to, on images whose factors are known",
    )
    .requiredOption("--labels <file>", "labels with verdicts, as `label` writes them")
    .requiredOption("--index <index>", "an index of images with known factors, such as the demo's")
    .option("--texts <pool>", "the pool whose properties labels may name (default: the one for the model)")
    .option("--synonyms <file>", 'words for the properties: {"place": ["Locations", …]} (.json)')
    .option("--permutations <n>", "times that the labels are dealt out again", wholeNumber(1, 100_000), 2000)
    .option("--seed <n>", "chooses the permutations", wholeNumber(0), 0)
    .action(
      run(async (context, options: CalibrateCliOptions) => {
        const { report, signal, streams, result } = context;
        const { permutations, seed, labels: path } = options;
        const labels = await labelsOrigin(path);
        const synonyms = options.synonyms === undefined ? {} : await readSynonyms(options.synonyms);
        const { index, model } = await context.openIndex(options.index);
        const pool = await loadPool(options.texts ?? defaultPool(model.name), { report, signal });
        const found = await calibrateLabels(model, index, {
          ...{ path, labels, pool, synonyms, permutations, seed, report, signal },
        });
        result(found, () => calibrationTerminal(found, { columns: streams.stdout.columns ?? 100 }));
      }),
    );
};
