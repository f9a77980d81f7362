/** The methods that an evaluation of segmentation compares: each makes a map of patches for a class of an image. */

import { dot } from "../../math/linear.ts";
import { Random, shuffle } from "../../math/random.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { NamedSet } from "../../model/components.ts";
import type { TokenDecomposition } from "../../model/decompose.ts";
import { type PreparedProbe, prepareProbe } from "../../model/head-space.ts";
import { scoreTokens } from "../../model/kernel.ts";
import { unitProbe } from "../../model/probe.ts";
import type { TokenOutputs } from "../../model/token-outputs.ts";
import type { TokenFeature } from "../../onnx/token-features.ts";
import { componentsOf, type ReadComponents } from "../../results/shapes.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { attentionRollout, baselinesOf, featuresOf } from "./baselines.ts";

/** A method: a map of patches for a class of an image. */
export interface Method {
  readonly name: string;
  readonly paper: string | null;
  /** What it reads; null where that is no set. */
  readonly components: ReadComponents | null;
  /** False where the map is the same for every class. */
  readonly readsClass: boolean;
  readonly map: (pass: Pass, classIndex: number) => Float64Array | Promise<Float64Array>;
}

/** One image of a batch after both passes of the encoder. */
export interface Pass {
  readonly decomposition: TokenDecomposition;
  /** With {@link passFeatures}. */
  readonly outputs: TokenOutputs;
  /** Of this image alone: [1, 3, size, size], normalised. */
  readonly pixels: Float32Array;
  /** Which image of the batch, and of all. */
  readonly image: number;
  readonly index: number;
}

/** What a pass must compute of every image for the methods' maps. */
export const passFeatures = (model: ClipModel): TokenFeature[] => featuresOf(baselinesOf(model), false);

/**
 * Sets of heads, the baselines, and three that do not look: the first set's maps with their patches shuffled (what its
 * mere spread of values reaches), nearness to the centre (where things often are), and nothing.
 */
export function methodsOf(model: ClipModel, sets: readonly NamedSet[], probes: ClassProbes): Method[] {
  const { geometry, config } = model;
  const { grid } = config.vision;
  const prepared = new Map<number, PreparedProbe>();
  const preparedOf = (index: number): PreparedProbe => {
    const known = prepared.get(index) ?? prepareProbe(geometry, probes.centred[index]);
    prepared.set(index, known);
    return known;
  };
  const headMap = ({ set }: NamedSet, { decomposition, image }: Pass, classIndex: number): Float64Array => {
    const { tokens } = decomposition;
    const scores = scoreTokens(geometry, preparedOf(classIndex), decomposition, tokens, set, image);
    return scores.subarray(tokens.prefix, tokens.prefix + grid ** 2);
  };
  const heads = sets.map(
    (named): Method => ({
      ...{ name: named.name, paper: null, readsClass: true },
      components: componentsOf(named.name, named.set, geometry),
      map: (pass, classIndex) => headMap(named, pass, classIndex),
    }),
  );
  const baselines = baselinesOf(model);
  const ofText = featuresOf(baselines, true);
  // Methods that follow a gradient back share one more run of the encoder for each image and class.
  const runs = new WeakMap<Pass, Map<number, Promise<TokenOutputs>>>();
  const runFor = (pass: Pass, classIndex: number): Promise<TokenOutputs> => {
    const known = runs.get(pass) ?? new Map<number, Promise<TokenOutputs>>();
    runs.set(pass, known);
    const run =
      known.get(classIndex) ??
      model.readTokens(pass.pixels, { features: ofText, probe: probes.centred[classIndex] });
    known.set(classIndex, run);
    return run;
  };
  const others = baselines.map(
    ({ title, paper, readsText, feature, map }): Method => ({
      ...{ name: title, paper, components: null, readsClass: readsText },
      map: feature?.readsProbe
        ? async (pass, classIndex) => map(await runFor(pass, classIndex), probes.centred[classIndex], 0)
        : ({ outputs, image }, classIndex) => map(outputs, probes.centred[classIndex], image),
    }),
  );
  const laterRollout: Method = {
    name: "rollout from layer 1",
    paper: "as evaluated by Chefer, Gur & Wolf 2021",
    components: null,
    readsClass: false,
    map: ({ outputs, image }) => attentionRollout(outputs, { image, startLayer: 1 }),
  };
  const blind = { paper: null, components: null, readsClass: false };
  const middle = (grid - 1) / 2;
  const centre = Float64Array.from(
    { length: grid ** 2 },
    (_, i) => grid - Math.hypot(Math.floor(i / grid) - middle, (i % grid) - middle),
  );
  return [
    ...heads,
    ...others,
    laterRollout,
    {
      name: `${sets[0].name}, patches shuffled`,
      ...{ ...blind, readsClass: true },
      map: (pass, classIndex) =>
        shuffled(
          headMap(sets[0], pass, classIndex),
          new Random(SHUFFLE, pass.index * probes.plain.length + classIndex),
        ),
    },
    { name: "nearness to the centre", ...blind, map: () => centre },
    { name: "nothing (all background)", ...blind, map: () => new Float64Array(grid ** 2) },
  ];
}

/** The seed of the shuffled maps. */
const SHUFFLE = 0x5eed;

/** The same values in a random order. */
function shuffled(values: Float64Array, random: Random): Float64Array {
  const result = Float64Array.from(values);
  shuffle(result, random);
  return result;
}

/** The classes' directions, and the same minus their mean (one class alone has no mean to subtract). */
export interface ClassProbes {
  readonly plain: readonly Float64Array[];
  readonly centred: readonly Float64Array[];
}

/** Of each class the mean of its texts' unit vectors, at unit length: the zero-shot classifier of CLIP's authors. */
export async function classProbes(
  model: ClipModel,
  texts: readonly (readonly string[])[],
  work: WorkOptions,
): Promise<ClassProbes> {
  const { embedDim } = model.config;
  const embeddings = await model.encodeTexts(texts.flat(), work);
  let at = 0;
  const plain = texts.map((own) => {
    const sum = new Float64Array(embedDim);
    for (const _ of own) {
      const unit = unitProbe(embeddings.subarray(at, at + embedDim));
      for (let d = 0; d < embedDim; d++) sum[d] += unit[d];
      at += embedDim;
    }
    return unitProbe(sum);
  });
  if (plain.length === 1) return { plain, centred: plain };
  const mean = new Float64Array(embedDim);
  for (const probe of plain) for (let d = 0; d < embedDim; d++) mean[d] += probe[d] / plain.length;
  return { plain, centred: plain.map((probe) => probe.map((value, d) => value - mean[d])) };
}

/** The class whose texts the whole image is most similar to. */
export function predictClass({ decomposition, image }: Pass, { plain }: ClassProbes): number {
  let [best, most] = [0, -Infinity];
  for (const [index, probe] of plain.entries()) {
    const product = dot(decomposition.embedding, probe, image * probe.length);
    if (product > most) [best, most] = [index, product];
  }
  return best;
}
