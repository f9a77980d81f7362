import { Tokenizer as Library } from "@huggingface/tokenizers";
import type { Bytes } from "../support/bytes.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";
import { type Cleaning, cleanText } from "./clean.ts";
import {
  nameOf,
  paddingToken,
  readTokenizerFiles,
  type TokenizerDefinition,
  type TokenizerSource,
  tokenIds,
} from "./tokenizer-files.ts";
import { groupWords, type TextWord, type WordKind } from "./words.ts";

/** The tokens of one text. */
export interface EncodedText {
  /**
   * Token ids from the start token to the end token, at most the context length; filled up to it only for a text tower that
   * reads what is behind the end token.
   */
  readonly ids: number[];
  /** Whether the text had more tokens, which were cut off before the end token. */
  readonly truncated: boolean;
}

/** Turns texts into the token ids that a CLIP text tower reads. */
export interface Tokenizer {
  readonly encode: (text: string) => EncodedText;
  /** Absent where texts start with their first word. */
  readonly startToken?: number;
  /** What each text ends with, before it is filled up. */
  readonly endToken: number;
  readonly vocabSize: number;
  readonly contextLength: number;
  /** Tokens of a text, as `encode` gives them, as words and what stands around them. */
  readonly words: (ids: readonly number[]) => TextWord[];
  /** SHA-256 (hex) of its vocabulary, merges and added tokens, whichever files they were read from. */
  readonly sha256: () => string;
}

/** How the library that a model belongs to reads texts. */
export interface TextRules {
  readonly cleaning: Cleaning;
  /**
   * Where its text tower pools: at the highest id of a text, at the first that is this id, at the context's end, or whatever the
   * ids are (`whole`).
   */
  readonly pooling: "highest" | "last" | "whole" | number;
  /** What stands before and behind every text, whatever the tokenizer's file says. */
  readonly around?: { readonly before: string; readonly behind: string };
  /** Whether texts fill the whole context, since the text tower reads it. */
  readonly fill?: boolean;
  /** Whether the token that separates texts is written as 0. */
  readonly separatorIsZero?: boolean;
}

/** OpenAI's and OpenCLIP's. */
export const OPEN_CLIP_RULES: TextRules = { cleaning: "open_clip", pooling: "highest" };

/**
 * Loads a tokenizer: a byte-pair encoding of CLIP's kind, with a start and an end token around each text, or any other that
 * the rules allow.
 * @param where its files; a path is that of a `tokenizer.json` (Hugging Face's format)
 * @param contextLength tokens that the model reads, start and end token included
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `TOKENIZER_INVALID`
 */
export async function readTokenizer(
  bytes: Bytes,
  where: string | TokenizerSource,
  contextLength: number,
  rules: TextRules = OPEN_CLIP_RULES,
): Promise<Tokenizer> {
  const source: TokenizerSource = typeof where === "string" ? { kind: "json", path: where } : where;
  const invalid: Invalid = (why, options) =>
    new ClipInterpretError("TOKENIZER_INVALID", `${nameOf(source)}: ${why}`, options);
  const definition = await readTokenizerFiles(bytes, source);
  const padding = rules.fill ? await paddingToken(bytes, source, definition) : undefined;
  if (rules.fill && padding === undefined) {
    throw invalid("does not say which token texts are filled up with", {
      hint: "Put the model's tokenizer_config.json beside it.",
    });
  }
  if (rules.pooling === "whole" && source.kind !== "json") {
    throw invalid("is of CLIP's kind, and the model's text tower is a language model with another", {
      hint: "Put the tokenizer.json of the language model beside the weights.",
    });
  }
  if (definition.model.type !== "BPE" || rules.pooling === "last" || rules.pooling === "whole")
    return generalTokenizer(definition, contextLength, rules, padding, invalid);
  const { library, vocab } = build(definition, rules, invalid);
  const [startToken, endToken, ...others] = library.encode("").ids;
  if (startToken === undefined || endToken === undefined || others.length > 0) {
    throw invalid("does not put a start and an end token around a text");
  }
  const known = new Set(Object.values(vocab));
  if (startToken === endToken || !known.has(startToken) || !known.has(endToken))
    throw invalid("has no start token and end token of their own");
  const highest = Object.values(vocab).reduce((high, id) => Math.max(high, id), -1);
  checkPooling(rules, endToken, highest, definition, invalid);
  const longest = Object.keys(vocab).reduce((length, token) => Math.max(length, token.length), 1);
  // As many tokens as fit take at most contextLength·(longest + 1) characters, a space before each included.
  // Four times that, as composing (NFC) shrinks a text to no less than a quarter. Cutting here, far behind
  // the last token that is kept, bounds the time for a text of any length.
  const readable = 4 * contextLength * (longest + 1);

  const encode = (text: string): EncodedText => {
    // Twice that before cleaning: a character may be written as a reference of several.
    const clean = cleanText(text, rules.cleaning, 2 * readable).slice(0, readable);
    // Without a token for an unknown character the library writes the end token, at which the model would pool.
    const content = library
      .encode(clean)
      .ids.slice(1, -1)
      .filter((id: number) => id !== endToken);
    const truncated = content.length > contextLength - 2;
    const ids = [startToken, ...content.slice(0, contextLength - 2), endToken];
    return { ids: filled(ids, contextLength, padding), truncated };
  };
  const sha256 = () => sha256Of(JSON.stringify(definition));
  const words = wordReader(definition, vocab, startToken, endToken);
  return { encode, words, startToken, endToken, vocabSize: highest + 1, contextLength, sha256 };
}

/** Reads tokens back: which are words, and how they are written. */
function wordReader(
  { model }: TokenizerDefinition,
  vocabulary: Readonly<Record<string, number>>,
  startToken: number | undefined,
  endToken: number,
): Tokenizer["words"] {
  const { end_of_word_suffix: suffix, continuing_subword_prefix: prefix } = model as Record<string, unknown>;
  const marks = {
    suffix: typeof suffix === "string" ? suffix : "",
    continuing: typeof prefix === "string" ? prefix : "",
    bytes: model.type === "BPE",
  };
  let pieceOf: Map<number, string> | undefined;
  return (ids) => {
    pieceOf ??= new Map(Object.entries(vocabulary).map(([piece, id]) => [id, piece]));
    const end = ids.indexOf(endToken, startToken === undefined ? 0 : 1);
    const kinds = ids.map((id, at): WordKind => {
      if (at === 0 && id === startToken) return "start";
      if (at === end) return "end";
      return end >= 0 && at > end ? "padding" : "word";
    });
    const pieces = ids.map((id) => pieceOf?.get(id) ?? `#${id}`);
    return groupWords(pieces, kinds, marks);
  };
}

/** Ids up to the length of the context, if there is something to fill them up with. */
const filled = (ids: number[], contextLength: number, padding: number | undefined): number[] =>
  padding === undefined ? ids : [...ids, ...Array<number>(contextLength - ids.length).fill(padding)];

/**
 * A tokenizer of any kind, used as its own file says: what it puts around a text is kept when the text is cut off. Where the
 * text tower pools at the end token, text that spells it is left out.
 */
function generalTokenizer(
  definition: TokenizerDefinition,
  contextLength: number,
  { cleaning, pooling, separatorIsZero, around: asked }: TextRules,
  padding: number | undefined,
  invalid: Invalid,
): Tokenizer {
  let library: Library;
  try {
    library = new Library(definition, {});
  } catch (cause) {
    throw invalid(`not a tokenizer file: ${messageOf(cause)}`, { cause });
  }
  const around = library.encode("").ids;
  const some = library.encode("a").ids;
  const differs = around.findIndex((id: number, i: number) => some[i] !== id);
  const prefix = around.slice(0, differs < 0 ? around.length : differs);
  const suffix = around.slice(prefix.length);
  const vocabulary = tokenIds(definition);
  const [before, behind] = asked
    ? [[vocabulary[asked.before]], [vocabulary[asked.behind]]]
    : [prefix, suffix];
  if (before.concat(behind).includes(undefined as never))
    throw invalid(`has no token ${asked?.before} or ${asked?.behind}, which stand around every text`);
  const endToken = behind.at(-1);
  if (endToken === undefined) throw invalid("does not put an end token behind a text");
  if (typeof pooling === "number" && pooling !== endToken)
    throw invalid(
      `the end token is ${endToken}, but the model's config says that texts are pooled at ${pooling}`,
    );
  const ids = Object.entries(vocabulary);
  const longest = ids.reduce((length, [token]) => Math.max(length, token.length), 1);
  const readable = 4 * contextLength * (longest + 1);
  const room = contextLength - before.length - behind.length;
  const separator = separatorIsZero ? endToken : undefined;
  return {
    encode(text) {
      const clean = cleanText(text, cleaning, 2 * readable).slice(0, readable);
      const all = library.encode(clean).ids;
      const content = all
        .slice(prefix.length, all.length - suffix.length)
        .filter((id: number) => typeof pooling !== "number" || id !== endToken);
      const kept = [...before, ...content.slice(0, room), ...behind];
      const written = kept.map((id) => (id === separator ? 0 : id));
      return { ids: filled(written, contextLength, padding), truncated: content.length > room };
    },
    words: wordReader(definition, vocabulary, before[0], separator === undefined ? endToken : 0),
    ...(before[0] !== undefined && { startToken: before[0] }),
    endToken,
    vocabSize: ids.reduce((high, [, id]) => Math.max(high, id), -1) + 1,
    contextLength,
    sha256: () => sha256Of(JSON.stringify(definition)),
  };
}

type Invalid = (why: string, options?: { hint?: string; cause?: unknown }) => ClipInterpretError;

/**
 * The library's tokenizer. The start and the end token become plain words of the vocabulary: text that spells
 * `<|endoftext|>` must stay text, as in OpenCLIP, or it would move the place where CLIP pools. Words that were added to
 * a transformers vocabulary are found whole in texts, as transformers does.
 */
function build(definition: TokenizerDefinition, { cleaning }: TextRules, invalid: Invalid) {
  const { added_tokens: added, ...file } = definition;
  const vocab = tokenIds(definition);
  const around = JSON.stringify(file.post_processor) ?? "";
  const words = added.filter(({ content }) => !around.includes(JSON.stringify(content)));
  try {
    const added_tokens = cleaning === "transformers" ? words : [];
    const library = new Library({ ...file, added_tokens, model: { ...file.model, vocab } }, {});
    return { library, vocab };
  } catch (cause) {
    throw invalid(`not a BPE tokenizer file: ${messageOf(cause)}`, { cause });
  }
}

/** Refuses a vocabulary whose end token is not where the text tower pools, with the true reason. */
function checkPooling(
  { cleaning, pooling }: TextRules,
  endToken: number,
  highest: number,
  { added_tokens: added }: TokenizerDefinition,
  invalid: Invalid,
): void {
  if (pooling === endToken || (pooling === "highest" && endToken === highest)) return;
  if (pooling !== "highest") {
    const why = `the end token is ${endToken}, but the model's config says that texts are pooled at eos_token_id ${pooling}`;
    throw invalid(why, {
      hint: `If the tokenizer is the model's own, set text_config.eos_token_id in config.json to ${endToken}.`,
    });
  }
  const words = added.filter(({ id }) => id > endToken).map(({ content, id }) => `${content} is ${id}`);
  if (words.length === 0)
    throw invalid(`the end token is ${endToken}, but CLIP pools at the highest id, which is ${highest}`);
  const listed = `${words.slice(0, 3).join(", ")}${words.length > 3 ? ", …" : ""}`;
  const why = `words were added to the vocabulary (${listed}), so the end token ${endToken} is no longer the highest id, at which`;
  if (cleaning === "open_clip")
    throw invalid(`${why} OpenCLIP's text tower pools`, {
      hint: "Added words work in a transformers folder whose text_config.eos_token_id is the end token; OpenCLIP has no place for them.",
    });
  throw invalid(`${why} transformers pools when config.json says eos_token_id 2`, {
    hint: `Set text_config.eos_token_id in config.json to ${endToken}, as transformers does since 4.31.`,
  });
}
