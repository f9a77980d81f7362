import type { TextConfig } from "../checkpoint/model-config.ts";
import type { Session } from "../onnx/session.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { notNumbers } from "./decomposition.ts";

const BATCH = 64;

/**
 * Runs the text tower on token ids, each from start token to end token.
 *
 * Rows of one batch are padded behind their end token, where a causal tower does not look; other towers are given texts of one
 * length at a time. So a text's embedding is the same bit for bit whatever it is batched with (tested).
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
  let done = 0;
  for (const batch of batchesOf(texts, tower)) {
    checkCancelled(signal);
    const length = Math.max(...batch.map(({ ids }) => ids.length));
    const ids = new BigInt64Array(batch.length * length);
    batch.forEach((row, i) => {
      ids.set(row.ids.map(BigInt), i * length);
    });
    const ends = BigInt64Array.from(batch, (row, i) => BigInt(i * length + pooledAt(row.ids, tower)));
    const { embedding } = await session.run({
      ids: { data: ids, dims: [batch.length, length] },
      ...(hasEnds(tower) && { ends: { data: ends, dims: [batch.length] } }),
    });
    if (!embedding.data.every(Number.isFinite)) throw notNumbers("a text's embedding");
    batch.forEach(({ index }, i) => {
      result.set(embedding.data.subarray(i * embedDim, (i + 1) * embedDim), index * embedDim);
    });
    done += batch.length;
    report?.({ type: "advance", task: "texts", done, total: texts.length });
  }
  report?.({ type: "end", task: "texts", done: texts.length });
  return result;
}

/** Whether a text is pooled at a token of its own, which the graph has to be told. */
export const hasEnds = ({ pooling }: TextConfig): boolean => pooling === "end" || pooling === "last";

/** A text's tokens, and which of all texts it is. */
interface Row {
  readonly index: number;
  readonly ids: readonly number[];
}

/** Texts in the batches that they are computed in: in their order, or of one length each. */
function batchesOf(texts: readonly (readonly number[])[], tower: TextConfig): Row[][] {
  const rows = texts.map((ids, index) => ({ index, ids: readOf(ids, tower) }));
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const key = hasEnds(tower) ? 0 : row.ids.length;
    const group = groups.get(key) ?? [];
    group.push(row);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / BATCH) }, (_, i) =>
      group.slice(i * BATCH, (i + 1) * BATCH),
    ),
  );
}

/** CoCa's class token sees one token behind a text's end, of the many that fill the context up. */
export const readOf = (ids: readonly number[], { pooling, contextLength }: TextConfig): readonly number[] =>
  pooling === "class" && ids.length < contextLength ? [...ids, 0] : ids;

/** Which token of a text is pooled: its last one; of a text that was filled up behind its end token, the highest. */
export function pooledAt(row: readonly number[], tower: TextConfig): number {
  const { causal, pooling, contextLength } = tower;
  if (!hasEnds(tower)) return 0;
  if (!causal && row.length !== contextLength)
    throw new RangeError(`${row.length} tokens do not fill the context of ${contextLength}`);
  if (causal || pooling === "last") return row.length - 1;
  return row.indexOf(row.reduce((high, id) => Math.max(high, id), -1));
}
