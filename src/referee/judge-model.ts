/** One model on the bench, step by step: what is true of its heads, what is lost without them, what every method says. */
import { basename } from "node:path";
import { explainByFactors } from "../analysis/selectivity/selectivity.ts";
import { hashIndex } from "../corpus/hash-index.ts";
import type { Index } from "../corpus/open-index.ts";
import { shuffled } from "../labeling/baselines.ts";
import type { Truth } from "../labeling/calibration.ts";
import { factorsOf, truthOf } from "../labeling/truth.ts";
import { Random } from "../math/random.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { ComponentSet } from "../model/components.ts";
import type { Algebra } from "../onnx/algebra.ts";
import { originOf } from "../results/origin.ts";
import type { RefereeModel, RefereeSettings } from "../results/referee.ts";
import { headOf } from "../results/shapes.ts";
import { halvesOf } from "../study/measure-model.ts";
import type { Steps } from "../study/steps.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { once } from "../support/shared.ts";
import { VERSION } from "../support/version.ts";
import type { TextPool } from "../text/pool.ts";
import { type Bench, openBenches, propertiesOf } from "./bench.ts";
import { measureDrops } from "./causal.ts";
import type { GivenMethod } from "./given.ts";
import type { Claim, Method } from "./method.ts";

/** What a model is judged with. */
export interface JudgeWork extends WorkOptions {
  readonly model: ClipModel;
  readonly index: Index;
  readonly pool: TextPool;
  readonly set: ComponentSet;
  readonly settings: RefereeSettings;
  readonly steps: Steps;
  /** SHA-256 of the code that computes. */
  readonly code: string;
  readonly algebra: Algebra;
  readonly methods: readonly Method[];
  readonly given: readonly GivenMethod[];
}

/** A label a head, in the order of the heads. */
type Labels = (string | null)[];

/** What every method said of one model. */
export interface SaidOfModel {
  readonly model: RefereeModel;
  readonly properties: readonly string[];
  /** By the method's key; nothing of a model that a file does not speak of. */
  readonly claims: Readonly<Record<string, readonly Claim[] | undefined>>;
  /** Of every halving the labels by the first half of the images, with ε² by the second. */
  readonly images: readonly {
    readonly labels: Readonly<Record<string, Labels>>;
    readonly shares: Truth["shares"];
  }[];
  /** Of every halving the labels by the first half of the texts. */
  readonly texts: readonly Readonly<Record<string, Labels>>[];
}

/**
 * Judges the heads of one model.
 * @throws `FACTORS_MISSING` where the images know fewer than two of the pool's properties; `NO_IMAGES`, `CANCELLED`
 */
export async function judgeModel(work: JudgeWork): Promise<SaidOfModel> {
  const { model, index, pool, set, settings, steps, code, algebra, report, signal } = work;
  const methods = work.methods.filter((method) => method.supports?.(model) ?? true);
  const heads = set.heads.map(({ layer, head }) => headOf(layer, head));
  const stopping = signal ? { signal } : {};
  const task = `judging the heads of ${model.name}`;
  const conditions = 1 + 2 * settings.halvings;
  const total = 2 + settings.halvings + conditions;
  let done = 0;
  report?.({ type: "start", task, unit: "step", total });
  const origin = [VERSION, code, await model.weightsHash(), model.precision, hashIndex(index)];
  const named = heads.map(({ name }) => name);
  const step = async <T>(name: string, key: readonly unknown[], compute: () => Promise<T>): Promise<T> => {
    checkCancelled(signal);
    const result = await steps.run(model.name, name, [...origin, named, ...key], compute);
    report?.({ type: "advance", task, done: ++done, total });
    return result;
  };
  /** ε² of the heads by some images. */
  const measure = async (rows?: readonly number[]) => {
    const { factors, heads: all } = await explainByFactors(index, model, {
      ...{ permutations: 0, ...(rows && { rows }), ...stopping },
    });
    return {
      factors: factors.map(({ name }) => ({ name })),
      heads: heads.map(({ name }) => ({
        name,
        factors: all.find((head) => head.name === name)!.factors.map(({ share }) => ({ share })),
      })),
    };
  };
  const truth = truthOf(index, await step("referee-truth", [], () => measure()), pool);
  if (!truth) {
    const why = `the images of ${index.name ?? index.folder} know fewer than two of the properties of the pool ${pool.name}`;
    throw new ClipInterpretError("FACTORS_MISSING", why);
  }
  const { factors, shares } = truth;
  const { accuracies, drops } = await step("referee-drops", [pool.hash, factors], () =>
    measureDrops(model, index, heads, factors, stopping),
  );
  const benches = once(() =>
    openBenches({ ...{ model, index, heads, pool, algebra }, seed: settings.seed, ...stopping }),
  );
  const spoken = [pool.hash, methods.map(({ key }) => key)];
  /** The labels of all methods that read something, on one bench. */
  const labelsOn = async (reads: "images" | "texts", bench: Bench) => {
    const found: Record<string, Labels> = {};
    for (const method of methods.filter((one) => one.reads.includes(reads)))
      found[method.key] = (await method.judge(bench)).map(({ label }) => label);
    return found;
  };
  const claims: Record<string, readonly Claim[] | undefined> = await step(
    "referee-all",
    [...spoken, settings.seed],
    async () => {
      const bench = (await benches())();
      const found: Record<string, Claim[]> = {};
      for (const method of methods) found[method.key] = await method.judge(bench);
      return found;
    },
  );
  for (const method of work.given)
    claims[method.key] = await method.judge({ ...(await benches())(), ...(report && { report }) });
  const images: SaidOfModel["images"][number][] = [];
  const texts: Record<string, Labels>[] = [];
  for (let halving = 0; halving < settings.halvings; halving++) {
    const seed = settings.seed + halving;
    const [seen, held] = halvesOf(index, seed);
    const labels = await step(`referee-images-${halving}`, [...spoken, seed], async () =>
      labelsOn("images", (await benches())({ rows: seen, seed })),
    );
    const measured = await step(`referee-held-${halving}`, [seed], () => measure(held));
    // A factor that takes one value in half of the images is not measured there.
    const sharesOf = factorsOf(factors, measured.factors);
    images.push({ labels, shares: new Map(measured.heads.map((head) => [head.name, sharesOf(head)])) });
    texts.push(
      await step(`referee-texts-${halving}`, [...spoken, seed], async () =>
        labelsOn("texts", (await benches())({ texts: halfOf(pool, seed), seed })),
      ),
    );
  }
  report?.({ type: "end", task, done });
  return {
    ...{ claims, images, texts },
    properties: propertiesOf(pool),
    model: {
      // A file's name, not where it lies.
      origin: await originOf({ model, index, pool: { ...pool, name: basename(pool.name) } }),
      ...{ factors: [...factors], accuracies },
      heads: heads.map((head, h) => {
        const own = [...shares.get(head.name)!];
        return { ...head, best: factors[own.indexOf(Math.max(...own))], shares: own, drops: drops[h] };
      }),
    },
  };
}

/** Numbers of half of the texts of each property, at least one of each. */
function halfOf({ texts }: TextPool, seed: number): number[] {
  const byProperty = new Map<string, number[]>();
  for (const [i, { property }] of texts.entries())
    if (property !== null) byProperty.set(property, [...(byProperty.get(property) ?? []), i]);
  const random = new Random(seed, 1);
  const chosen = [...byProperty.values()].flatMap((own) =>
    shuffled(own, random).slice(0, Math.ceil(own.length / 2)),
  );
  return chosen.sort((a, b) => a - b);
}
