import { Random } from "../math/random.ts";
import { sampleOrigin } from "../results/origin.fixture.ts";
import type { RefereeResult, RefereeSettings } from "../results/referee.ts";
import { headOf } from "../results/shapes.ts";
import type { SaidOfModel } from "./judge-model.ts";
import type { Claim } from "./method.ts";
import { score } from "./run-referee.ts";

/** What the heads of the worlds below may respond to. */
export const FACTORS = ["animal", "colour", "place", "style"];

/** Says of head h of a model what some method says: its label, or null. */
export type Says = (best: string, random: Random, layer: number) => string | null;

/** A model of 4 layers and 4 heads: what is true of its heads, and what methods say of them. */
export function saidOf(
  name: string,
  seed: number,
  says: Readonly<Record<string, Says>>,
  truth: (random: Random, layer: number) => string = (random) => random.pick(FACTORS),
): SaidOfModel {
  const random = new Random(seed, 0);
  const heads = Array.from({ length: 16 }, (_, i) => {
    const head = headOf(Math.floor(i / 4), i % 4);
    const best = truth(random, head.layer);
    return {
      ...{ ...head, best },
      shares: FACTORS.map((factor) => (factor === best ? 0.6 : 0.1)),
      // Without the head the model loses what it responds to.
      drops: FACTORS.map((factor) => (factor === best ? 0.05 : 0) + 0.01 * random.unit()),
    };
  });
  const claimsOf = (say: Says, stream: number): Claim[] => {
    const own = new Random(seed, stream);
    return heads.map(({ layer, head, name: headName, best }) => ({
      ...{ layer, head, name: headName, label: say(best, own, layer), scores: [] },
    }));
  };
  const claims = Object.fromEntries(Object.entries(says).map(([key, say], i) => [key, claimsOf(say, i + 1)]));
  const labels = Object.fromEntries(
    Object.entries(claims).map(([key, own]) => [key, own.map(({ label }) => label)]),
  );
  const hash = "0".repeat(64);
  return {
    ...{ claims, properties: FACTORS },
    images: [{ labels, shares: new Map(heads.map((head) => [head.name, head.shares])) }],
    texts: [labels],
    model: {
      origin: sampleOrigin({
        model: { name, weights: hash },
        index: { sha256: hash, images: 10 },
        pool: { name: "own", sha256: hash, texts: 20 },
      }),
      ...{ factors: FACTORS, accuracies: FACTORS.map(() => 0.8), heads },
    },
  };
}

export const SETTINGS: RefereeSettings = { heads: "last4", halvings: 1, permutations: 200, seed: 0 };

/** A method as it is listed. */
export const listed = (key: string, bound?: "upper" | "lower") => ({
  ...{ key, name: key, paper: "a paper", reads: ["images", "texts"] as const },
  ...(bound && { bound }),
});

/** The result over some models. @param pairs of matching heads, `L0.H0 MODEL` */
export function resultOf(
  said: readonly SaidOfModel[],
  methods: Parameters<typeof score>[1],
  pairs: readonly (readonly [string, string])[] = [],
  settings = SETTINGS,
): RefereeResult {
  return {
    ...{ origin: sampleOrigin({}), code: "1".repeat(64), settings, properties: FACTORS },
    ...score(said, methods, [], pairs, settings),
    models: said.map(({ model }) => model),
  };
}

/** Right for all heads, for none, at random, and always the same. */
export const always: Says = () => "animal";
export const perfect: Says = (best) => best;
export const guess: Says = (_, random) => random.pick(FACTORS);
/** Right with some probability, else a guess. */
export const often =
  (share: number): Says =>
  (best, random) =>
    random.chance(share) ? best : random.pick(FACTORS);
