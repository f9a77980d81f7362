/** A way to say what a head does. Each is a file in `methods/`, with its paper. */
import type { ClipModel } from "../model/clip-model.ts";
import type { Reads } from "../results/referee.ts";
import type { Head } from "../results/shapes.ts";
import type { Bench } from "./bench.ts";

/** What a method says of a head. */
export interface Claim extends Head {
  /** The property that it names; null where it names none. */
  readonly label: string | null;
  /** How much speaks for each of the bench's properties, in their order and the method's own unit; empty where it does not say. */
  readonly scores: readonly number[];
}

/** A method: from a bench to a claim a head, in the order of the heads. */
export interface Method {
  readonly key: string;
  readonly name: string;
  readonly paper: string;
  readonly reads: readonly Reads[];
  /** Whether it looks at what no method may: where methods lie above or below. */
  readonly bound?: "upper" | "lower";
  /** Whether it can be asked about a model; by default about any. */
  supports?(model: ClipModel): boolean;
  judge(bench: Bench): Promise<Claim[]>;
}

/** The claim that scores make: the property with the highest, of equal ones the first; none where nothing speaks for any. */
export function claimOf(
  { layer, head, name }: Head,
  { properties }: Bench,
  scores: readonly number[],
): Claim {
  const most = Math.max(...scores);
  return { layer, head, name, label: most > 0 ? properties[scores.indexOf(most)] : null, scores };
}

/** Texts that name a direction, a head or a neuron: as many as a head is labelled by everywhere. */
export { DESCRIPTIONS as TEXTS } from "../labeling/metrics.ts";
