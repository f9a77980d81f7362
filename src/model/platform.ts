import type { TokenizerNeeds } from "../hub/tokenizer-needs.ts";
import type { DecodeOptions } from "../image/decode-options.ts";
import type { Preprocessed } from "../image/show.ts";
import type { PreprocessConfig } from "../image/types.ts";
import type { OpenSession } from "../onnx/session.ts";
import type { Bytes } from "../support/bytes.ts";
import type { TokenizerSource } from "../text/tokenizer-files.ts";

/**
 * All that a model needs of where it runs: Node's is in `load-model.ts`, a browser's in `browser/`
 * ([decision 34](../../docs/decisions/34-ports-not-forks.md)).
 */
export interface Platform {
  /** Where its files are. */
  readonly bytes: Bytes;
  /** What runs its graphs. */
  readonly openSession: OpenSession;
  /** What finds the tokenizer of a checkpoint. */
  readonly findTokenizer: (needs: TokenizerNeeds) => Promise<TokenizerSource | undefined>;
  /**
   * What a model is shown of a picture.
   * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `IMAGE_UNREADABLE`, `IMAGE_UNSUPPORTED`, `IMAGE_TOO_LARGE`
   */
  readonly preprocess: (
    source: string | Uint8Array,
    config: PreprocessConfig,
    options?: DecodeOptions,
  ) => Promise<Preprocessed>;
}
