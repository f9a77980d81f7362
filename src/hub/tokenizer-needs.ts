/** The byte-pair encoding; every OpenAI and LAION CLIP has the same. */
export const TOKENIZER = "tokenizer.json";

/** Entries of the vocabulary that OpenAI's and LAION's CLIPs share. */
const SHARED_VOCABULARY = 49408;

/** What decides which tokenizer a model reads texts with. */
export interface TokenizerNeeds {
  readonly folder: string;
  readonly vocabSize: number;
  /** Whose tokenizer its config names, if any. */
  readonly tokenizerName: string | undefined;
}

/** True where OpenCLIP would take the tokenizer in its own package, which is in this one too. */
export const sharesTokenizer = ({ vocabSize, tokenizerName }: Omit<TokenizerNeeds, "folder">): boolean =>
  vocabSize === SHARED_VOCABULARY &&
  (tokenizerName === undefined || tokenizerName.startsWith("openai/clip-"));

/** What to do where there is none. */
export const noTokenizer = (folder: string): { message: string; hint: string } => ({
  message: `no ${TOKENIZER} in ${folder}: only images can be used`,
  hint: `Texts need the ${TOKENIZER} that the model was trained with beside its weights.`,
});
