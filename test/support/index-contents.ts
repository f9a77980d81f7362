import { expect } from "vitest";
import { readIndex } from "../../src/corpus/open-index.ts";
import { storeAt } from "../../src/corpus/store-at.ts";

/** What an index holds of each image: its row and every number. */
async function indexContents(folder: string) {
  const warnings: string[] = [];
  const {
    images: rows,
    rejected,
    manifest,
    ...read
  } = await readIndex(folder, {
    report: (event) => void warnings.push(JSON.stringify(event)),
  });
  expect(warnings).toEqual([]);
  const { layers, heads, headDim, embedDim } = manifest;
  const [scalars, embeddings] = [await read.scalars(), await read.embeddings()];
  const z = await Promise.all(
    Array.from({ length: layers * heads }, (_, unit) => read.head(Math.floor(unit / heads), unit % heads)),
  );
  const of = (array: Float32Array, row: number, width: number) =>
    Buffer.from(array.slice(row * width, (row + 1) * width).buffer).toString("base64");
  const held = rows.map((row, i) => ({
    row,
    scalars: of(scalars, i, 3),
    embedding: of(embeddings, i, embedDim),
    z: z.map((unit) => of(unit, i, headDim)).join(),
  }));
  const byPath = <T extends { path: string }>(a: T, b: T) => (a.path < b.path ? -1 : 1);
  return {
    held: held.sort((a, b) => byPath(a.row, b.row)),
    rejected: [...rejected].sort(byPath),
    moments: await read.moments(),
  };
}

/**
 * Expects two indexes to hold the same, whatever their shards: the same images with the same rows and every number
 * equal bit for bit, the same rejected files; moments are sums, so the order of shards shows in their last digits.
 */
export async function expectSameIndex(index: string, wanted: string): Promise<void> {
  const [one, other] = [await indexContents(index), await indexContents(wanted)];
  expect(one.held).toEqual(other.held);
  expect(one.rejected).toEqual(other.rejected);
  const parts: string[] = [];
  for await (const { name } of storeAt(index).files("parts")) parts.push(name);
  expect(parts).toEqual([]);
  for (const [i, moment] of one.moments.entries())
    expect(Math.abs(moment - other.moments[i])).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(moment)));
}
