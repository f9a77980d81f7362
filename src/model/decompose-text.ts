import { readsTexts } from "../checkpoint/model-config.ts";
import type { WorkOptions } from "../support/progress.ts";
import type { TextWord } from "../text/words.ts";
import type { ClipModel } from "./clip-model.ts";
import type { TokenDecomposition } from "./decompose.ts";
import { readOf } from "./encode-tokens.ts";

/** A text, taken apart: at the token where texts are pooled, what every head read of each of its tokens. */
export interface DecomposedText extends TokenDecomposition {
  readonly text: string;
  /** The tokens that the text tower read; one with the id −1 is the tower's own class token. */
  readonly ids: readonly number[];
  /** Its words, and the tokens around them, in order: all of `ids`. */
  readonly words: readonly TextWord[];
}

/**
 * What every component of the text tower wrote into a text's embedding, checked to add up to it: the heads, each a sum over the
 * text's tokens, and the embedding and MLPs of the token where texts are pooled. What reads an image's decomposition reads it
 * too, with `model.textGeometry()`.
 *
 * @throws `TEXTS_UNSUPPORTED`; `SUM_MISMATCH`
 * @example
 * ```ts
 * import { decomposeText, openModel } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const { words, z, error } = await decomposeText(model, "two cats on a green background");
 * console.log(words.map(({ text }) => text).join(" "));
 * // → <|startoftext|> two cats on a green background <|endoftext|>
 * console.log(z.length, error[0] < 1e-6); // → 384 true
 * ```
 */
export async function decomposeText(
  model: Pick<ClipModel, "config" | "tokenizer" | "tokenizeTexts" | "textGeometry" | "decomposeTokens">,
  text: string,
  options?: WorkOptions,
): Promise<DecomposedText> {
  const { layers } = await model.textGeometry();
  const { text: tower } = model.config;
  if (!readsTexts(tower)) throw new RangeError("a text geometry is that of a text tower");
  const [ids] = await model.tokenizeTexts([text], options);
  const tokenLayers = Array.from({ length: layers }, (_, layer) => layer);
  const decomposition = await model.decomposeTokens([ids], { tokenLayers });
  const read = readOf(ids, tower);
  const words = (await model.tokenizer()).words(read);
  if (tower.pooling !== "class") return { ...decomposition, text, ids: read, words };
  const own: TextWord = { kind: "class", text: "[class]", tokens: [read.length], pieces: ["[class]"] };
  return { ...decomposition, text, ids: [...read, -1], words: [...words, own] };
}
