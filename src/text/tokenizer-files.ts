import { z } from "zod";
import type { Bytes } from "../support/bytes.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { isLfsPointer, LFS_HINT } from "../support/json.ts";
import { folderOf, pathIn } from "../support/paths.ts";
import { reasonOf } from "../support/reason.ts";
import { byteCharacters } from "./byte-characters.ts";

/** Where a tokenizer is described. */
export type TokenizerSource =
  /** Hugging Face's `tokenizer.json`. */
  | { readonly kind: "json"; readonly path: string }
  /** The files of transformers' older tokenizers. */
  | { readonly kind: "slow"; readonly vocab: string; readonly merges: string }
  /** CLIP's own byte-pair encoding, which comes with this package as it does with OpenCLIP: its merges, gzipped. */
  | { readonly kind: "shared"; readonly merges: string };

/** What messages call a tokenizer's files. */
export const nameOf = (source: TokenizerSource): string =>
  source.kind === "json" ? source.path : source.kind === "slow" ? source.vocab : "the shared CLIP tokenizer";

const count = z.int().nonnegative();
const Vocabulary = z.record(z.string(), count);
const Token = z.looseObject({ content: z.string(), id: count });
const Definition = z.looseObject({
  added_tokens: z.array(Token).default([]),
  post_processor: z.unknown(),
  padding: z.looseObject({ pad_id: count.optional() }).nullish(),
  model: z.looseObject({
    type: z.enum(["BPE", "Unigram", "WordPiece"]),
    vocab: z.union([Vocabulary, z.array(z.tuple([z.string(), z.number()]))]),
  }),
});
const TokenizerConfig = z.looseObject({
  pad_token: z.union([z.string(), z.looseObject({ content: z.string() })]).nullish(),
});
/** A `tokenizer.json`, read. */
export type TokenizerDefinition = z.infer<typeof Definition>;

/**
 * Reads a tokenizer's files.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `TOKENIZER_INVALID`
 */
export async function readTokenizerFiles(
  bytes: Bytes,
  source: TokenizerSource,
): Promise<TokenizerDefinition> {
  if (source.kind === "json") return parse(bytes, source.path, Definition);
  if (source.kind === "shared") return define(...(await sharedTokens(bytes, source.merges)), {});
  const vocab = await parse(bytes, source.vocab, Vocabulary);
  const merges = (await read(bytes, source.merges))
    .split("\n")
    .filter((line) => line && !line.startsWith("#version"));
  const added = pathIn(folderOf(source.vocab), "added_tokens.json");
  const more = await parse(bytes, added, Vocabulary).catch((error) => {
    if (error instanceof ClipInterpretError && error.code === "INPUT_NOT_FOUND") return {};
    throw error;
  });
  return define(vocab, merges, more);
}

/** Every token of a definition with its id. */
export function tokenIds({
  added_tokens: added,
  model: { vocab },
}: TokenizerDefinition): Record<string, number> {
  const plain = Array.isArray(vocab) ? Object.fromEntries(vocab.map(([token], id) => [token, id])) : vocab;
  return { ...plain, ...Object.fromEntries(added.map(({ content, id }) => [content, id])) };
}

/** The token that texts are filled up with: as `tokenizer_config.json` says, beside the file, or the file itself. */
export async function paddingToken(
  bytes: Bytes,
  source: TokenizerSource,
  definition: TokenizerDefinition,
): Promise<number | undefined> {
  if (source.kind === "shared") return 0;
  const folder = folderOf(source.kind === "json" ? source.path : source.vocab);
  const config = await parse(bytes, pathIn(folder, "tokenizer_config.json"), TokenizerConfig).catch(
    (error) => {
      if (error instanceof ClipInterpretError && error.code === "INPUT_NOT_FOUND") return {};
      throw error;
    },
  );
  const { pad_token: token } = config as z.infer<typeof TokenizerConfig>;
  if (token == null) return definition.padding?.pad_id;
  return tokenIds(definition)[typeof token === "string" ? token : token.content];
}

async function read(bytes: Bytes, path: string): Promise<string> {
  let file: Uint8Array;
  try {
    file = await bytes.read(path);
  } catch (error) {
    if (!(error instanceof ClipInterpretError) || error.code !== "INPUT_NOT_FOUND") throw error;
    throw new ClipInterpretError("INPUT_NOT_FOUND", error.message, {
      hint: "Texts need a tokenizer.json beside the weights; every OpenAI and LAION CLIP uses that of openai/clip-vit-base-patch32.",
      cause: error,
    });
  }
  if (isLfsPointer(file))
    throw new ClipInterpretError("TOKENIZER_INVALID", `${path} is a Git LFS pointer, not the tokenizer`, {
      hint: LFS_HINT,
    });
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(file);
}

async function parse<Schema extends z.ZodType>(
  bytes: Bytes,
  path: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const text = await read(bytes, path);
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const message = `${path}: not a tokenizer file: ${reasonOf(cause)}`;
    throw new ClipInterpretError("TOKENIZER_INVALID", message, { cause });
  }
}

const START = "<|startoftext|>";
const END = "<|endoftext|>";
const PATTERN = String.raw`'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`;

/** A `tokenizer.json` of CLIP's kind, from what differs between them. */
function define(
  vocab: Record<string, number>,
  merges: readonly string[],
  added: Record<string, number>,
): TokenizerDefinition {
  const all = { ...vocab, ...added };
  return {
    added_tokens: Object.entries(added).map(([content, id]) => ({
      ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: true },
      special: content === START || content === END,
    })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: PATTERN }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: "RobertaProcessing",
      sep: [END, all[END] ?? -1],
      cls: [START, all[START] ?? -1],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: END,
      continuing_subword_prefix: "",
      end_of_word_suffix: "</w>",
      fuse_unk: false,
      vocab,
      merges,
    },
  };
}

/** CLIP's vocabulary follows from its merges: the bytes, the bytes that end a word, what is merged, start and end. */
async function sharedTokens(bytes: Bytes, path: string): Promise<[Record<string, number>, string[]]> {
  const packed = new Blob([(await bytes.read(path)) as Uint8Array<ArrayBuffer>]);
  const text = await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const merges = text.trimEnd().split("\n");
  const characters = [...byteCharacters().keys()];
  const merged = merges.map((pair) => pair.replace(" ", ""));
  const tokens = [...characters, ...characters.map((byte) => `${byte}</w>`), ...merged, START, END];
  return [Object.fromEntries(tokens.map((token, id) => [token, id])), merges];
}

/** The tokenizer files among the names of a folder; undefined if there are none. */
export function tokenizerFilesIn(folder: string, names: ReadonlySet<string>): TokenizerSource | undefined {
  if (names.has("tokenizer.json")) return { kind: "json", path: pathIn(folder, "tokenizer.json") };
  if (!names.has("vocab.json") || !names.has("merges.txt")) return undefined;
  return { kind: "slow", vocab: pathIn(folder, "vocab.json"), merges: pathIn(folder, "merges.txt") };
}
