import type { TextConfig } from "../checkpoint/model-config.ts";
import type { MatMul } from "../onnx/matmul.ts";
import type { Session } from "../onnx/session.ts";
import { type DecomposeOptions, type TokenDecomposition, takeApart } from "./decompose.ts";
import { hasEnds, pooledAt, readOf } from "./encode-tokens.ts";
import type { TextGeometry } from "./geometry.ts";
import { throughEnd } from "./language-end.ts";

/** What a text's decomposition is asked for beyond its parts. */
export type DecomposeTokensOptions = Pick<DecomposeOptions, "tokenLayers">;

/**
 * Runs the text tower on texts of one length and takes the result apart; the parts are checked to add up. A text's tokens are
 * those that its tower reads: with the padding where it does, with the class token where there is one.
 *
 * @param session a text graph of kind `decompose`, made with the same options
 * @param texts token ids as `tokenizeTexts` gives them, all of one length
 * @throws `SUM_MISMATCH`; RangeError for texts of several lengths
 */
export async function decomposeTokens(
  session: Session,
  matmul: MatMul,
  tower: TextConfig,
  { geometry, watch, end }: TextGeometry,
  texts: readonly (readonly number[])[],
  { tokenLayers = [] }: DecomposeTokensOptions = {},
): Promise<TokenDecomposition> {
  const rows = texts.map((ids) => readOf(ids, tower));
  const [{ length } = { length: 0 }] = rows;
  if (length === 0 || rows.some((ids) => ids.length !== length))
    throw new RangeError("texts that are decomposed together have one length");
  const ends = rows.map((ids, i) => BigInt(i * length + pooledAt(ids, tower)));
  const out = await session.run({
    ids: { data: BigInt64Array.from(rows.flat(), BigInt), dims: [rows.length, length] },
    ...(hasEnds(tower) && { ends: { data: BigInt64Array.from(ends), dims: [rows.length] } }),
  });
  const { width, epsilon, pooling } = tower;
  const tokens = length + (pooling === "class" ? 1 : 0);
  // Any token of a text may be a word's, as any of an image's behind the prefix is a patch.
  const sizes = { width, epsilon, tokens, prefix: 0, patches: tokens } as const;
  const asked = { count: rows.length, tokenLayers, each: "text" } as const;
  if (!end) return takeApart(out, sizes, matmul, geometry, { ...asked, watch });
  const before = await takeApart({ ...out, embedding: out["before.1"] }, sizes, matmul, end.before, asked);
  return throughEnd(matmul, { geometry, end }, before, out);
}
