import { counted, shorten } from "../kit/text.ts";

/** How much of what each component writes each factor explains. All numbers are finite. */
export interface SelectivityMatrixInput {
  readonly model: string;
  readonly images: number;
  /** What varies between the images: how many levels it has, and how many images have one. */
  readonly factors: readonly { readonly name: string; readonly levels: number; readonly images: number }[];
  /** Heads layer by layer (`L0.H0`, …), then `embed`, `L0.MLP`, … if stored, then the whole, `embedding`. */
  readonly components: readonly SelectiveComponent[];
  readonly notice?: string;
}

/** One component; both lists are in the order of the factors. */
export interface SelectiveComponent {
  readonly name: string;
  /** 0–1: share of the component's variance that the factor explains, beyond chance. */
  readonly shares: readonly number[];
  /** Whether it is above the permutation baseline. */
  readonly significant: readonly boolean[];
}

/** Components of one layer, or one that belongs to none, in the order in which they are drawn. */
export type Group = readonly SelectiveComponent[];

/** The layer of `L3.H1` or `L3.MLP`; undefined for what belongs to none. */
function layerOf(name: string): number | undefined {
  const digits = /^L(\d+)\./.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function isHead(name: string): boolean {
  return /^L\d+\.H\d+$/.test(name);
}

/** Rows from the top: the embedding, the layers with the last first, at the foot what belongs to none. */
export function groupsOf(components: SelectivityMatrixInput["components"]): Group[] {
  const layers = new Map<number, SelectiveComponent[]>();
  for (const component of components) {
    const layer = layerOf(component.name);
    if (layer !== undefined) layers.set(layer, [...(layers.get(layer) ?? []), component]);
  }
  const without = components.filter(({ name }) => layerOf(name) === undefined);
  const whole = without.filter(({ name }) => name === "embedding");
  const foot = without.filter(({ name }) => name !== "embedding");
  const ordered = [...layers].sort(([a], [b]) => b - a).map(([, members]) => members);
  return [whole, ...ordered, foot].filter((group) => group.length > 0);
}

/** Heads by their share of a factor, highest first; those not above chance come last. */
export function rankHeads({ components }: SelectivityMatrixInput, factor: number): SelectiveComponent[] {
  const strength = ({ shares, significant }: SelectiveComponent) =>
    shares[factor] + (significant[factor] ? 2 : 0);
  return components.filter(({ name }) => isHead(name)).sort((a, b) => strength(b) - strength(a));
}

/** A name for a place that has room, but not for everything. */
export const brief = (name: string) => shorten(name, 80, () => 1);

/** Per cent with a decimal. */
export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A factor's size: `8 levels, 2,000 images`. */
export function sizeOf({ levels, images }: SelectivityMatrixInput["factors"][number]): string {
  return `${counted(levels, "level")}, ${counted(images, "image")}`;
}
