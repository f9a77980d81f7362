import { fileURLToPath } from "node:url";
import { disk } from "../support/disk-bytes.ts";
import { readTokenizer, type TextRules, type Tokenizer } from "./tokenizer.ts";
import type { TokenizerSource } from "./tokenizer-files.ts";

/** CLIP's own tokenizer. src/text/ and dist/text/ are equally deep, so this holds before and after the build. */
export const SHARED_TOKENIZER: TokenizerSource = {
  kind: "shared",
  merges: fileURLToPath(new URL("../../assets/tokenizer/clip-merges.txt.gz", import.meta.url)),
};

/** {@link readTokenizer} of files on this machine. */
export const loadTokenizer = (
  where: string | TokenizerSource,
  contextLength: number,
  rules?: TextRules,
): Promise<Tokenizer> => readTokenizer(disk, where, contextLength, rules);
