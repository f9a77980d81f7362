import type { TextConfig } from "../checkpoint/model-config.ts";
import type { Session } from "../onnx/session.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { notNumbers } from "./decomposition.ts";

const BATCH = 64;

/**
 * Runs the text tower on token ids, each from start token to end token.
 *
 * Rows of one batch are padded behind their end token, where a causal tower does not look; a text's embedding
 * is the same bit for bit whatever it is batched with (tested). Texts of a tower that is not causal must fill its context.
 *
 * @returns raw embeddings, [t, embedDim]
 * @throws `SUM_MISMATCH` when an embedding is not made of numbers; `CANCELLED`
 */
export async function encodeTokens(
  session: Session,
  texts: readonly (readonly number[])[],
  tower: TextConfig,
  embedDim: number,
  { report, signal }: WorkOptions = {},
): Promise<Float32Array> {
  const result = new Float32Array(texts.length * embedDim);
  report?.({ type: "start", task: "texts", unit: "text", total: texts.length });
  for (let start = 0; start < texts.length; start += BATCH) {
    checkCancelled(signal);
    const batch = texts.slice(start, start + BATCH);
    const length = Math.max(...batch.map((ids) => ids.length));
    const ids = new BigInt64Array(batch.length * length);
    batch.forEach((row, i) => {
      ids.set(row.map(BigInt), i * length);
    });
    const ends = BigInt64Array.from(batch, (row, i) => BigInt(i * length + pooledAt(row, tower)));
    const { embedding } = await session.run({
      ids: { data: ids, dims: [batch.length, length] },
      ends: { data: ends, dims: [batch.length] },
    });
    if (!embedding.data.every(Number.isFinite)) throw notNumbers("a text's embedding");
    result.set(embedding.data, start * embedDim);
    report?.({ type: "advance", task: "texts", done: start + batch.length, total: texts.length });
  }
  report?.({ type: "end", task: "texts", done: texts.length });
  return result;
}

/** Which token of a text is pooled: its last one; of a text that was filled up behind its end token, the highest. */
function pooledAt(row: readonly number[], { causal, pooling, contextLength }: TextConfig): number {
  if (!causal && row.length !== contextLength)
    throw new RangeError(`${row.length} tokens do not fill the context of ${contextLength}`);
  if (causal || pooling === "last") return row.length - 1;
  return row.indexOf(row.reduce((high, id) => Math.max(high, id), -1));
}
