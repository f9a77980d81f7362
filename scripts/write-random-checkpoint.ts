/**
 * Writes random weights in the files of a well-known checkpoint, to try shapes and loading without a download:
 * `npm run random-checkpoint -- NAME FOLDER`. Without arguments it lists the names.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { goldenPath } from "../test/support/goldens.ts";
import { TRUE_CHECKPOINTS, writeTrueCheckpoint } from "../test/support/true-checkpoints.ts";

const [name, folder] = process.argv.slice(2);
const checkpoint = TRUE_CHECKPOINTS.find((candidate) => candidate.name === name);
if (checkpoint && folder) {
  await writeTrueCheckpoint(folder, checkpoint);
  await copyFile(goldenPath("tokenizer/tokenizer.json"), join(folder, "tokenizer.json"));
} else console.log(TRUE_CHECKPOINTS.map((candidate) => candidate.name).join("\n"));
