import { byteCharacters } from "./byte-characters.ts";

/** What stands in a text: a word, or a token that the tokenizer puts around words. */
export type WordKind = "word" | "start" | "end" | "padding" | "class";

/** A word of a text as its tokenizer cut it, or one of the tokens around words. */
export interface TextWord {
  readonly kind: WordKind;
  /** As the model reads it: in lower case where its tokenizer writes so. */
  readonly text: string;
  /** Places of its tokens in the text, from 0 on; one after another. */
  readonly tokens: readonly number[];
  /** The tokens themselves, as the vocabulary writes them. */
  readonly pieces: readonly string[];
}

/** How a vocabulary marks where words begin or end. */
export interface WordMarks {
  /** What the last token of a word ends with: CLIP's `</w>`. */
  readonly suffix: string;
  /** What a token begins with that goes on a word: `##`. */
  readonly continuing: string;
  /** Whether bytes are written as characters that can be seen, as GPT-2's vocabulary does. */
  readonly bytes: boolean;
}

/** What begins a word: SentencePiece's mark of a space, and GPT-2's. */
const BEGINS = /^[\u2581\u0120]/u;

/**
 * Tokens as words.
 * @param pieces the tokens as the vocabulary writes them
 * @param kinds what each token is
 */
export function groupWords(
  pieces: readonly string[],
  kinds: readonly WordKind[],
  marks: WordMarks,
): TextWord[] {
  const groups: number[][] = [];
  for (const [at, piece] of pieces.entries()) {
    const last = groups.at(-1);
    const goesOn =
      last !== undefined &&
      kinds[at] === kinds[at - 1] &&
      (kinds[at] === "padding" || (kinds[at] === "word" && isOneWord(pieces[at - 1], piece, marks)));
    if (goesOn) last.push(at);
    else groups.push([at]);
  }
  return groups.map((tokens) => {
    const own = tokens.map((at) => pieces[at]);
    const kind = kinds[tokens[0]];
    return { kind, text: kind === "word" ? spelled(own, marks) : own[0], tokens, pieces: own };
  });
}

function isOneWord(before: string, piece: string, { suffix, continuing }: WordMarks): boolean {
  if (suffix !== "") return !before.endsWith(suffix);
  if (continuing !== "") return piece.startsWith(continuing);
  return !BEGINS.test(piece);
}

function spelled(pieces: readonly string[], { suffix, continuing, bytes }: WordMarks): string {
  const bare = pieces.map((piece) => {
    if (suffix !== "" && piece.endsWith(suffix)) return piece.slice(0, -suffix.length);
    if (continuing !== "" && piece.startsWith(continuing)) return piece.slice(continuing.length);
    return piece.replace(BEGINS, "");
  });
  const joined = bare.join("");
  if (!bytes) return joined;
  const places = byteCharacters();
  const known = Array.from(joined, (character) => places.get(character));
  // What is no byte's character stands for itself.
  if (known.includes(undefined)) return joined;
  return new TextDecoder().decode(Uint8Array.from(known as number[]));
}
