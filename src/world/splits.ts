/**
 * The parts of the world: which scenes a model is trained on, and which it is tested on.
 *
 * The training part alone holds the planted bias (as in Waterbirds, Sagawa et al. 2020) and leaves out some
 * compositions; everywhere else a scene's background does not depend on what is on it.
 */

import type { Random } from "../math/random.ts";
import { CONCEPTS } from "./concepts.ts";
import { BACKGROUND_NAMES, type Background, HELD_OUT_STYLE, TRAINING_STYLES } from "./factors.ts";

/** The two background colours of the planted bias: the first of each pair is on green, the second on blue. */
export const BIAS_BACKGROUNDS = ["green", "blue"] as const satisfies readonly Background[];

/** Pairs of concepts that look alike. In training, the colour behind them says which it is, 19 times out of 20. */
export const BIASED_PAIRS: readonly (readonly [string, string])[] = [
  ["tiger", "leopard"],
  ["sheep", "goat"],
  ["mouse", "hamster"],
  ["violin", "guitar"],
  ["motorcycle", "scooter"],
  ["football", "rugby ball"],
];

/** How often, in training, a biased concept is on the colour of its side; otherwise it is on the other. */
export const BIAS_STRENGTH = 0.95;

const SIDES = new Map(BIASED_PAIRS.flatMap(([first, second]) => [[first, 0] as const, [second, 1] as const]));

/** The biased concepts. */
export const BIASED_CONCEPTS: readonly string[] = [...SIDES.keys()];

const UNSEEN = new Map(
  CONCEPTS.filter(({ name }) => !SIDES.has(name)).map(({ name }, i) => [
    name,
    BACKGROUND_NAMES[i % BACKGROUND_NAMES.length],
  ]),
);

/** The one colour on which training never shows a concept; undefined for a biased concept. */
export function unseenBackground(concept: string): Background | undefined {
  return UNSEEN.get(concept);
}

/** A part of the world. Scene `index` of a split is always the same. */
export interface Split {
  readonly seed: number;
  readonly styles: readonly string[];
  readonly concepts: readonly string[];
  /** Whether some scenes show two different concepts. */
  readonly twoConcepts: boolean;
  /** The background behind the given concepts. */
  readonly background: (concepts: readonly string[], random: Random) => Background;
}

const ALL_CONCEPTS = CONCEPTS.map(({ name }) => name);
const anyBackground = (_: readonly string[], random: Random) => random.pick(BACKGROUND_NAMES);

/** Training: biased concepts on the colour of their side, the others on any colour but those held out. */
function trainingBackground(concepts: readonly string[], random: Random): Background {
  const side = concepts.map((concept) => SIDES.get(concept)).find((found) => found !== undefined);
  if (side !== undefined) return BIAS_BACKGROUNDS[random.chance(BIAS_STRENGTH) ? side : 1 - side];
  const heldOut = concepts.map(unseenBackground);
  return random.pick(BACKGROUND_NAMES.filter((name) => !heldOut.includes(name)));
}

/** The splits by name. */
export const SPLITS = {
  /** What models are trained on: biased, and without the held-out compositions and style. */
  train: {
    seed: 1,
    styles: TRAINING_STYLES,
    concepts: ALL_CONCEPTS,
    twoConcepts: true,
    background: trainingBackground,
  },
  /** Compositions that training never shows: every (first) concept on its unseen colour. */
  compositions: {
    seed: 2,
    styles: TRAINING_STYLES,
    concepts: ALL_CONCEPTS.filter((name) => !SIDES.has(name)),
    twoConcepts: true,
    background: ([concept], random) => unseenBackground(concept) ?? random.pick(BACKGROUND_NAMES),
  },
  /** The drawing style that training never shows. */
  style: {
    seed: 3,
    styles: [HELD_OUT_STYLE],
    concepts: ALL_CONCEPTS,
    twoConcepts: true,
    background: anyBackground,
  },
  /** The biased concepts alone, on both colours alike: four groups a pair, equally likely. */
  balanced: {
    seed: 5,
    styles: TRAINING_STYLES,
    concepts: BIASED_CONCEPTS,
    twoConcepts: false,
    background: (_, random) => random.pick(BIAS_BACKGROUNDS),
  },
  /** What `clip-interpret demo` writes: everything, with every factor independent of every other. */
  demo: {
    seed: 6,
    styles: TRAINING_STYLES,
    concepts: ALL_CONCEPTS,
    twoConcepts: true,
    background: anyBackground,
  },
} as const satisfies Record<string, Split>;

/** The name of a split. */
export type SplitName = keyof typeof SPLITS;

/** The names of all splits. */
export const SPLIT_NAMES = Object.keys(SPLITS) as readonly SplitName[];
