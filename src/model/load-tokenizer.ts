import type { Checkpoint } from "../checkpoint/load.ts";
import { findTokenizer, noTokenizer } from "../hub/find-tokenizer.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { loadTokenizer, type Tokenizer } from "../text/tokenizer.ts";
import { nameOf } from "../text/tokenizer-files.ts";

/**
 * Loads the tokenizer that a checkpoint's texts are read with.
 * @throws `INPUT_NOT_FOUND` where there is none, `TOKENIZER_INVALID`
 */
export async function loadModelTokenizer({
  folder,
  config: { text },
  tokenizerName,
  textRules,
}: Checkpoint): Promise<Tokenizer> {
  const source = await findTokenizer({ folder, vocabSize: text.vocabSize, tokenizerName });
  if (!source) {
    const { message, hint } = noTokenizer(folder);
    throw new ClipInterpretError("INPUT_NOT_FOUND", message, { hint });
  }
  const tokenizer = await loadTokenizer(source, text.contextLength, textRules);
  if (tokenizer.vocabSize > text.vocabSize) {
    const sizes = `${tokenizer.vocabSize} tokens, the text tower ${text.vocabSize}`;
    const message = `${nameOf(source)} has ${sizes}: they do not belong together`;
    throw new ClipInterpretError("TOKENIZER_INVALID", message, {
      hint: "Put the tokenizer that the model was trained with beside its weights; where words were added to it, save the model after resize_token_embeddings.",
    });
  }
  return tokenizer;
}
