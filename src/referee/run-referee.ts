/**
 * The referee: ways to say what heads do, judged by what is known of images that were made. Every method looks at the same
 * model, images and texts, and is asked the same question; every answer stands beside what needs no look at the heads.
 */
import type { ComparedSide } from "../analysis/compare/compare.ts";
import { hashIndex } from "../corpus/hash-index.ts";
import { withoutSeed } from "../labeling/size-comparison.ts";
import type { SynonymMap } from "../labeling/synonym-map.ts";
import { holm } from "../math/holm.ts";
import { percentileInterval } from "../math/intervals.ts";
import { signTest } from "../math/sign-test.ts";
import { createModelLoader, type ModelLoader } from "../model/registry.ts";
import { createAlgebra } from "../onnx/algebra.ts";
import { openNodeSession } from "../onnx/node-session.ts";
import { originOf } from "../results/origin.ts";
import {
  type RefereeMethod,
  type RefereeResult,
  type RefereeSettings,
  type RefereeVerdict,
  refereeResult,
} from "../results/referee.ts";
import { indexFor, type RunOptions } from "../study/inputs.ts";
import { headsOf } from "../study/measure-model.ts";
import { createSteps, type Steps } from "../study/steps.ts";
import { codeVersion } from "../support/code-version.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { checkCancelled } from "../support/progress.ts";
import { defaultPool, loadPool } from "../text/pool.ts";
import { scoreDrops } from "./causal.ts";
import { byFiles, byLanguageModel, type GivenMethod, LLM, type RefereeLlm } from "./given.ts";
import { judgeModel, type SaidOfModel } from "./judge-model.ts";
import { keyOf, matchedHeads, scoreMatched } from "./matched.ts";
import type { Method } from "./method.ts";
import { METHODS } from "./methods/index.ts";
import { constantLabel, isRight, type JudgedClaim, scoreLabels } from "./score.ts";

/** What is judged, and how. */
export interface RefereeOptions extends RunOptions, Partial<RefereeSettings> {
  /** Files with labels, each a method of its own. */
  readonly labels?: readonly string[];
  /** Who names TEXTSPAN's texts, as a method of its own. */
  readonly llm?: RefereeLlm;
  /** Words for the properties, for labels of a file or a language model. */
  readonly synonyms?: SynonymMap;
  /** By default `METHODS`. */
  readonly methods?: readonly Method[];
}

/** What is done when nothing else is asked for. */
export const REFEREE_DEFAULTS: RefereeSettings = {
  ...{ heads: "last4", halvings: 5, permutations: 2000, seed: 0 },
};

/** A claim a head, whoever made it. */
type Said = Pick<SaidOfModel, "model" | "claims" | "images" | "texts">;

/**
 * Judges methods over some models, or goes on where it was stopped: what a finished step gave is kept, and taken again where
 * the code, weights, images, texts and settings are the same. The same inputs give the same result, to the byte.
 * @throws `USAGE` for a model or file named twice; `FACTORS_MISSING` where too little is known of the images; what loading
 *   models, indexing and reading labels throws; `CANCELLED`
 * @example
 * ```ts
 * import { runReferee } from "clip-interpret/evaluation";
 *
 * const { methods } = await runReferee({
 *   ...{ models: ["emoji-4x128-p8"], images: "scenes", stepsFolder: "out/steps" },
 *   ...{ heads: "L3", halvings: 1, permutations: 20 },
 * });
 * console.log(methods.find(({ key }) => key === "textspan")?.accuracy?.heads); // → 4
 * ```
 */
export async function runReferee(options: RefereeOptions): Promise<RefereeResult> {
  if (options.loader) return judgeAll(options.loader, options);
  const loader = createModelLoader();
  try {
    return await judgeAll(loader, options);
  } finally {
    await loader.release();
  }
}

async function judgeAll(loader: ModelLoader, options: RefereeOptions): Promise<RefereeResult> {
  const { models, indexes = {}, synonyms = {}, methods = METHODS, threads = 0, report, signal } = options;
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const settings = Object.fromEntries(
    Object.entries(REFEREE_DEFAULTS).map(([key, value]) => [
      key,
      options[key as keyof RefereeSettings] ?? value,
    ]),
  ) as unknown as RefereeSettings;
  const given = [
    ...(options.llm ? [byLanguageModel(options.llm, synonyms)] : []),
    ...(await byFiles(options.labels ?? [], synonyms)),
  ];
  const code = await codeVersion();
  const steps = createSteps(options.stepsFolder);
  const said: SaidOfModel[] = [];
  const sides: ComparedSide[] = [];
  const algebra = await createAlgebra(openNodeSession, { threads });
  try {
    for (const wanted of models) {
      checkCancelled(signal);
      const model = await loader.load(wanted);
      if (said.some(({ model: { origin } }) => origin.model.name === model.name))
        throw new ClipInterpretError("USAGE", `the model ${model.name} is named twice`);
      const index = await indexFor(model, { index: indexes[wanted], images: options.images }, work);
      const pool = await loadPool(options.texts ?? defaultPool(model.name), work);
      const set = headsOf(model, settings.heads);
      said.push(
        await judgeModel({
          ...work,
          ...{ model, index, pool, set, settings, steps, code, algebra, methods, given },
        }),
      );
      sides.push({ model, index, components: { name: settings.heads, set } });
    }
  } finally {
    await algebra.release();
  }
  const pairs = await matchSeeds(sides, steps, code, settings);
  return refereeResult(await originOf({}), {
    ...{ code, settings, ...score(said, methods, given, pairs, settings) },
    properties: [...new Set(said.flatMap(({ properties }) => properties))].sort(),
    models: said.map(({ model }) => model),
  });
}

/** Heads of trainings of one recipe that match, as {@link keyOf} names them. */
async function matchSeeds(
  sides: readonly ComparedSide[],
  steps: Steps,
  code: string,
  { heads, seed }: RefereeSettings,
): Promise<[string, string][]> {
  const pairs: [string, string][] = [];
  for (const [i, b] of sides.entries()) {
    for (const a of sides.slice(0, i)) {
      const [nameA, nameB] = [a.model.name, b.model.name];
      if (withoutSeed(nameA) !== withoutSeed(nameB)) continue;
      const from = await Promise.all(
        [a, b].map(async ({ model, index }) => [await model.weightsHash(), hashIndex(index)]),
      );
      const found = await steps.run(nameB, `referee-matched-${nameA}`, [code, from, heads, seed], () =>
        matchedHeads(a, b, seed),
      );
      const name = ({ components, model }: ComparedSide, at: number) => {
        const { layer, head } = components.set.heads[at];
        return keyOf({ model: model.name, name: `L${layer}.H${head}` });
      };
      for (const [x, y] of found) pairs.push([name(a, x), name(b, y)]);
    }
  }
  return pairs;
}

type Listed = Omit<Method, "judge">;
const CONSTANT: Listed = {
  ...{ key: "constant", name: "one label for all", paper: "no paper: a lower bound" },
  ...{ reads: [], bound: "lower" },
};

/** Scores what was said. */
export function score(
  said: readonly Said[],
  methods: readonly Listed[],
  given: readonly Pick<GivenMethod, keyof Listed>[],
  pairs: readonly (readonly [string, string])[],
  settings: RefereeSettings,
): Pick<RefereeResult, "constant" | "methods"> {
  const everyHead = said.flatMap(({ model }) => model.heads);
  const label = constantLabel(everyHead);
  const withConstant = said.map((one) => ({
    ...one,
    claims: {
      ...one.claims,
      [CONSTANT.key]: one.model.heads.map(({ layer, head, name }) => ({
        layer,
        head,
        name,
        label,
        scores: [],
      })),
    },
  }));
  const missing = given.some(({ key }) => key === LLM.key) ? [] : [LLM];
  const judged = [...methods, ...given, CONSTANT].map((method) =>
    scoreMethod(method, withConstant, label, pairs, settings),
  );
  const contestants = judged.filter(({ bound, accuracy }) => bound === null && accuracy !== null);
  /** p-values by the method's key, corrected for those that have one. */
  const corrected = (
    of: (method: RefereeMethod) => number | null | undefined,
  ): ReadonlyMap<string, number> => {
    const tested = contestants.flatMap((method) => {
      const p = of(method);
      return p === null || p === undefined ? [] : [{ key: method.key, p }];
    });
    const found = holm(tested.map(({ p }) => p));
    return new Map(tested.map(({ key }, i) => [key, found[i]]));
  };
  const layered = corrected(({ accuracy }) => accuracy?.layeredP);
  const constant = corrected(({ accuracy }) => accuracy?.constantP);
  const gain = corrected(({ accuracy }) => accuracy?.gainP);
  const causal = corrected((method) => method.causal?.p);
  const behind = behindLeader(contestants);
  const finished = judged.map((method): RefereeMethod => {
    const { key } = method;
    return {
      ...method,
      layeredPHolm: layered.get(key) ?? null,
      constantPHolm: constant.get(key) ?? null,
      gainPHolm: gain.get(key) ?? null,
      verdict: verdictOf(method, layered.get(key), constant.get(key), gain.get(key)),
      behind: behind.get(key) ?? null,
      causal: method.causal && { ...method.causal, pHolm: causal.get(key) ?? null },
    };
  });
  const place = ({ bound, accuracy }: RefereeMethod) =>
    accuracy === null ? 3 : bound === "upper" ? 0 : bound === null ? 1 : 2;
  const right = ({ accuracy }: RefereeMethod) => accuracy?.share ?? 0;
  return {
    constant: {
      label,
      right: everyHead.filter(({ best }) => best === label).length,
      heads: everyHead.length,
    },
    methods: [...finished, ...missing.map((method) => notRun(method, "no --llm-url was given"))].sort(
      (a, b) => place(a) - place(b) || right(b) - right(a),
    ),
  };
}

const LEVEL = 0.05;
/**
 * What may be said. Heads of one model are not independent draws, so over heads alone nothing is said of other trainings; of one
 * model nothing else can be.
 */
function verdictOf(
  { accuracy }: RefereeMethod,
  layeredP: number | undefined,
  constantP: number | undefined,
  gainP: number | undefined,
): RefereeVerdict | null {
  if (layeredP === undefined || constantP === undefined) return null;
  if (!(layeredP < LEVEL)) return "not told from chance";
  if (!(constantP < LEVEL)) return "beats chance only";
  const ahead = gainP !== undefined && gainP < LEVEL && accuracy!.gain!.mean > 0;
  return ahead ? "beats one label for all" : "beats it over these heads only";
}

/** Every method beside the one with most heads right. */
function behindLeader(methods: readonly RefereeMethod[]) {
  const leader = methods.reduce<RefereeMethod | undefined>(
    (best, method) => (best && best.accuracy!.share >= method.accuracy!.share ? best : method),
    undefined,
  );
  const ahead = new Map(leader?.claims.map((claim) => [keyOf(claim), claim.right]));
  const open = methods
    .filter((method) => method !== leader)
    .map(({ key, claims }) => {
      const both = claims.filter((claim) => ahead.has(keyOf(claim)));
      const wins = both.filter((claim) => ahead.get(keyOf(claim)) && !claim.right).length;
      const losses = both.filter((claim) => !ahead.get(keyOf(claim)) && claim.right).length;
      return {
        key,
        ahead: wins,
        back: losses,
        p: Math.min(1, 2 * signTest(Math.max(wins, losses), Math.min(wins, losses))),
      };
    });
  const found = holm(open.map(({ p }) => p));
  return new Map(open.map(({ key, ahead, back }, i) => [key, { ahead, back, p: found[i] }]));
}

const NOTHING = {
  ...{
    accuracy: null,
    layeredPHolm: null,
    constantPHolm: null,
    gainPHolm: null,
    verdict: null,
    behind: null,
    images: null,
  },
  ...{ texts: null, sameByImages: null, sameByTexts: null, causal: null, matched: null, claims: [] },
};

const listed = ({ key, name, paper, reads, bound }: Listed) => ({
  ...{ key, name, paper, reads: [...reads], bound: bound ?? null },
});

const notRun = (method: Listed, why: string): RefereeMethod => ({
  ...listed(method),
  notRun: why,
  ...NOTHING,
});

function scoreMethod(
  method: Listed,
  all: readonly Said[],
  constant: string,
  pairs: readonly (readonly [string, string])[],
  settings: RefereeSettings,
): RefereeMethod {
  const { key } = method;
  const said = all.filter(({ claims }) => claims[key] !== undefined);
  if (said.length === 0)
    return notRun(
      method,
      method.reads.includes("a file")
        ? "it has no labels for any of the models"
        : "the models are of a kind that it cannot read",
    );
  const labelled = said.flatMap(({ model, claims }) => {
    const { factors, origin } = model;
    return model.heads.map((truth, h) => {
      const { layer, head, name, label, scores } = claims[key]![h];
      const at = (values: readonly number[]) => (factor: string) => values[factors.indexOf(factor)];
      return {
        ...{ layer, head, name, label, scores, factors, model: origin.model.name, best: truth.best },
        share: (factor: string) => at(truth.shares)(factor) ?? 0,
        drop: at(truth.drops),
      };
    });
  });
  const found = scoreDrops(labelled, settings);
  /** Of every halving a number over all heads. */
  const halvings = (of: (halving: number) => number | null) => {
    const values = Array.from({ length: settings.halvings }, (_, halving) => of(halving));
    return values.flatMap((value) => value ?? []);
  };
  const labelsOf = (which: "images" | "texts", halving: number) =>
    said.flatMap(({ images, texts }) =>
      which === "images" ? (images[halving]?.labels[key] ?? []) : (texts[halving]?.[key] ?? []),
    );
  const shareOf = (
    which: "images" | "texts",
    isSo: (label: string | null, head: number, halving: number) => boolean,
  ) =>
    halvings((halving) => {
      const labels = labelsOf(which, halving);
      if (labels.length !== labelled.length) return null;
      return labels.filter((label, i) => isSo(label, i, halving)).length / labels.length;
    });
  const held = Array.from({ length: settings.halvings }, (_, halving) =>
    said.flatMap(({ model, images }) =>
      model.heads.map(({ name }) => {
        const own = images[halving]?.shares.get(name) ?? [];
        return model.factors[own.indexOf(Math.max(...own))];
      }),
    ),
  );
  const meanOf = (values: readonly number[]) => percentileInterval(values)?.mean ?? null;
  return {
    ...listed(method),
    ...NOTHING,
    notRun: null,
    accuracy: scoreLabels(labelled satisfies readonly JudgedClaim[], constant, settings),
    images: percentileInterval(shareOf("images", (label, i, halving) => label === held[halving][i])),
    texts: percentileInterval(shareOf("texts", (label, i) => label === labelled[i].best)),
    sameByImages: meanOf(shareOf("images", (label, i) => label === labelled[i].label)),
    sameByTexts: meanOf(shareOf("texts", (label, i) => label === labelled[i].label)),
    causal: found && { ...found, pHolm: null },
    matched: scoreMatched(labelled, pairs, settings),
    claims: labelled.map(({ layer, head, name, model, label, scores, best }) => ({
      ...{ layer, head, name, model, label, scores: [...scores], right: isRight({ label, best }) },
    })),
  };
}
