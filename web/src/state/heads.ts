import { headName, parseComponents, type Sizes, weightedName } from "../../../src/model/components.ts";
import type { Properties } from "./api.ts";

/** Chosen heads, as layer·H + head. */
export type Chosen = ReadonlySet<number>;

/** Reads a set of heads from an address. Nothing, or what cannot be read, chooses none. */
export function parseHeads(text: string, sizes: Sizes, properties: Properties["properties"] = []): Chosen {
  if (text.trim() === "") return new Set();
  const named = Object.fromEntries(
    properties.map(({ name, heads }) => [name, heads.map((head) => weightedName(head.name, head.weight))]),
  );
  try {
    const { heads } = parseComponents(text, sizes, named);
    return new Set(heads.map(({ layer, head }) => layer * sizes.heads + head));
  } catch {
    return new Set();
  }
}

/** Writes a set as briefly as it can be: `all`, whole layers, single heads. */
export function formatHeads(chosen: Chosen, { layers, heads }: Sizes): string {
  if (chosen.size === layers * heads) return "all";
  const parts: string[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const own = Array.from({ length: heads }, (_, head) => head).filter((head) =>
      chosen.has(layer * heads + head),
    );
    if (own.length === heads) parts.push(`L${layer}`);
    else parts.push(...own.map((head) => headName(layer, head)));
  }
  return parts.join();
}

/** What an answer reads when no head is chosen. */
export const orAll = (heads: string): string => (heads === "" ? "all" : heads);

/** All of some heads: out when every one was in, else in. */
export function toggled(chosen: Chosen, units: readonly number[]): Chosen {
  const next = new Set(chosen);
  const everyIsIn = units.every((unit) => chosen.has(unit));
  for (const unit of units) {
    if (everyIsIn) next.delete(unit);
    else next.add(unit);
  }
  return next;
}

/** How chosen heads are called in a sentence. */
export function headsInWords(chosen: Chosen, sizes: Sizes): string {
  const { layers, heads } = sizes;
  if (chosen.size === 0 || chosen.size === layers * heads) return `all ${layers * heads} heads`;
  if (chosen.size === 1) {
    const [unit] = chosen;
    return `head ${headName(Math.floor(unit / heads), unit % heads)}`;
  }
  return `${chosen.size} heads`;
}
