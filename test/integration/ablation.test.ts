import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAblation } from "../../src/analysis/ablation/ablation.ts";
import {
  ablationGate,
  forwardScores,
  indexPixels,
  meanOutputs,
  openGate,
} from "../../src/analysis/ablation/forward-ablation.ts";
import { CALIBRATION_IMAGES, studyForward } from "../../src/analysis/ablation/forward-study.ts";
import { studyAblation } from "../../src/analysis/ablation/study.ts";
import { cueBaselines } from "../../src/analysis/debias/baselines.ts";
import { type SplitProblem, splitByCue } from "../../src/analysis/debias/cue-problem.ts";
import { debias } from "../../src/analysis/debias/debias.ts";
import { exportDebiased, wholeHeads } from "../../src/analysis/debias/export-debiased.ts";
import { cueProbes, PLANTED_CUE, plantedClasses } from "../../src/analysis/debias/planted-bias.ts";
import { lowestShares, prepareZeroShot, problemAccuracy } from "../../src/analysis/zero-shot/problem.ts";
import type { Index } from "../../src/corpus/open-index.ts";
import { createSearch } from "../../src/corpus/search.ts";
import { worldIndex } from "../../src/corpus/world-index.ts";
import { dot } from "../../src/math/linear.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { allComponents, parseComponents, parseEdit } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { constantPart } from "../../src/model/head-space.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { singularDirections } from "../../src/model/singular-directions.ts";
import { InferenceSession, Tensor } from "../../src/onnx/runtime.ts";
import type { DebiasResult } from "../../src/results/debias.ts";
import { relativeError } from "../support/compare.ts";

/*
 * Ablation on the planted bias, with the embedded model: what is computed from an index against dense contributions,
 * against the network itself, and against what was exported and loaded afresh.
 */

const IMAGES = 400;
let scratch: string;
let model: ClipModel;
let index: Index;
let problem: SplitProblem;
let result: DebiasResult;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "ablation-"));
  model = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  index = await worldIndex(model, { split: "balanced", images: IMAGES, cacheFolder: scratch });
  const grouped = await prepareZeroShot(model, index, plantedClasses(), { groupBy: [PLANTED_CUE] });
  problem = splitByCue(grouped, PLANTED_CUE);
  result = await debias(model, problem, { maxHeads: 4, random: 30 });
}, 120_000);
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});

const rowsOf = (positions: readonly number[]) => positions.map((at) => problem.rows[at]);

describe("direct ablation over an index", () => {
  it("is the dense embedding less the heads' deviations from their means", async () => {
    const set = parseComponents("L0.H1,L2.H0*0.5,L3.H3", model.geometry);
    const scores = await createAblation(problem.scores).without(set);
    const search = createSearch(index, model.geometry, model.matmul);
    const whole = await search.contributions(allComponents(model.geometry), problem.rows);
    const part = await search.contributions(set, problem.rows);
    const { embedDim } = model.config;
    const [n, classes] = [problem.rows.length, problem.scores.classes];
    const mean = new Float64Array(embedDim);
    for (let i = 0; i < part.length; i++) mean[i % embedDim] += part[i] / n;
    for (const image of [0, 17, n - 1]) {
      for (let c = 0; c < classes; c++) {
        let sum = 0;
        for (let d = 0; d < embedDim; d++) {
          const left = whole[image * embedDim + d] - part[image * embedDim + d] + mean[d];
          sum += left * problem.probes[c * embedDim + d];
        }
        expect(Math.abs(scores[image * classes + c] - sum)).toBeLessThan(2e-6);
      }
    }
  });

  it("of every head and every MLP leaves all images with one embedding", async () => {
    const scores = await createAblation(problem.scores).without(allComponents(model.geometry));
    const { classes } = problem.scores;
    for (let i = 0; i < scores.length; i++)
      expect(Math.abs(scores[i] - scores[i % classes])).toBeLessThan(1e-6);
  });

  it("tells every row beside random heads, and nothing of nothing", async () => {
    const set = parseComponents("L0.H1", model.geometry);
    const study = await studyAblation(problem, [{ name: "one", set }], { random: 20 });
    expect(study.whole).toEqual(problemAccuracy(problem, await problem.scores.whole()));
    const [one, mlps, heads] = study.rows;
    expect(one.random).toMatchObject({ draws: 15, exhaustive: true });
    expect(mlps).toMatchObject({ components: { set: "every MLP", heads: [] }, random: null });
    expect(mlps.components.mlps).toHaveLength(5);
    // Without any head the MLPs alone cannot tell the two of a pair apart much better than a coin.
    expect(heads.accuracy.share).toBeLessThan(0.7);
    expect(study.rows.filter(({ kind }) => kind === "layer")).toHaveLength(4);
    expect(study.rows.filter(({ kind }) => kind === "kept").every(({ random }) => random?.draws)).toBe(true);
  });
});

describe("ablation of single directions", () => {
  const dense = async (layer: number, head: number) => {
    const search = createSearch(index, model.geometry, model.matmul);
    return search.contributions({ heads: [{ layer, head, weight: 1 }], mlps: [] }, problem.rows);
  };

  it("takes out what z writes along the direction, and an equal share of what it writes whatever z is", async () => {
    const { embedDim, headDim } = { ...model.config, ...model.geometry };
    const { writes } = await singularDirections(model)(2, 1);
    const found = await problem.scores.direction(2, 1, 3);
    const written = await dense(2, 1);
    const scalars = await index.scalars();
    const v = writes.subarray(3 * embedDim, 4 * embedDim);
    for (const at of [0, 5, 100]) {
      const [mu, sigma, norm] = scalars.subarray(3 * problem.rows[at], 3 * problem.rows[at] + 3);
      const constant = constantPart(model.geometry, mu, sigma, 2).map((value) => value / norm);
      const own = constant.map((value, d) => written[at * embedDim + d] - value);
      for (let c = 0; c < problem.scores.classes; c++) {
        const text = problem.probes.subarray(c * embedDim, (c + 1) * embedDim);
        const expected = dot(own, v) * dot(text, v) + dot(constant, text) / headDim;
        expect(Math.abs(found[at * problem.scores.classes + c] - expected)).toBeLessThan(1e-6);
      }
    }
  });

  it.each(["mean", "zero"] as const)(
    "of all directions of a head is ablation of the head (%s)",
    async (replacement) => {
      const ablation = createAblation(problem.scores, { replacement });
      const whole = await ablation.without(parseEdit("L0.H1", model.geometry));
      const along = await ablation.without(parseEdit("L0.H1@0-31", model.geometry));
      expect(along.length).toBe(whole.length);
      expect(whole.reduce((most, value, i) => Math.max(most, Math.abs(value - along[i])), 0)).toBeLessThan(
        2e-6,
      );
    },
  );

  it("stands beside as many other directions of the same head", async () => {
    const sets = ["L0.H1@0", "L0.H1@0-31"].map((name) => ({ name, set: parseEdit(name, model.geometry) }));
    const { rows } = await studyAblation(problem, sets, { random: 100, layers: false });
    expect(rows[0].random).toMatchObject({ draws: 31, exhaustive: true });
    expect(rows[0].components).toMatchObject({
      set: "L0.H1@0",
      heads: [],
      directions: [{ layer: 0, head: 1, direction: 0, name: "L0.H1@0", weight: 1 }],
    });
    expect(rows[1].random).toBeNull();
  });

  it("removes a cue by directions as by heads, held against directions", async () => {
    const given = parseEdit("L0.H1@0-31", model.geometry);
    const options = { maxHeads: 1, random: 1 };
    const along = await debias(model, problem, { ...options, given });
    const whole = await debias(model, problem, { ...options, given: parseEdit("L0.H1", model.geometry) });
    expect(along.selections[0].steps).toHaveLength(32);
    expect(along.selections[0].steps[0].heads).toEqual([{ layer: 0, head: 1, name: "L0.H1@0" }]);
    expect(along.selections[0].outcome).toEqual(whole.selections[0].outcome);
    expect(along.selections[0].controls.map(({ from }) => from)).toEqual(["same layers", "all layers"]);
    expect(along.randomSteps).toHaveLength(32);
    const exported = debias(model, problem, { ...options, given, exports: ["x.onnx"] });
    await expect(exported).rejects.toMatchObject({ code: "HEADS_INVALID" });
    const inner = { ...options, given, fullForward: true, forwardImages: 6 };
    const { forward } = await debias(model, problem, inner);
    expect(forward[0].rows[0].components.directions).toHaveLength(32);
    expect(forward[0].rows[0].random).toMatchObject({ draws: 1 });
    const both = parseEdit("L0.H0,L0.H1@3", model.geometry);
    await expect(debias(model, problem, { ...options, given: both })).rejects.toMatchObject({
      code: "HEADS_INVALID",
    });
  });
});

describe("ablation inside the network", () => {
  it("of nothing is the plain network, bit for bit", async () => {
    for await (const { pixels } of indexPixels(model, index, [3, 1, 4], 3)) {
      const plain = await model.decompose(pixels);
      const gated = await model.decompose(pixels, { gate: openGate(model) });
      expect(gated.embedding).toEqual(plain.embedding);
      expect(gated.z).toEqual(plain.z);
      expect(gated.mlps).toEqual(plain.mlps);
    }
  });

  it("gives a head its mean at every token, and leaves what comes before as it is", async () => {
    const means = await meanOutputs(model, index, [0, 1, 2, 3, 4, 5], [1, 3]);
    const { headDim, heads, width, tokens } = model.config.vision;
    const gate = await ablationGate(model, parseComponents("L1.H2", model.geometry), means);
    for await (const { pixels, count } of indexPixels(model, index, [7, 8], 2)) {
      const plain = await model.decompose(pixels, { outputLayers: [0, 1] });
      const gated = await model.decompose(pixels, { gate, outputLayers: [0, 1] });
      expect(gated.outputs.get(0)).toEqual(plain.outputs.get(0));
      const [before, after] = [plain.outputs.get(1)!, gated.outputs.get(1)!];
      for (let at = 0; at < after.length; at++) {
        const [token, column] = [Math.floor(at / width) % tokens, at % width];
        const expected =
          Math.floor(column / headDim) === 2
            ? Math.fround(means[(tokens + token) * width + column])
            : before[at];
        expect(Math.abs(after[at] - expected)).toBeLessThan(1e-6);
      }
      // At CLS the outputs of all tokens are the z that is decomposed.
      for (let image = 0; image < count; image++) {
        const cls = plain.outputs.get(1)!.subarray(image * tokens * width, image * tokens * width + width);
        const from = (image * model.config.vision.layers + 1) * heads * headDim;
        expect(plain.z.subarray(from, from + width)).toEqual(cls);
      }
    }
  });

  it("of the heads' means is their mean: of one image it changes nothing", async () => {
    const means = await meanOutputs(model, index, [11], [0, 1, 2, 3]);
    const gate = await ablationGate(model, parseComponents("all", model.geometry), means);
    const [open, shut] = await forwardScores(model, index, [11], problem.probes, [openGate(model), gate]);
    for (const [c, score] of shut.entries()) expect(score).toBeCloseTo(open[c], 5);
  });

  it("takes no MLPs", async () => {
    const set = parseComponents("L0.H0,L1.MLP", model.geometry);
    await expect(ablationGate(model, set)).rejects.toThrow("MLP");
  });

  it("of all directions of a head is that of the head, and of half of each half of it", async () => {
    const means = await meanOutputs(model, index, [0, 1, 2], [1]);
    const gates = await Promise.all(
      ["L1.H2", "L1.H2@0-31", "L1.H2*0.5", "L1.H2@0-31*0.5"].map((name) =>
        ablationGate(model, parseEdit(name, model.geometry), means),
      ),
    );
    for await (const { pixels } of indexPixels(model, index, [5, 6], 2)) {
      const found = [];
      for (const gate of gates) found.push((await model.decompose(pixels, { gate })).embedding);
      expect(relativeError(found[1], found[0])).toBeLessThan(1e-5);
      expect(relativeError(found[3], found[2])).toBeLessThan(1e-5);
      expect(relativeError(found[2], found[0])).toBeGreaterThan(1e-2);
    }
  });

  it("holds a direction against other directions of its head, and runs in the command's studies", async () => {
    const sets = [{ name: "L0.H1@0", set: parseEdit("L0.H1@0", model.geometry) }];
    const { rows } = await studyForward(model, problem, sets, { images: 8, calibration: 4, random: 3 });
    expect(rows[0].random).toMatchObject({ draws: 3, exhaustive: false });
    expect(rows[0].components).toMatchObject({ heads: [], directions: [{ name: "L0.H1@0" }] });
  });
});

describe("debias", () => {
  it("finds the head that carries the colour by every kind of evidence, and lifts the worst group", () => {
    for (const { order, chosen, outcome } of result.selections) {
      expect(order[0].name).toBe("L0.H1");
      expect(chosen.length).toBeGreaterThan(1);
      expect(outcome.test.worst.share).toBeGreaterThan(result.before.test.worst.share + 0.2);
      expect(outcome.test.average.share).toBeGreaterThan(result.before.test.average.share);
    }
    const { controls } = result.selections[result.used];
    for (const { worst } of controls) expect(worst.atLeast).toBeLessThan(0.1);
  });

  it("splits the gap into parts that add up to it", () => {
    const { heads, mlps, whole } = result.gap;
    const sum = heads.reduce((total, { value }) => total + value, mlps);
    expect(sum).toBeCloseTo(whole, 6);
    expect(whole).toBeGreaterThan(0.05);
  });

  it("never looks at the held-out half: its images' labels change no choice", async () => {
    const spoilt = {
      ...problem,
      truth: problem.truth.map((c, at) => (problem.testAt.includes(at) ? c ^ 1 : c)),
    };
    const other = await debias(model, spoilt, { maxHeads: 4, random: 0 });
    expect(other.selections.map(({ chosen }) => chosen)).toEqual(
      result.selections.map(({ chosen }) => chosen),
    );
    expect(other.gap).toEqual(result.gap);
  });

  it("stands beside ways that know of no heads, fitted on the validation half alone", async () => {
    const embed = (texts: readonly string[]) => model.encodeTexts(texts);
    const probes = await cueProbes(model, problem, [], embed);
    const found = await cueBaselines(problem, probes);
    expect(found.map(({ baseline, directions }) => [baseline, directions])).toEqual([
      ["text projection", 1],
      ["mean difference", 1],
      ["LEACE", 1],
      ["linear probe", 0],
    ]);
    const worst = new Map(
      found.map(({ baseline, hits }) => [baseline, lowestShares(hits, problem.test).worst]),
    );
    for (const value of worst.values()) {
      expect(value).toBeGreaterThan(result.before.test.worst.share + 0.2);
    }
    expect(result.baselines.map(({ baseline }) => baseline)).toEqual([...worst.keys()].slice(1));
    for (const [i, { outcome, lead }] of result.baselines.entries()) {
      expect(outcome.test.worst.share).toBe(worst.get(found[i + 1].baseline));
      const { average } = result.selections[result.used].outcome.test;
      expect(lead.mean).toBeCloseTo(average.share - outcome.test.average.share, 12);
      expect(lead.low).toBeLessThan(lead.high);
    }
    // Images of the held-out half that say nothing and are of no known class change no fit.
    const at = new Set(problem.testAt.map((position) => problem.rows[position]));
    const embeddings = Float32Array.from(await index.embeddings(), (value, i) =>
      at.has(Math.floor(i / model.config.embedDim)) ? 1 : value,
    );
    const spoilt = {
      ...problem,
      index: { ...index, embeddings: () => Promise.resolve(embeddings) },
      truth: problem.truth.map((c, position) => (problem.testAt.includes(position) ? c ^ 1 : c)),
    };
    const again = await cueBaselines(spoilt, probes);
    const onValidation = (of: typeof found) =>
      of.map(({ hits }) => problem.validationAt.map((position) => hits[position]));
    expect(onValidation(again)).toEqual(onValidation(found));
  });

  it("is reproduced by the exported encoder, loaded afresh by plain ONNX Runtime", async () => {
    const path = join(scratch, "encoder.onnx");
    await exportDebiased(model, problem, result, [path], {});
    const session = await InferenceSession.create(path);
    const { size } = model.config.preprocess;
    const { embedDim } = model.config;
    const { classes } = problem.scores;
    const scores = new Float64Array(problem.testAt.length * classes);
    for await (const { start, count, pixels } of indexPixels(model, index, rowsOf(problem.testAt), 32)) {
      const { embedding } = await session.run({
        pixels: new Tensor("float32", pixels, [count, 3, size, size]),
      });
      const data = embedding.data as Float32Array;
      for (let i = 0; i < count * classes; i++) {
        const [image, c] = [Math.floor(i / classes), i % classes];
        for (let d = 0; d < embedDim; d++) {
          scores[start * classes + i] += data[image * embedDim + d] * problem.probes[c * embedDim + d];
        }
      }
    }
    await session.release();
    expectOutcome(scores, result.selections[result.used].outcome.test);
  });

  it("inside the network is reproduced by the exported folder, loaded afresh", async () => {
    const folder = join(scratch, "edited");
    await exportDebiased(model, problem, result, [folder], {});
    const set = wholeHeads(result.selections[result.used].chosen);
    const reported = await studyForward(model, problem, [{ name: "used", set }], {
      ...{ replacement: "tokens", images: IMAGES, calibration: CALIBRATION_IMAGES, random: 0 },
      ...{ at: problem.testAt, meanOver: problem.validationAt },
    });
    const edited = await loadClipModel(folder);
    try {
      const [scores] = await forwardScores(edited, index, rowsOf(problem.testAt), problem.probes, [
        openGate(edited),
      ]);
      const { accuracy, worst } = reported.rows[0];
      expectOutcome(scores, { average: accuracy, worst });
    } finally {
      await edited.release();
    }
  });
});

/** Scores [test, C] must give the accuracies that were reported, to an image or two at the edge of rounding. */
function expectOutcome(
  scores: Float64Array,
  reported: { average: { share: number }; worst: { name: string; share: number } | null },
): void {
  const at = problem.testAt;
  const part = {
    ...problem,
    truth: Int32Array.from(at, (position) => problem.truth[position]),
    groups: {
      names: problem.test.names,
      groups: Int32Array.from(at, (position) => problem.test.groups[position]),
    },
  };
  const found = problemAccuracy(part, scores);
  expect(Math.abs(found.all.share - reported.average.share) * at.length).toBeLessThan(2.5);
  const group = found.groups.find(({ name }) => name === reported.worst?.name);
  expect(Math.abs(group!.share - reported.worst!.share) * group!.n).toBeLessThan(1.5);
}
