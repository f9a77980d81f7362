/** A scene: every factor of one image, sampled from a seed and independent of resolution. */

import { Random } from "../math/random.ts";
import {
  ARRANGEMENTS,
  type Arrangement,
  BACKDROPS,
  BACKGROUNDS,
  type Backdrop,
  type Background,
  EFFECTS,
  type Effect,
  POSITIONS,
  type Position,
  type Rgb,
  SIZE_NAMES,
  SIZES,
  type Size,
} from "./factors.ts";
import { SPLITS, type Split, type SplitName } from "./splits.ts";

/** One object: its centre and the length of its longer side, as shares of the image's side. */
export interface SceneObject {
  readonly concept: string;
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly mirrored: boolean;
}

/**
 * The full record of an image. A factor that a scene does not have is null: `position` and `size` belong to
 * single objects (a large one fills the image, so it has no position), `count` to scenes of one concept,
 * `arrangement` to scenes of two.
 */
export interface Scene {
  readonly split: SplitName;
  readonly index: number;
  readonly style: string;
  readonly objects: readonly SceneObject[];
  readonly count: number | null;
  readonly size: Size | null;
  readonly position: Position | null;
  readonly arrangement: Arrangement | null;
  readonly background: Background;
  readonly backdrop: Backdrop;
  readonly colour: Rgb;
  readonly gradientTurn: number;
  readonly effect: Effect;
}

/** Scene number `index` of a split. */
export function sampleScene(name: SplitName, index: number): Scene {
  const split: Split = SPLITS[name];
  const random = new Random(split.seed, index);
  const style = random.pick(split.styles);
  const kind = random.unit();
  const placed =
    kind < 0.5
      ? placeOne(split.concepts, random)
      : kind < 0.8 || !split.twoConcepts
        ? placeSeveral(split.concepts, random)
        : placeTwo(split.concepts, random);
  const objects = placed.objects.map((object) => ({
    ...object,
    x: round(object.x),
    y: round(object.y),
    scale: round(object.scale),
  }));
  const concepts = [...new Set(objects.map(({ concept }) => concept))];
  const background = split.background(concepts, random);
  const [r, g, b] = BACKGROUNDS[background];
  const nudged = (value: number) => Math.min(255, value + Math.round(random.between(-10, 10)));
  return {
    split: name,
    index,
    style,
    ...placed,
    objects,
    background,
    backdrop: random.pick(BACKDROPS),
    colour: [nudged(r), nudged(g), nudged(b)] as const,
    gradientTurn: round(random.unit()),
    effect: random.chance(0.6) ? "none" : random.pick(EFFECTS.slice(1)),
  };
}

/** The seed of a scene's split: what feeds its grain, its captions and its candidate texts. */
export function sceneSeed(scene: Scene): number {
  return SPLITS[scene.split].seed;
}

/** Four decimals: finer than a pixel at any size that is drawn, and short in a file. */
function round(share: number): number {
  return Math.round(share * 1e4) / 1e4;
}

type Placed = Pick<Scene, "objects" | "count" | "size" | "position" | "arrangement">;

/** A single object, at a named position unless it is large. */
function placeOne(concepts: readonly string[], random: Random): Placed {
  const concept = random.pick(concepts);
  const size = random.pick(SIZE_NAMES);
  const [smallest, largest] = SIZES[size];
  const scale = random.between(smallest, largest);
  const position = size === "large" ? null : random.pick(POSITIONS);
  const near = scale / 2 + random.between(0, 0.05);
  const along = 0.5 + random.between(-0.06, 0.06);
  const [x, y] = {
    left: [near, along],
    right: [1 - near, along],
    top: [along, near],
    bottom: [along, 1 - near],
    centre: [along, 0.5 + random.between(-0.06, 0.06)],
  }[position ?? "centre"];
  const mirrored = random.chance(0.5);
  return { objects: [{ concept, x, y, scale, mirrored }], count: 1, size, position, arrangement: null };
}

/** The scales of two, three and four objects. */
const SEVERAL_SCALES = [
  [0.4, 0.48],
  [0.34, 0.42],
  [0.33, 0.4],
] as const;

/** Two to four of the same object, thrown apart; where they do not fit, they shrink. */
function placeSeveral(concepts: readonly string[], random: Random): Placed {
  const concept = random.pick(concepts);
  const count = 2 + random.below(3);
  const [smallest, largest] = SEVERAL_SCALES[count - 2];
  let scale = random.between(smallest, largest);
  let spots: [number, number][] = [];
  for (let tries = 0; spots.length < count; tries++) {
    if (tries === 40) {
      [spots, tries, scale] = [[], 0, scale * 0.98];
    }
    const spot: [number, number] = [
      random.between(scale / 2, 1 - scale / 2),
      random.between(scale / 2, 1 - scale / 2),
    ];
    if (spots.every(([x, y]) => Math.hypot(x - spot[0], y - spot[1]) > scale)) spots.push(spot);
  }
  const objects = spots.map(([x, y]) => ({ concept, x, y, scale, mirrored: random.chance(0.5) }));
  return { objects, count, size: null, position: null, arrangement: null };
}

/** Two different objects, one left of or above the other. */
function placeTwo(concepts: readonly string[], random: Random): Placed {
  const first = random.below(concepts.length);
  const second = (first + 1 + random.below(concepts.length - 1)) % concepts.length;
  const arrangement = random.pick(ARRANGEMENTS);
  const scale = random.between(0.4, 0.48);
  const objects = [first, second].map((concept, order) => {
    const along = order === 0 ? random.between(scale / 2, 0.26) : 1 - random.between(scale / 2, 0.26);
    const across = 0.5 + random.between(-0.12, 0.12);
    const [x, y] = arrangement === "beside" ? [along, across] : [across, along];
    return { concept: concepts[concept], x, y, scale, mirrored: random.chance(0.5) };
  });
  return { objects, count: null, size: null, position: null, arrangement };
}
