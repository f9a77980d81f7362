/**
 * Writes random weights in the files of a well-known checkpoint, to try shapes and loading without a download:
 * `npm run random-checkpoint -- NAME FOLDER [--seed N]`. Without arguments it lists the names.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { goldenPath } from "../test/support/goldens.ts";
import { TRUE_CHECKPOINTS, writeTrueCheckpoint } from "../test/support/true-checkpoints.ts";

const USAGE = "Usage: npm run random-checkpoint -- NAME FOLDER [--seed N]";

/** What was typed; nothing where it was not understood. */
function read() {
  const options = { seed: { type: "string", default: "0" }, help: { type: "boolean" } } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    console.error(`${(error as Error).message.split(". ", 1)[0]}. ${USAGE}`);
    process.exit(1);
  }
}

const {
  values: { seed, help },
  positionals: [name, folder],
} = read();
const checkpoint = TRUE_CHECKPOINTS.find((candidate) => candidate.name === name);
if (!/^\d{1,9}$/.test(seed)) {
  console.error(`--seed ${seed} is no whole number`);
  process.exitCode = 1;
} else if (checkpoint && folder && !help) {
  await writeTrueCheckpoint(folder, { ...checkpoint, seed: Number(seed) });
  await copyFile(goldenPath("tokenizer/tokenizer.json"), join(folder, "tokenizer.json"));
} else {
  if (help || !name) console.log(`${USAGE}, where NAME is one of:`);
  else console.error(folder ? `${name} is none of:` : "Give a name and a folder:");
  process.exitCode = name && !help ? 1 : 0;
  console.log(TRUE_CHECKPOINTS.map((candidate) => candidate.name).join("\n"));
}
