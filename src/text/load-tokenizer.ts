import { disk } from "../support/disk-bytes.ts";
import { packaged } from "../support/disk-paths.ts";
import { readTokenizer, type TextRules, type Tokenizer } from "./tokenizer.ts";
import type { TokenizerSource } from "./tokenizer-files.ts";

/** CLIP's own tokenizer. */
export const SHARED_TOKENIZER: TokenizerSource = {
  kind: "shared",
  merges: packaged("assets/tokenizer/clip-merges.txt.gz"),
};

/** {@link readTokenizer} of files on this machine. */
export const loadTokenizer = (
  where: string | TokenizerSource,
  contextLength: number,
  rules?: TextRules,
): Promise<Tokenizer> => readTokenizer(disk, where, contextLength, rules);
