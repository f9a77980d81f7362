import { cosine, rowsOf } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { Check, PictureGuess } from "../../results/verify.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { Suite } from "./suite.ts";

/** Share of the pictures that a model must name to be taken to know them. */
const ENOUGH = 0.75;

/**
 * Zero-shot classification of every picture among its true and false texts: of a checkpoint that was read right,
 * most are right; a wrong tokenizer, text pooling or normalisation would show here and in no sum. (A wrong
 * activation need not: it costs a model some accuracy, not all.)
 *
 * @param embeddings raw image embeddings, in any number of arrays, in the pictures' order
 */
export async function checkZeroShot(
  model: ClipModel,
  { name, pictures }: Suite,
  embeddings: readonly Float32Array[],
): Promise<{ check: Check; guesses: PictureGuess[] }> {
  const texts = [...new Set(pictures.flatMap(({ isTrue, isFalse }) => [...isTrue, ...isFalse]))];
  let encoded: Float32Array;
  try {
    encoded = await model.encodeTexts(texts);
  } catch (error) {
    if (!(error instanceof ClipInterpretError)) throw error;
    const meaning = `The model's texts could not be encoded, so only its images can be used. ${error.hint}`;
    const result = `not tried: ${error.message}`;
    return { check: { name: "zero-shot", status: "warn", value: null, result, meaning }, guesses: [] };
  }
  const { embedDim } = model.config;
  const images = embeddings.flatMap((batch) => rowsOf(batch, embedDim));
  const vectors = new Map(rowsOf(encoded, embedDim).map((vector, i) => [texts[i], vector]));
  const guesses = pictures.map(({ file, isTrue, isFalse }, i): PictureGuess => {
    // False texts first: a true one must be above them, and not like them.
    const scored = [...isFalse, ...isTrue].map((text) => ({
      text,
      similarity: cosine(images[i], vectors.get(text)!),
    }));
    const best = scored.reduce((highest, text) => (text.similarity > highest.similarity ? text : highest));
    return { file, ...best, isTrue: isTrue.includes(best.text) };
  });
  const right = guesses.filter(({ isTrue }) => isTrue).length;
  const chance = pictures.reduce(
    (sum, { isTrue, isFalse }) => sum + isTrue.length / (isTrue.length + isFalse.length),
    0,
  );
  const enough = right >= ENOUGH * pictures.length;
  const check: Check = {
    name: "zero-shot",
    status: enough ? "pass" : "warn",
    value: right / pictures.length,
    result: `${right} of ${pictures.length} ${name} named right (by chance ${chance.toFixed(1)})`,
    meaning: enough ? `The model knows what is in these ${name}.` : UNKNOWN[name],
  };
  return { check, guesses };
}

const CAUSES =
  "Its weights may be random or trained on something else; or its tokenizer may be another model's, or its config wrong.";
const UNKNOWN = {
  photos: `The model does not name these photographs. ${CAUSES}`,
  scenes: `The model does not name these generated scenes. ${CAUSES}`,
} as const;
