import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { indexPixels } from "../../src/analysis/ablation/forward-ablation.ts";
import { makeAtlas } from "../../src/analysis/atlas/atlas.ts";
import { type ComparedSide, compareModels } from "../../src/analysis/compare/compare.ts";
import { type SplitProblem, splitByCue } from "../../src/analysis/debias/cue-problem.ts";
import { debias } from "../../src/analysis/debias/debias.ts";
import { defaultClasses } from "../../src/analysis/zero-shot/classes.ts";
import { prepareZeroShot, problemAccuracy } from "../../src/analysis/zero-shot/problem.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { type Source, scanSource } from "../../src/corpus/source.ts";
import { Random } from "../../src/math/random.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseComponents } from "../../src/model/components.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { InferenceSession, Tensor } from "../../src/onnx/runtime.ts";
import type { AtlasHeadResult } from "../../src/results/atlas.ts";
import { hashPool } from "../../src/text/pool.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { relativeError } from "../support/compare.ts";
import { goldenPath } from "../support/goldens.ts";

/*
 * Comparing and debiasing, with what debiasing exports, on each way to pool. The models are small and random, so what is held is
 * that numbers agree: a model with itself, a report with what its exports give when they are loaded afresh.
 */

const IMAGES = 48;
let scratch: string;
let source: Source;
/** A model that every other is compared with. */
let other: ComparedSide;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "measured-"));
  const corpus = join(scratch, "corpus");
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(corpus, await planCorpus({ split: "demo", indices, size: 48 }));
  const { images, ...rest } = await scanSource(corpus);
  // Each class with each cue, equally often.
  const factorsOf = (i: number) => ({ animal: i % 2 ? "dog" : "cat", ground: i % 4 < 2 ? "grass" : "snow" });
  source = { ...rest, images: images.map((image, i) => ({ ...image, factors: factorsOf(i) })) };
  const model = await loadClipModel(goldenPath("kinds/eva"));
  await buildIndex(model, source, join(scratch, "eva.index"));
  const index = await readIndex(join(scratch, "eva.index"));
  other = { model, index, components: { name: "L1", set: parseComponents("L1", model.geometry) } };
}, 60_000);
afterAll(async () => {
  await other.model.release();
  await rm(scratch, { recursive: true, force: true });
});

/** A text's embedding for a model that may read none: random, the same each time. */
const embed = (model: ClipModel) => async (texts: readonly string[]) => {
  const random = new Random(texts.length);
  return Float32Array.from({ length: texts.length * model.config.embedDim }, () => random.between(-1, 1));
};

const KINDS = [
  ["CLS token", "layer-scale"],
  ["mean of patches, then norm", "mean-norm"],
  ["norm, then mean of patches", "norm-mean"],
  ["attention", "siglip-transformers"],
] as const;

describe.each(KINDS)("a model pooled by %s", (_, kind) => {
  let model: ClipModel;
  let index: Index;
  let problem: SplitProblem;
  beforeAll(async () => {
    model = await loadClipModel(goldenPath(`kinds/${kind}`));
    const folder = join(scratch, `${kind}.index`);
    await buildIndex(model, source, folder, { dtype: "float32" });
    index = await readIndex(folder);
    const classes = defaultClasses(index, "animal");
    const grouped = await prepareZeroShot(model, index, classes, {
      groupBy: ["ground"],
      embed: embed(model),
    });
    problem = splitByCue(grouped, "ground");
  }, 60_000);
  afterAll(() => model.release());

  it("is compared: with itself every head is its own match, with another model all likenesses are shares", async () => {
    const side = { model, index, components: { name: "all", set: parseComponents("all", model.geometry) } };
    const own = await compareModels(side, side, { pairs: 1, permutations: 2 });
    const heads = own.similarity.length;
    expect(own.similarity.map((row, head) => row[head])).toEqual(
      Array.from({ length: heads }, () => expect.closeTo(1, 5)),
    );
    expect(own.mutual).toBe(heads);
    const { similarity, images } = await compareModels(side, other, { pairs: 1, permutations: 2 });
    expect(images).toBe(IMAGES);
    for (const value of similarity.flat()) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThanOrEqual(1 + 1e-6);
    }
  });

  it("is debiased, and what is exported gives the numbers of the report", async () => {
    const [encoder, folder] = [join(scratch, `${kind}.onnx`), join(scratch, `${kind}-edited`)];
    const given = parseComponents("L0.H1,L1.H0", model.geometry);
    const found = await debias(model, problem, { given, random: 2, exports: [encoder, folder] });
    expect(found.exported).toEqual([encoder, folder]);
    const { chosen, outcome } = found.selections[found.used];
    expect(chosen.map(({ name }) => name)).toEqual(["L0.H1", "L1.H0"]);

    expectOutcome(await encoderScores(encoder), outcome.test);
    const edited = await loadClipModel(folder);
    const { size } = model.config.preprocess;
    const pixels = Float32Array.from({ length: 3 * size ** 2 }, (_, i) => Math.sin(i * i) * 2);
    const [before, after] = await Promise.all([model, edited].map((one) => one.decompose(pixels)));
    await edited.release();
    expect(relativeError(after.embedding, before.embedding)).toBeGreaterThan(1e-3);
  });

  /** [test, C]: scores of an exported encoder, by plain ONNX Runtime. */
  async function encoderScores(path: string): Promise<Float64Array> {
    const session = await InferenceSession.create(path);
    const { size } = model.config.preprocess;
    const { embedDim } = model.config;
    const { classes } = problem.scores;
    const scores = new Float64Array(problem.testAt.length * classes);
    const rows = problem.testAt.map((position) => problem.rows[position]);
    for await (const { start, count, pixels } of indexPixels(model, index, rows, 32)) {
      const dims = [count, 3, size, size];
      const { embedding } = await session.run({ pixels: new Tensor("float32", pixels, dims) });
      const data = embedding.data as Float32Array;
      for (let i = 0; i < count * classes; i++) {
        const [image, c] = [Math.floor(i / classes), i % classes];
        for (let d = 0; d < embedDim; d++)
          scores[start * classes + i] += data[image * embedDim + d] * problem.probes[c * embedDim + d];
      }
    }
    await session.release();
    return scores;
  }

  /** Scores must give the accuracies that were reported, to an image at the edge of rounding. */
  function expectOutcome(
    scores: Float64Array,
    reported: { average: { share: number }; worst: { name: string; share: number } | null },
  ) {
    const at = problem.testAt;
    const part = {
      ...problem,
      truth: Int32Array.from(at, (position) => problem.truth[position]),
      groups: {
        names: problem.test.names,
        groups: Int32Array.from(at, (position) => problem.test.groups[position]),
      },
    };
    const { all, groups } = problemAccuracy(part, scores);
    expect(Math.abs(all.share - reported.average.share) * at.length).toBeLessThan(1.5);
    const group = groups.find(({ name }) => name === reported.worst?.name)!;
    expect(Math.abs(group.share - reported.worst!.share) * group.n).toBeLessThan(1.5);
  }
});

const TEXTS = ["a dog", "two cats", "snow", "the rain"].map((text, i) => ({
  text,
  property: i < 2 ? "animal" : "weather",
}));

describe.each([
  ["mean of patches", "mean-norm", "clipa"],
  ["attention", "siglip-transformers", "siglip"],
  ["CLS token, with a text tower that is not read", "layer-scale", null],
])("the atlas of a model pooled by %s", (_, kind, tokenizer) => {
  it("has every head, with the texts that the model reads and the nearest heads of another", async () => {
    const folder = join(scratch, `${kind}-atlas`);
    await cp(goldenPath(`kinds/${kind}`), folder, { recursive: true });
    if (tokenizer) await cp(goldenPath(`tokenizer/${tokenizer}`), folder, { recursive: true });
    else {
      const path = join(folder, "open_clip_config.json");
      const config = JSON.parse(await readFile(path, "utf8"));
      config.model_cfg.text_cfg = { hf_model_name: "nobody/knows-it" };
      await writeFile(path, JSON.stringify(config));
    }
    const model = await loadClipModel(folder);
    onTestFinished(() => model.release());
    await buildIndex(model, source, `${folder}.index`);
    const index = await readIndex(`${folder}.index`);
    const pages: AtlasHeadResult[] = [];
    const atlas = await makeAtlas(model, index, {
      ...(tokenizer && { pool: { name: "some", hash: hashPool(TEXTS), texts: TEXTS } }),
      ...{ rotations: 5, cacheFolder: join(scratch, "texts") },
      others: [other],
      onPage: (page) => void pages.push(page),
    });
    const { layers, heads } = model.geometry;
    expect(atlas.heads).toHaveLength(layers * heads);
    expect(pages).toHaveLength(layers * heads);
    for (const page of pages) {
      expect(page.texts.map(({ text }) => text).sort()).toEqual(
        tokenizer ? TEXTS.map(({ text }) => text).sort() : [],
      );
      expect(page.directions.length).toBeGreaterThan(0);
      const [elsewhere] = page.elsewhere;
      expect(elsewhere).toMatchObject({ model: other.model.name, images: IMAGES });
      expect(elsewhere.heads.length).toBeGreaterThan(0);
    }
  });
});
