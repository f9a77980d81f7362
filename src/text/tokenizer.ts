import { Tokenizer as Library } from "@huggingface/tokenizers";
import { z } from "zod";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { readInput } from "../support/files.ts";
import { unescapeHtml } from "./html.ts";

/** The tokens of one text. */
export interface EncodedText {
  /** Token ids from the start token to the end token, at most the context length; not padded. */
  readonly ids: number[];
  /** Whether the text had more tokens, which were cut off before the end token. */
  readonly truncated: boolean;
}

/** Turns texts into the token ids that a CLIP text tower reads. */
export interface Tokenizer {
  readonly encode: (text: string) => EncodedText;
  readonly startToken: number;
  /** The highest id: text towers pool at the highest id of each text. */
  readonly endToken: number;
  readonly vocabSize: number;
  readonly contextLength: number;
}

const Token = z.object({ content: z.string(), id: z.int().nonnegative() });
const TokenizerFile = z.looseObject({
  added_tokens: z.array(Token).default([]),
  model: z.looseObject({ type: z.literal("BPE"), vocab: z.record(z.string(), z.int().nonnegative()) }),
});

/**
 * Loads a `tokenizer.json` (Hugging Face's format) that holds a byte-pair encoding of CLIP's kind: lower case,
 * a start and an end token around each text, the end token with the highest id.
 * @param contextLength tokens that the model reads, start and end token included
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `TOKENIZER_INVALID`
 */
export async function loadTokenizer(path: string, contextLength: number): Promise<Tokenizer> {
  const invalid = (why: string, cause?: unknown) =>
    new ClipInterpretError("TOKENIZER_INVALID", `${path}: ${why}`, { cause });
  const { library, vocab } = parse((await readTokenizerFile(path)).toString("utf8"), invalid);
  const [startToken, endToken, ...others] = library.encode("").ids;
  if (startToken === undefined || endToken === undefined || others.length > 0) {
    throw invalid("does not put a start and an end token around a text");
  }
  const highest = Object.values(vocab).reduce((high, id) => Math.max(high, id), -1);
  if (endToken !== highest || startToken === endToken) {
    throw invalid(`the end token is ${endToken}, but CLIP pools at the highest id, which is ${highest}`);
  }
  const longest = Object.keys(vocab).reduce((length, token) => Math.max(length, token.length), 1);
  // As many tokens as fit take at most contextLength·(longest + 1) characters, a space before each included.
  // Four times that, as composing (NFC) shrinks a text to no less than a quarter. Cutting here, far behind
  // the last token that is kept, bounds the time for a text of any length.
  const readable = 4 * contextLength * (longest + 1);

  const encode = (text: string): EncodedText => {
    const clean = cleanText(text).slice(0, readable);
    // Without a token for an unknown character the library writes the end token, at which the model would pool.
    const content = library
      .encode(clean)
      .ids.slice(1, -1)
      .filter((id: number) => id !== endToken);
    const truncated = content.length > contextLength - 2;
    return { ids: [startToken, ...content.slice(0, contextLength - 2), endToken], truncated };
  };
  return { encode, startToken, endToken, vocabSize: highest + 1, contextLength };
}

/** The file's bytes; where it is missing, says which one to put there. */
async function readTokenizerFile(path: string): Promise<Buffer> {
  try {
    return await readInput(path);
  } catch (error) {
    if (!(error instanceof ClipInterpretError) || error.code !== "INPUT_NOT_FOUND") throw error;
    throw new ClipInterpretError("INPUT_NOT_FOUND", error.message, {
      hint: "Texts need a tokenizer.json beside the weights; every OpenAI and LAION CLIP uses that of openai/clip-vit-base-patch32.",
      cause: error,
    });
  }
}

/**
 * What OpenCLIP does to a text and the tokenizer files leave out: HTML references are replaced (twice, as
 * captions from the web are often escaped twice). White space is collapsed as the files' own normaliser
 * does, so that a text cut by length does not end among blanks.
 */
function cleanText(text: string): string {
  return unescapeHtml(unescapeHtml(text))
    .replace(/\p{White_Space}+/gu, " ")
    .trim();
}

/**
 * The library's tokenizer without its list of added tokens, which become plain words of the vocabulary: text
 * that spells `<|endoftext|>` must stay text, as in OpenCLIP, or it would move the place where CLIP pools.
 */
function parse(json: string, invalid: (why: string, cause?: unknown) => ClipInterpretError) {
  try {
    const { added_tokens: added, ...file } = TokenizerFile.parse(JSON.parse(json));
    const vocab = {
      ...file.model.vocab,
      ...Object.fromEntries(added.map(({ content, id }) => [content, id])),
    };
    const library = new Library({ ...file, added_tokens: [], model: { ...file.model, vocab } }, {});
    return { library, vocab };
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause).split("\n").join(" ") : messageOf(cause);
    throw invalid(`not a BPE tokenizer file: ${why}`, cause);
  }
}
