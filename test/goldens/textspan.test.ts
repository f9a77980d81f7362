import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arrayMoments } from "../../src/analysis/textspan/contributions.ts";
import { spanArrays } from "../../src/analysis/textspan/arrays.ts";
import { reconstruct, textspan } from "../../src/analysis/textspan/textspan.ts";
import { type Algebra, createAlgebra } from "../../src/onnx/algebra.ts";
import { openNodeSession } from "../../src/onnx/node-session.ts";
import { readJson } from "../../src/support/files.ts";
import { openNpyRows } from "../../src/support/npy-stream.ts";
import type { ProgressEvent } from "../../src/support/progress.ts";
import { relativeError } from "../support/compare.ts";
import { goldenArray, goldenPath } from "../support/goldens.ts";

interface Expected {
  readonly rank: number;
  readonly iterations: number;
  readonly selected: number[];
}

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra(openNodeSession);
});
afterAll(() => algebra.release());

describe.each(["textspan-centered", "textspan-offset"])("%s equals the reference", (name) => {
  const path = (file: string) => goldenPath(`${name}/${file}`);
  const expectation = async () => (await readJson(path("expected.json"))) as Expected;
  const span = async (rank?: number) => {
    const { iterations } = await expectation();
    const rows = await openNpyRows(path("contributions.npy"), 2);
    const texts = await goldenArray(`${name}/text_features.npy`, 2);
    const moments = await arrayMoments(algebra, rows);
    await rows.close();
    return textspan(moments, null, texts.data, { algebra, iterations, ...(rank !== undefined && { rank }) });
  };

  it("the same texts in the same order, with the reference's rank and without one", async () => {
    const { rank, selected } = await expectation();
    for (const asked of [rank, undefined]) {
      const found = await span(asked);
      expect(found.selected).toEqual(selected);
      expect(found.rank).toBe(rank);
    }
  });

  it("the same reconstruction, to 1e-4", async () => {
    const wanted = await goldenArray(`${name}/reconstruction.npy`, 2);
    const contributions = await goldenArray(`${name}/contributions.npy`, 2);
    const rows = contributions.data.subarray(0, wanted.data.length);
    expect(relativeError(reconstruct(rows, await span()), wanted.data)).toBeLessThan(1e-4);
  });

  it("a rank past the numerical one is clamped, said, and changes nothing", async () => {
    const { rank, iterations, selected } = await expectation();
    const rows = await openNpyRows(path("contributions.npy"), 2);
    const texts = await goldenArray(`${name}/text_features.npy`, 2);
    const events: ProgressEvent[] = [];
    const options = { iterations, rank: 40, report: (event: ProgressEvent) => events.push(event) };
    const found = await spanArrays(rows, texts, options);
    await rows.close();
    expect(found.result).toMatchObject({ selected, rank, numericalRank: rank });
    expect(events.filter(({ type }) => type === "warning")).toMatchObject([{ code: "RANK_CLAMPED" }]);
  });
});

it("contributions centred before the projection would bring other texts where their mean is large", async () => {
  const { data, shape } = await goldenArray("textspan-offset/contributions.npy", 2);
  const texts = await goldenArray("textspan-offset/text_features.npy", 2);
  const { iterations, selected } = (await readJson(goldenPath("textspan-offset/expected.json"))) as Expected;
  const [n, D] = shape;
  const mean = new Float64Array(D);
  for (const [i, value] of data.entries()) mean[i % D] += value / n;
  const rows = { shape, read: async () => data.map((value, i) => value - mean[i % D]), close: async () => {} };
  const moments = await arrayMoments(algebra, rows);
  const found = await textspan(moments, null, texts.data, { algebra, iterations });
  expect(found.selected.slice(0, 11)).toEqual(selected.slice(0, 11));
  expect(found.selected).not.toEqual(selected);
});
