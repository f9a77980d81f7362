import { measureBaselines } from "../labeling/baselines.ts";
import { calibrate, type Truth } from "../labeling/calibration.ts";
import { pluralityByChance } from "../labeling/chance.ts";
import { type JudgedHead, measureByLayer, measureByProperty, measureLabels } from "../labeling/metrics.ts";
import { compareSizes } from "../labeling/size-comparison.ts";
import { tagJudge, tagLabeller } from "../labeling/tags.ts";
import { sampleOrigin } from "../results/origin.fixture.ts";
import { headOf } from "../results/shapes.ts";
import type { StudyHead, StudyModel, StudyResult } from "../results/study.ts";

export const EVIL = '=1+1,"<script>alert(1)</script>|`';
const pool = ["colour", "animal", EVIL].flatMap((property) =>
  Array.from({ length: 9 }, (_, i) => ({ text: `${property} ${i}`, property })),
);
const labelling = { labeller: tagLabeller(""), judge: tagJudge("") };

/** A model of four heads, of which `known` respond to what their labels say. */
async function modelOf(name: string, size: number, known: number): Promise<[StudyModel, Truth]> {
  const labels = ["colour", "animal", EVIL, "colour"];
  const heads = labels.map((label, h) => ({
    ...headOf(0, h),
    label,
    consistent: [true, true, true, h < 2, false],
  }));
  const described = heads.map(({ label, consistent, ...head }) => ({
    ...head,
    descriptions: consistent.map((fits, i) => ({
      text: `${label} ${i}`,
      property: fits ? label : "animal",
      explainedVariance: 0.1,
    })),
  }));
  const factors = ["colour", "animal", EVIL];
  const truth: Truth = {
    factors,
    poolShares: [1 / 3, 1 / 3, 1 / 3],
    shares: new Map(
      heads.map(({ name: own, label }, h) => [
        own,
        factors.map((factor) => ((factor === label) === h < known ? 0.6 : 0.1)),
      ]),
    ),
    nested: [],
  };
  const metrics = measureLabels(heads);
  const hash = "0".repeat(64);
  const model: StudyModel = {
    origin: sampleOrigin({
      model: { name, weights: hash },
      index: { sha256: hash, images: 10 },
      pool: { name: "own", sha256: hash, texts: 27 },
    }),
    shape: { layers: 1, headsPerLayer: 4, width: 8, patch: 8, imageSize: 64, size, trainedOn: null },
    ...{ labeller: "tags", judge: "tags", tags: [{ tag: "colour", texts: 9 }] },
    ...{ metrics, byLayer: measureByLayer(heads), byProperty: measureByProperty(heads) },
    resampled: (await measureBaselines(described, pool, labelling, { draws: 2 })).randomTexts,
    baselines: await measureBaselines(described, pool, labelling, { draws: 50 }),
    chanceCcs: pluralityByChance(pool),
    ...{ unlabelled: [], labelBaselines: null, agreement: null },
    calibration: calibrate([{ model: name, layers: 1, heads, truth }], { permutations: 20 }),
    heads: heads.map(({ layer, head, name: own, label, consistent }, h) => ({
      ...{ layer, head, name: own, label, ccs: consistent.filter(Boolean).length, sameLabel: 0.5 },
      ccsResampled: { mean: 3, low: 3, high: 4 },
      descriptions: described[h].descriptions.map(({ text, property }, i) => ({
        ...{ text, property, explained: 0.1, fits: consistent[i] },
      })),
      ...{ totalVariance: 1, rank: 5 },
      selectivity: [{ factor: "colour", share: 0.6, significant: true }],
      images: [{ path: "a.png", label: EVIL, score: 1, sha256: hash }],
    })),
  };
  return [model, truth];
}

const judgedAgain = ({ layer, head, name, label, descriptions }: StudyHead): JudgedHead => ({
  ...{ layer, head, name, label, consistent: descriptions.map(({ fits }) => fits === true) },
});

/** A study of models by name, size and how many heads respond to what their labels say. */
export async function reportOf(
  ...models: readonly (readonly [string, number, number])[]
): Promise<StudyResult> {
  const made = await Promise.all(models.map(([name, size, known]) => modelOf(name, size, known)));
  const measured = made.map(([model]) => model);
  return {
    origin: sampleOrigin({}),
    code: "1".repeat(64),
    settings: {
      heads: "last4",
      iterations: 5,
      blocks: 32,
      resamples: 2,
      draws: 50,
      permutations: 2,
      seed: 0,
    },
    models: measured,
    sizes: compareSizes(
      measured.map(({ origin, shape, heads }) => ({
        ...{ name: origin.model.name, size: shape.size, layers: 1 },
        heads: heads.map(judgedAgain),
      })),
    ),
    calibration: calibrate(
      made.map(([{ origin, heads }, truth]) => ({
        ...{ model: origin.model.name, layers: 1, heads: heads.map(judgedAgain), truth },
      })),
      { permutations: 200 },
    ),
    published: [],
  };
}
