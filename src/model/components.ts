import { ClipInterpretError } from "../support/errors.ts";

/** A head with its weight in a set. */
export interface WeightedHead {
  readonly layer: number;
  readonly head: number;
  readonly weight: number;
}

/** An MLP term with its weight: index 0 is `embed`, index l+1 is `L<l>.MLP`. */
export interface WeightedMlp {
  readonly index: number;
  readonly weight: number;
}

/** One of a head's singular directions (`singular-directions.ts`), the strongest being 0, with its weight. */
export interface WeightedDirection extends WeightedHead {
  readonly direction: number;
}

/** What reads a probe: any heads and MLP terms, with weights. Each component occurs once, in order. */
export interface ComponentSet {
  readonly heads: readonly WeightedHead[];
  readonly mlps: readonly WeightedMlp[];
  /** What heads write along single directions: only in sets of {@link parseEdit}, and absent where there is none. */
  readonly directions?: readonly WeightedDirection[];
}

/** A set under the name that it was asked for by. */
export interface NamedSet {
  readonly name: string;
  readonly set: ComponentSet;
}

/** A set as it was written: what fits wherever a set is wanted, with its name or without. */
export interface WrittenSet extends ComponentSet, NamedSet {}

/** Largest weight of a component: with it, sums of scores stay far from where float32 ends. */
const MOST_WEIGHT = 1e6;

/** The model's sizes that a component set refers to. */
export interface Sizes {
  readonly layers: number;
  readonly heads: number;
  /** Whether the model pools by attention with an MLP behind, which is a component too. */
  readonly poolMlp?: boolean | undefined;
}

/** Components beside the heads: `embed`, each layer's MLP, and the pool's where it has one. */
export const mlpCount = ({ layers, poolMlp }: Pick<Sizes, "layers" | "poolMlp">): number =>
  layers + (poolMlp ? 2 : 1);

/**
 * `L10.H3`. Layers and heads are zero-based.
 *
 * @example
 * ```ts
 * import { headName } from "clip-interpret/kernel";
 *
 * console.log(headName(10, 3)); // → L10.H3
 * ```
 */
export const headName = (layer: number, head: number): string => `L${layer}.H${head}`;

/** `L10.H3@2`: a head's third strongest direction. */
export const directionName = (layer: number, head: number, direction: number): string =>
  `${headName(layer, head)}@${direction}`;

/**
 * `embed` for 0, `L<l>.MLP` for l + 1, and `pool.MLP` for what comes after the last layer's.
 *
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { mlpName } from "clip-interpret/kernel";
 *
 * const { geometry } = await openModel("emoji-4x128-p8");
 * console.log(mlpName(0, geometry), mlpName(4, geometry)); // → embed L3.MLP
 * ```
 */
export function mlpName(index: number, { layers }: Pick<Sizes, "layers">): string {
  if (index === 0) return "embed";
  return index > layers ? "pool.MLP" : `L${index - 1}.MLP`;
}

/**
 * `T3.H1`: a head of the text tower. Layers and heads are zero-based.
 *
 * @example
 * ```ts
 * import { textHeadName } from "clip-interpret/kernel";
 *
 * console.log(textHeadName(3, 1)); // → T3.H1
 * ```
 */
export const textHeadName = (layer: number, head: number): string => `T${layer}.H${head}`;

/** A component as a set names it, with its weight where it is not 1: `L10.H3*0.5`. */
export const weightedName = (name: string, weight: number): string =>
  weight === 1 ? name : `${name}*${weight}`;

/** Every component of a set by name, with its weight where it is not 1: `L10.H3*0.5`. */
export function componentNames(
  { heads, mlps, directions = [] }: ComponentSet,
  sizes: Pick<Sizes, "layers">,
): string[] {
  return [
    ...heads.map(({ layer, head, weight }) => weightedName(headName(layer, head), weight)),
    ...directions.map(({ layer, head, direction, weight }) =>
      weightedName(directionName(layer, head, direction), weight),
    ),
    ...mlps.map(({ index, weight }) => weightedName(mlpName(index, sizes), weight)),
  ];
}

/**
 * Every head with weight 1.
 *
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { allHeads } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * console.log(allHeads(model.geometry).heads.length); // → 16
 * ```
 */
export const allHeads = ({ layers, heads }: Sizes): ComponentSet => ({
  heads: Array.from({ length: layers * heads }, (_, i) => ({
    layer: Math.floor(i / heads),
    head: i % heads,
    weight: 1,
  })),
  mlps: [],
});

/**
 * Every head and every MLP term with weight 1: the whole embedding.
 *
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { allComponents } from "clip-interpret/kernel";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const { heads, mlps } = allComponents(model.geometry);
 * console.log(heads.length, mlps.length); // → 16 5
 * ```
 */
export const allComponents = (sizes: Sizes): ComponentSet => ({
  heads: allHeads(sizes).heads,
  mlps: Array.from({ length: mlpCount(sizes) }, (_, index) => ({ index, weight: 1 })),
});

/** A head by itself, in any of the ways that people write one: `L22.H8`, `L22H8`, `22.8`, `(22,8)`. */
const HEAD = /(^|,)(\s*)(?:L(\d+)\.?H(\d+)|(\d+)\.(\d+)|\(\s*(\d+)\s*,\s*(\d+)\s*\))(?=\s*(?:[*,@]|$))/gi;

/** A set as written, its heads in the one way that answers show them: `(22,8), animals` is `L22.H8, animals`. */
export const writtenSet = (text: string): string =>
  text.replace(HEAD, (_, comma: string, space: string, ...found: (string | undefined)[]) => {
    const [layer, head] = found.slice(0, 6).filter((digits) => digits !== undefined);
    return `${comma}${space}${headName(Number(layer), Number(head))}`;
  });

/**
 * Reads a component set as a user writes it: a comma list of `L10.H3` (or `L10H3`, `10.3`, `(10,3)`), `L10` (its heads),
 * `L8-L11`, `last4`, `all` (every head), `embed`, `L3.MLP`, `mlps`, or a property's name; each may carry a weight,
 * `L10.H3*0.5`, of at most a million. Parts that overlap are united; the same component with two different weights is an error.
 *
 * @param text the set as written
 * @param sizes the model's layers and heads
 * @param properties names of sets of heads, such as labels: name → `L10.H3` names, which may carry weights too. That of the
 *   property multiplies them
 * @throws `HEADS_INVALID` naming the part and what the model has
 */
export const parseComponents = (
  text: string,
  sizes: Sizes,
  properties: Readonly<Record<string, readonly string[]>> = {},
): ComponentSet => parseSet(text, sizes, properties);

/**
 * Reads what is to be taken away: a component set, or single directions of heads, `L3.H1@2` (`L3.H1@0-3`), alone or among others.
 * @param sizes a model's `geometry`
 * @throws `HEADS_INVALID` as `parseComponents`, and for a head together with a direction of its own
 * @example
 * ```ts
 * import { openModel } from "clip-interpret";
 * import { parseEdit } from "clip-interpret/evaluation";
 *
 * const { geometry } = await openModel("emoji-4x128-p8");
 * console.log(parseEdit("L3.H1@0-3,L0.H1", geometry).directions?.length); // → 4
 * ```
 */
export const parseEdit = (
  text: string,
  sizes: Sizes & { readonly headDim: number },
  properties: Readonly<Record<string, readonly string[]>> = {},
): ComponentSet => parseSet(text, sizes, properties, sizes.headDim);

/** @param perHead directions a head; none where directions are not taken */
function parseSet(
  text: string,
  sizes: Sizes,
  properties: Readonly<Record<string, readonly string[]>>,
  perHead?: number,
): ComponentSet {
  const heads = new Map<number, number>();
  const mlps = new Map<number, number>();
  const directions = new Map<number, number>();
  const put = (into: Map<number, number>, key: number, weight: number, part: string) => {
    const known = into.get(key);
    if (known !== undefined && known !== weight)
      throw invalid(`"${part}" gives a component a second weight`, sizes);
    into.set(key, weight);
  };
  for (const part of writtenSet(text)
    .split(",")
    .map((piece) => piece.trim())) {
    const { name, weight } = splitWeight(part);
    const property = Object.keys(properties).find((key) => key.toLowerCase() === name.toLowerCase());
    const members = property === undefined ? [{ name, weight: 1 }] : properties[property].map(splitWeight);
    for (const member of members) {
      // A negative zero is zero.
      const product = weight * member.weight || 0;
      if (Math.abs(product) > MOST_WEIGHT)
        throw invalid(`the weight of "${part}" is beyond ±${MOST_WEIGHT}`, sizes);
      const along = directionKeys(member.name, sizes, perHead);
      const { headKeys, mlpKeys } = along
        ? { headKeys: [], mlpKeys: [] }
        : resolvePart(member.name, sizes, Object.keys(properties));
      for (const key of headKeys) put(heads, key, product, part);
      for (const key of mlpKeys) put(mlps, key, product, part);
      for (const key of along ?? []) put(directions, key, product, part);
    }
  }
  const sorted = (map: Map<number, number>) => [...map].sort(([a], [b]) => a - b);
  const headOf = (key: number) => ({ layer: Math.floor(key / sizes.heads), head: key % sizes.heads });
  const unitOf = (key: number) => Math.floor(key / (perHead ?? 1));
  const twice = [...directions.keys()].find((key) => heads.has(unitOf(key)));
  if (twice !== undefined) {
    const { layer, head } = headOf(unitOf(twice));
    throw invalid(`${headName(layer, head)} is named as a whole and by a direction of it`, sizes);
  }
  return {
    heads: sorted(heads).map(([key, weight]) => ({ ...headOf(key), weight })),
    mlps: sorted(mlps).map(([index, weight]) => ({ index, weight })),
    ...(directions.size > 0 && {
      directions: sorted(directions).map(([key, weight]) => ({
        ...headOf(unitOf(key)),
        ...{ direction: key % perHead!, weight },
      })),
    }),
  };
}

/** Numbers of directions, (layer·H + head)·d_h + k, that `L3.H1@2` or `L3.H1@0-3` names; undefined for what names none. */
function directionKeys(name: string, sizes: Sizes, perHead: number | undefined): number[] | undefined {
  const match = /^L(\d+)\.H(\d+)@(\d+)(?:-(\d+))?$/i.exec(name);
  if (!match) return undefined;
  if (perHead === undefined)
    throw invalid(
      `"${name}" is a direction of a head, which only \`evaluate zero-shot --ablate\` and \`debias --heads\` take`,
      sizes,
    );
  const [layer, head, from, to = from] = match
    .slice(1)
    .map((digits) => (digits ? Number(digits) : undefined));
  if (layer! >= sizes.layers || head! >= sizes.heads || to! >= perHead || to! < from!)
    throw invalid(
      `"${name}" names what the model does not have, whose heads have directions @0–@${perHead - 1}`,
      sizes,
    );
  const first = (layer! * sizes.heads + head!) * perHead;
  return Array.from({ length: to! - from! + 1 }, (_, i) => first + from! + i);
}

/**
 * The components of a model that read a probe, by their names and with weights: `L10.H3`, `L8-L11`, `last4`, `all`,
 * `embed`, `L3.MLP`, `mlps`, `L10.H3*0.5`, or a comma list of such parts.
 *
 * @param properties names of sets of heads, such as labels: name → `L10.H3` names
 * @throws `HEADS_INVALID` naming the part and what the model has
 * @example
 * ```ts
 * import { openModel, parseHeads } from "clip-interpret";
 *
 * const model = await openModel("emoji-4x128-p8");
 * console.log(parseHeads(model, "last2").heads.length); // → 8
 * const { heads, mlps } = parseHeads(model, "colors,L3.MLP*0.5", { colors: ["L1.H0", "L0.H1"] });
 * console.log(heads.length, mlps); // → 2 [ { index: 4, weight: 0.5 } ]
 * ```
 */
export const parseHeads = (
  { geometry }: { readonly geometry: Sizes },
  text: string,
  properties?: Readonly<Record<string, readonly string[]>>,
): WrittenSet => {
  const set = parseComponents(text, geometry, properties);
  return { ...set, name: text, set };
};

/**
 * A set of heads of the text tower as a user writes it: as `parseComponents` reads one, with a T for the L. `T3.H1`, `T2-T3`,
 * `last2`, `all`, with weights.
 * @throws `HEADS_INVALID`
 */
export function parseTextHeads(text: string, sizes: Sizes): ComponentSet {
  const part = text.split(",").find((one) => /\bL\d/i.test(one) || /mlp|embed/i.test(one));
  if (part !== undefined)
    throw invalidText(
      `"${part.trim()}" is no head of the text tower, which are named T0.H0 and so on`,
      sizes,
    );
  try {
    return parseComponents(text.replaceAll(/\bT(?=\d)/gi, "L"), sizes);
  } catch (error) {
    if (!(error instanceof ClipInterpretError)) throw error;
    throw invalidText(`"${text}" names no heads of the text tower`, sizes);
  }
}

const invalidText = (why: string, { layers, heads }: Sizes) =>
  new ClipInterpretError(
    "HEADS_INVALID",
    `${why}; the text tower has T0–T${layers - 1} with heads H0–H${heads - 1}`,
    {
      hint: "Write text heads as T2.H1, layers as T2, ranges as T1-T2, or last2, all, with weights as T2.H1*0.5.",
    },
  );

/** `L10.H3*0.5` → its name and its weight, 1 where none is written. */
function splitWeight(part: string): { name: string; weight: number } {
  const [, name = "", weight] = /^(.*?)\s*(?:\*\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?))?$/i.exec(part) ?? [];
  return { name, weight: weight === undefined ? 1 : Number(weight) };
}

/** Properties that an error names, at most. */
const MOST_LISTED = 20;

function resolvePart(
  name: string,
  sizes: Sizes,
  properties: readonly string[],
): { headKeys: readonly number[]; mlpKeys: readonly number[] } {
  const { layers, heads } = sizes;
  const none: number[] = [];
  const span = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const layerHeads = (from: number, to: number) => span(from * heads, to * heads);
  if (/^all$/i.test(name)) return { headKeys: layerHeads(0, layers), mlpKeys: none };
  if (/^mlps$/i.test(name)) return { headKeys: none, mlpKeys: span(0, mlpCount(sizes)) };
  if (/^pool\.mlp$/i.test(name) && sizes.poolMlp) return { headKeys: none, mlpKeys: [layers + 1] };
  if (/^embed$/i.test(name)) return { headKeys: none, mlpKeys: [0] };
  const match = /^(?:last(\d+)|L(\d+)(?:\.H(\d+)|(\.MLP)|-L?(\d+))?)$/i.exec(name);
  if (!match) {
    const listed = [...properties.slice(0, MOST_LISTED), ...(properties.length > MOST_LISTED ? ["…"] : [])];
    const known = listed.length > 0 ? ` (properties are ${listed.join(", ")})` : "";
    throw invalid(`"${name}" is not a component or property${known}`, sizes);
  }
  const [last, layer, head, end] = [match[1], match[2], match[3], match[5]].map((digits) =>
    digits === undefined ? undefined : Number(digits),
  );
  if (last !== undefined && last >= 1 && last <= layers)
    return { headKeys: layerHeads(layers - last, layers), mlpKeys: none };
  if (
    layer === undefined ||
    layer >= layers ||
    (head ?? 0) >= heads ||
    (end ?? layer) >= layers ||
    (end ?? layer) < layer
  ) {
    throw invalid(`"${name}" names what the model does not have`, sizes);
  }
  if (match[4]) return { headKeys: none, mlpKeys: [layer + 1] };
  if (head !== undefined) return { headKeys: [layer * heads + head], mlpKeys: none };
  return { headKeys: layerHeads(layer, (end ?? layer) + 1), mlpKeys: none };
}

/**
 * Sees that a set holds no direction of a head.
 * @param where whole heads alone can be taken away there: `inside the network`
 * @throws `HEADS_INVALID`
 */
export function refuseDirections({ directions: [first] = [] }: ComponentSet, where: string): void {
  if (!first) return;
  const name = directionName(first.layer, first.head, first.direction);
  const hint = "Name whole heads, or leave that out: a direction is taken out of the embedding.";
  throw new ClipInterpretError("HEADS_INVALID", `${name} cannot be taken away ${where}: heads can`, { hint });
}

const invalid = (why: string, { layers, heads }: Sizes) =>
  new ClipInterpretError(
    "HEADS_INVALID",
    `${why}; the model has L0–L${layers - 1} with heads H0–H${heads - 1}`,
  );
