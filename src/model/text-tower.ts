import { readsTexts, type TextConfig } from "../checkpoint/model-config.ts";
import type { Checkpoint } from "../checkpoint/read-checkpoint.ts";
import { noTokenizer } from "../hub/tokenizer-needs.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readTokenizer, type Tokenizer } from "../text/tokenizer.ts";
import { nameOf } from "../text/tokenizer-files.ts";
import type { Platform } from "./platform.ts";

/** @throws `TEXTS_UNSUPPORTED` */
export function textTower({ name, config: { text } }: Pick<Checkpoint, "name" | "config">): TextConfig {
  if (readsTexts(text)) return text;
  throw new ClipInterpretError(
    "TEXTS_UNSUPPORTED",
    `the text tower of ${name} is not computed here: ${text.unsupported}`,
  );
}

/**
 * Reads the tokenizer of a checkpoint's texts, whether or not the text tower has a row for each of its tokens.
 * @throws `TEXTS_UNSUPPORTED`; `INPUT_NOT_FOUND` where there is none, `TOKENIZER_INVALID`
 */
export const anyTokenizerOf = async (
  platform: Pick<Platform, "bytes" | "findTokenizer">,
  checkpoint: Checkpoint,
): Promise<Tokenizer> => (await findAndRead(platform, checkpoint)).tokenizer;

/**
 * Loads the tokenizer that a checkpoint's texts are read with.
 * @throws `INPUT_NOT_FOUND` where there is none, `TOKENIZER_INVALID` also where it does not belong to the text tower
 */
export async function tokenizerOf(
  platform: Pick<Platform, "bytes" | "findTokenizer">,
  checkpoint: Checkpoint,
): Promise<Tokenizer> {
  const text = textTower(checkpoint);
  const { tokenizer, source } = await findAndRead(platform, checkpoint);
  if (tokenizer.vocabSize > text.vocabSize) {
    const sizes = `${tokenizer.vocabSize} tokens, the text tower ${text.vocabSize}`;
    const message = `${nameOf(source)} has ${sizes}: they do not belong together`;
    throw new ClipInterpretError("TOKENIZER_INVALID", message, {
      hint: "Put the tokenizer that the model was trained with beside its weights; where words were added to it, save the model after resize_token_embeddings.",
    });
  }
  return tokenizer;
}

async function findAndRead(
  { bytes, findTokenizer }: Pick<Platform, "bytes" | "findTokenizer">,
  checkpoint: Checkpoint,
) {
  const { folder, tokenizerName, textRules } = checkpoint;
  const text = textTower(checkpoint);
  const source = await findTokenizer({ folder, vocabSize: text.vocabSize, tokenizerName });
  if (!source) {
    const { message, hint } = noTokenizer(folder);
    throw new ClipInterpretError("INPUT_NOT_FOUND", message, { hint });
  }
  return { source, tokenizer: await readTokenizer(bytes, source, text.contextLength, textRules) };
}
