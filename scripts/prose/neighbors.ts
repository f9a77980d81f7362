/** Numbers of docs/neighbors.md that stand in no generated block. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureRetrieval, nearestThrough, precisionOf } from "../../src/analysis/neighbors/retrieval.ts";
import { findGroupings } from "../../src/analysis/selectivity/groupings.ts";
import { measureSelectivity } from "../../src/analysis/selectivity/selectivity.ts";
import { speakFactors } from "../../src/analysis/selectivity/sign.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { createSearch } from "../../src/corpus/search.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { addScaled, dot, norm } from "../../src/math/linear.ts";
import { distribution, largest } from "../../src/math/rank.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { openModel } from "../../src/model/registry.ts";
import type { RetrievalResult } from "../../src/results/retrieval.ts";
import type { Scoring } from "../../src/results/scoring.ts";
import { indexFor } from "../../src/study/inputs.ts";
import { percent } from "../../src/views/kit/chart.ts";
import { RETRIEVAL_MODELS } from "../evaluation-tables.ts";
import type { ProseNumber } from "./paragraphs.ts";

const page = "neighbors.md";
const K = 8;
const whole = (share: number) => (100 * share).toFixed(0);

/** Runs over the demo corpus as a model indexed it. */
async function overDemo<T>(name: string, run: (model: ClipModel, index: Index) => Promise<T>): Promise<T> {
  const model = await openModel(name);
  try {
    return await run(model, await indexFor(model, {}));
  } finally {
    await model.release();
  }
}

/** The half of the images that heads were not chosen on. */
const testedRows = ({ images }: Index) => [...images.keys()].filter((row) => row % 2 === 1);

/** The heads chosen for each factor, with their signs. */
const chosenSets = ({ rows, factors }: RetrievalResult) =>
  rows
    .filter(({ chosenFor }) => factors.some(({ name }) => name === chosenFor))
    .map(({ chosenFor, heads }) => ({
      factor: chosenFor,
      set: { heads: heads.map(({ layer, head, weight }) => ({ layer, head, weight })), mlps: [] },
    }));

/** What weights of −1 are worth for finding a position; how often L3.H1 gives the true one the lowest score; a bound. */
export const signs = (): Promise<ProseNumber[]> =>
  overDemo(RETRIEVAL_MODELS[0], async (model, index) => {
    const result = await measureRetrieval(model, index, { scoring: "centred" });
    const { set } = chosenSets(result).find(({ factor }) => factor === "position")!;
    const unsigned = { heads: set.heads.map((head) => ({ ...head, weight: 1 })), mlps: [] };
    const tested = testedRows(index);
    const asked = [...tested.keys()];
    const groupings = findGroupings(index, tested);
    const position = groupings.find(({ name }) => name === "position")!;
    const search = createSearch(index, model.geometry, model.matmul);
    const found = async (of: typeof set, scoring: Scoring) => {
      const nearest = await nearestThrough(search, model.matmul, of, { tested, asked, k: K, scoring });
      return precisionOf(position, tested, asked, nearest).mean;
    };
    const cosine = [await found(unsigned, "cosine"), await found(set, "cosine")].map(whole);
    const centred = [await found(unsigned, "centred"), await found(set, "centred")].map(whole);
    const product = [await found(unsigned, "dot"), await found(set, "dot")].map(percent);
    const selectivity = await measureSelectivity(model, index, { permutations: 0 });
    const at = selectivity.factors.findIndex(({ name }) => name === "position");
    const L3H1 = selectivity.heads.find(({ name }) => name === "L3.H1")!;
    const margin = L3H1.factors[at].margin!;
    const concept = groupings.find(({ name }) => name === "concept")!;
    const owns = tested.map((row) => concept.groups[row]).filter((group) => group >= 0);
    const others = owns.map((own) => owns.filter((group) => group === own).length - 1);
    const mean = others.reduce((sum, count) => sum + count, 0) / others.length;
    const most = others.reduce((sum, count) => sum + Math.min(K, count) / K, 0) / others.length;
    return [
      `without the weights the cosine finds a position in ${cosine[0]} % of the nearest eight of the first model, with them in ${cosine[1]} %, and the centred score in ${centred[1]} % ${centred[0] === centred[1] ? "either way" : `(${centred[0]} %)`}`,
      `they call scenes of the same position unlike: ${product[0]} %. With weight −1 for L3.H1 it is ${product[1]} %.`,
      `gives the text of the true position the lowest of five scores in ${whole(margin.last)} % of the scenes (20 % by chance)`,
      `(There are ${mean.toFixed(1)} other images of a concept among the thousand for an image of it, so its precision@8 could not pass ${whole(most)} %.)`,
    ].map((words) => ({ page, words }));
  });

/** How well the same heads find what a text says, by scoring. */
export async function ofTexts(): Promise<ProseNumber[]> {
  const by: Record<"dot" | "cosine" | "centred", string[]> = { dot: [], cosine: [], centred: [] };
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const name of RETRIEVAL_MODELS)
    await overDemo(name, async (model, index) => {
      const tested = testedRows(index);
      const search = createSearch(index, model.geometry, model.matmul);
      const { embedDim } = model.geometry;
      const groupings = findGroupings(index, tested);
      const spoken = await speakFactors(model, groupings);
      const means = { dot: [] as number[], cosine: [] as number[], centred: [] as number[] };
      for (const { factor, set } of chosenSets(await measureRetrieval(model, index, { queries: 100 }))) {
        const at = groupings.findIndex((grouping) => grouping.name === factor);
        const { groups, values } = groupings[at];
        least = Math.min(least, values.length);
        most = Math.max(most, values.length);
        const rows = await search.contributions(set, tested);
        const mean = new Float64Array(embedDim);
        for (let i = 0; i < tested.length; i++) addScaled(mean, 1 / tested.length, rows, i * embedDim);
        const row = (i: number) => rows.subarray(i * embedDim, (i + 1) * embedDim);
        const scorings = {
          dot: (i: number, probe: Float64Array) => dot(row(i), probe),
          cosine: (i: number, probe: Float64Array) => dot(row(i), probe) / norm(row(i)),
          centred: (i: number, probe: Float64Array) => {
            const own = row(i).map((value, d) => value - mean[d]);
            return dot(own, probe) / norm(own);
          },
        };
        for (const scoring of ["dot", "cosine", "centred"] as const) {
          const shares = values.flatMap((_, value) => {
            if (!tested.some((of) => groups[of] === value)) return [];
            const probe = Float64Array.from(
              spoken[at].probes.subarray(value * embedDim, (value + 1) * embedDim),
            );
            const scores = Float64Array.from(tested, (_, i) => scorings[scoring](i, probe));
            return largest(scores, K).filter((i) => groups[tested[i]] === value).length / K;
          });
          means[scoring].push(shares.reduce((sum, share) => sum + share, 0) / shares.length);
        }
      }
      for (const scoring of ["dot", "cosine", "centred"] as const)
        by[scoring].push(
          percent(means[scoring].reduce((sum, share) => sum + share, 0) / means[scoring].length),
        );
    });
  const list = ([a, b, c]: readonly string[]) => `${a}, ${b} and ${c} %`;
  return [
    {
      page,
      words: `(${least} to ${most} a factor): product ${list(by.dot)}, cosine ${list(by.cosine)}, centred over the set ${list(by.centred)}`,
    },
  ];
}

/** What halves of numbers cost. */
export const halfPrecision = (): Promise<ProseNumber[]> =>
  overDemo(RETRIEVAL_MODELS[0], async (model, half) => {
    const folder = await mkdtemp(join(tmpdir(), "prose-"));
    try {
      const source = await scanSource(half.manifest.root);
      await buildIndex(model, source, join(folder, "exact"), { dtype: "float32" });
      const indexes = [half, await readIndex(join(folder, "exact"))];
      if (indexes[0].images.some(({ path }, row) => path !== indexes[1].images[row].path))
        throw new Error("the two indexes have other images");
      const searches = indexes.map((index) => createSearch(index, model.geometry, model.matmul));
      const rows = [...half.images.keys()];
      const { layers, heads, embedDim } = model.geometry;
      const queries = rows.filter((row) => row % (rows.length / 100) === 0);
      let [same, all, furthest] = [0, 0, 0];
      for (let unit = 0; unit < layers * heads; unit++) {
        const set = { heads: [{ layer: Math.floor(unit / heads), head: unit % heads, weight: 1 }], mlps: [] };
        const written = await searches[1].contributions(set, queries);
        for (const [q, query] of queries.entries()) {
          const probe = written.slice(q * embedDim, (q + 1) * embedDim);
          const scores = await Promise.all(searches.map((search) => search.scores(probe, set)));
          const [nearest, truly] = scores.map((of) => largest(of, K, new Set([query])));
          same += nearest.filter((row) => truly.includes(row)).length;
          all += K;
          const { deviation } = distribution(scores[1]);
          for (let i = 0; i < rows.length; i++)
            furthest = Math.max(furthest, Math.abs(scores[0][i] - scores[1][i]) / deviation);
        }
      }
      return [
        `${((100 * same) / all).toFixed(2)} % of ${all.toLocaleString("en")} nearest eights' images are those of float32 (recall@8, every head of \`${model.name}\`, ${queries.length} queries), and scores are off by at most ${(100 * furthest).toFixed(2)} % of the deviation of all scores`,
      ].map((words) => ({ page, words }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
