import {
  type ComponentSet,
  headName,
  mlpName,
  parseComponents,
  type Sizes,
  weightedName,
} from "../../../src/model/components.ts";
import type { Properties } from "./api.ts";
import { calledUnit } from "./atlas.ts";

/** Chosen heads, as layer·H + head, each with its weight. */
export type Chosen = ReadonlyMap<number, number>;

/** A set as it was read: nothing chosen stands for all heads. */
export interface ReadSet {
  readonly chosen: Chosen;
  /** Other components of the set; only neighbours can be asked through them. */
  readonly mlps: ComponentSet["mlps"];
  /** Why it cannot be read; then nothing is chosen, and nothing may be said of any heads. */
  readonly problem: string | null;
}

/** Longest set that the server takes. */
const LONGEST = 4000;
const NOTHING: ReadSet = { chosen: new Map(), mlps: [], problem: null };

/**
 * Reads a set of heads as it was written.
 * @param options `mlps`: whether MLP terms make sense where it is used
 */
export function readHeads(
  text: string,
  sizes: Sizes,
  properties: Properties["properties"] = [],
  { mlps: takesMlps = false } = {},
): ReadSet {
  if (text.trim() === "") return NOTHING;
  if (text.length > LONGEST) return { ...NOTHING, problem: `a set has at most ${LONGEST} characters` };
  const named = Object.fromEntries(
    properties.map(({ name, heads }) => [name, heads.map((head) => weightedName(head.name, head.weight))]),
  );
  try {
    const { heads, mlps } = parseComponents(text, sizes, named);
    if (mlps.length > 0 && !takesMlps) {
      return { ...NOTHING, problem: "MLPs and embed have no map: write heads only, such as L3.H1 or last2" };
    }
    const chosen = new Map(heads.map(({ layer, head, weight }) => [layer * sizes.heads + head, weight]));
    return { chosen, mlps, problem: null };
  } catch (error) {
    return { ...NOTHING, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Chosen heads without more, each with weight 1. */
export const chosenOf = (units: Iterable<number>): Chosen => new Map([...units].map((unit) => [unit, 1]));

/** Writes a set as briefly as it can be: `all`, whole layers, single heads; each with its weight where that is not 1. */
export function formatHeads(chosen: Chosen, sizes: Sizes, mlps: ComponentSet["mlps"] = []): string {
  const { layers, heads } = sizes;
  const isOne = (units: readonly number[]) =>
    units.every((unit) => chosen.has(unit) && chosen.get(unit) === chosen.get(units[0]));
  const rowOf = (layer: number) => Array.from({ length: heads }, (_, head) => layer * heads + head);
  const every = Array.from({ length: layers * heads }, (_, unit) => unit);
  const parts: string[] = [];
  if (isOne(every)) parts.push(weightedName("all", chosen.get(0)!));
  else
    for (let layer = 0; layer < layers; layer++) {
      const row = rowOf(layer);
      if (isOne(row)) parts.push(weightedName(`L${layer}`, chosen.get(row[0])!));
      else
        for (const unit of row) {
          const weight = chosen.get(unit);
          if (weight !== undefined) parts.push(weightedName(headName(layer, unit % heads), weight));
        }
    }
  for (const { index, weight } of mlps) parts.push(weightedName(mlpName(index, sizes), weight));
  return parts.join();
}

/** What an answer reads when no head is chosen. */
export const orAll = (heads: string): string => (heads === "" ? "all" : heads);

/** All of some heads: out when every one was in, else in, with the weights that they had. */
export function toggled(chosen: Chosen, units: readonly number[]): Chosen {
  const next = new Map(chosen);
  const everyIsIn = units.every((unit) => chosen.has(unit));
  for (const unit of units) {
    if (everyIsIn) next.delete(unit);
    else if (!next.has(unit)) next.set(unit, 1);
  }
  return next;
}

/** How chosen heads are called in a sentence. */
export function headsInWords(
  chosen: Chosen,
  sizes: Sizes,
  mlps: ComponentSet["mlps"] = [],
  labels: ReadonlyMap<string, string> = new Map(),
): string {
  const { layers, heads } = sizes;
  const weighs = [...chosen.values()].some((weight) => weight !== 1);
  const others = mlps.length > 0 ? ` and ${mlps.length} other ${mlps.length === 1 ? "part" : "parts"}` : "";
  if (chosen.size === 0 && mlps.length > 0) return `${mlps.length} parts that are no heads`;
  if (chosen.size === 0 || (chosen.size === layers * heads && !weighs))
    return `all ${layers * heads} heads${others}`;
  if (chosen.size === 1) {
    const [[unit, weight]] = chosen;
    const name = calledUnit(unit, heads, labels);
    return `head ${name}${weight === 1 ? "" : ` (weight ${formatWeight(weight)})`}${others}`;
  }
  return `${chosen.size} heads${weighs ? " (weighted)" : ""}${others}`;
}

/** A weight as it is read. */
export const formatWeight = (weight: number): string => String(weight).replace("-", "−");
