import type { Checkpoint } from "../checkpoint/read-checkpoint.ts";
import { findTokenizer } from "../hub/find-tokenizer.ts";
import { disk } from "../support/disk-bytes.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { anyTokenizerOf, tokenizerOf } from "./text-tower.ts";

const here = { bytes: disk, findTokenizer };

/** {@link anyTokenizerOf} a checkpoint on this machine. */
export const readModelTokenizer = (checkpoint: Checkpoint): Promise<Tokenizer> =>
  anyTokenizerOf(here, checkpoint);

/** {@link tokenizerOf} a checkpoint on this machine. */
export const loadModelTokenizer = (checkpoint: Checkpoint): Promise<Tokenizer> =>
  tokenizerOf(here, checkpoint);
