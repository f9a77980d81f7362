import { fixText } from "./ftfy/fix-text.ts";
import { unescapeHtml } from "./html.ts";

/**
 * What is done to a text before its tokens are looked up. `open_clip`: what OpenAI's CLIP and OpenCLIP do (ftfy, then HTML
 * references twice, as captions from the web are often escaped twice); `open_clip_lower` and `open_clip_canonical`: then lower
 * case, or without punctuation too, as OpenCLIP does for SigLIP. `transformers`: nothing beyond white space, as transformers'
 * CLIPTokenizer (fast, and from version 5 the only one) does; `siglip`: lower case without punctuation, as its
 * SiglipTokenizer does; `space`: nothing beyond white space for a language model, which knows capitals.
 */
export type Cleaning =
  | "open_clip"
  | "open_clip_lower"
  | "open_clip_canonical"
  | "transformers"
  | "siglip"
  | "space";

/** ASCII's punctuation. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

/** What comes after repair, and before white space. */
const THEN: Readonly<Record<Cleaning, (text: string) => string>> = {
  open_clip: (text) => text,
  open_clip_lower: (text) => text.toLowerCase(),
  open_clip_canonical: (text) => text.replaceAll("_", " ").replace(PUNCTUATION, "").toLowerCase(),
  // The library writes a sigma at a word's end as "ς"; Python does too, transformers' tokenizers do not.
  transformers: (text) => text.replaceAll("Σ", "σ"),
  space: (text) => text,
  siglip: (text) => text.toLowerCase().replace(PUNCTUATION, ""),
};

/** A run of one white space character is as good as this many of them: no rule of the repair looks at more. */
const LONGEST_RUN = 4;

/**
 * Cleans a text. White space is collapsed as the tokenizer files' own normaliser does, so that a text cut by length does
 * not end among blanks.
 * @param longest characters that are looked at, to bound the time for a text of any length
 */
export function cleanText(text: string, cleaning: Cleaning, longest: number): string {
  let beginning = text;
  if (text.length > longest) {
    const runs = new RegExp(`([ \\t\\r\\n])\\1{${LONGEST_RUN},}`, "g");
    beginning = text.replace(runs, (run) => run.slice(0, LONGEST_RUN)).slice(0, longest);
  }
  const repaired = cleaning.startsWith("open_clip")
    ? unescapeHtml(unescapeHtml(fixText(beginning)))
    : beginning;
  return THEN[cleaning](repaired)
    .replace(/\p{White_Space}+/gu, " ")
    .trim();
}
