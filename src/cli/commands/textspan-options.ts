import { ClipInterpretError } from "../../support/errors.ts";

/** Options of `textspan`, as commander reads them. */
export interface TextspanCommandOptions {
  readonly index?: string;
  readonly fromWeights: boolean;
  readonly variance?: string;
  readonly directions?: number;
  readonly perEnd?: number;
  readonly coherence?: number;
  readonly export?: string;
  readonly texts?: string;
  readonly heads?: string;
  readonly labels?: string;
  readonly joint: boolean;
  readonly contributions?: string;
  readonly textFeatures?: string;
  readonly rank?: number;
  readonly reconstruction?: string;
  readonly iterations: number;
  readonly resamples: number;
  readonly blocks: number;
  readonly control: number;
  readonly seed: number;
  readonly out: readonly string[];
}

/** Options that belong to some of the three ways only. */
const OWN = {
  "--index": ["joint"],
  "--from-weights": ["variance", "directions", "perEnd", "coherence", "export"],
  "--contributions": ["textFeatures", "rank", "reconstruction"],
} as const satisfies Readonly<Record<string, readonly (keyof TextspanCommandOptions)[]>>;

/** Sees that the options belong to one of the three ways. @throws `USAGE` */
export function checkOptions(options: TextspanCommandOptions): void {
  const { index, fromWeights, contributions, textFeatures } = options;
  const usage = (why: string) => new ClipInterpretError("USAGE", why);
  const chosen = {
    "--index": index !== undefined,
    "--from-weights": fromWeights,
    "--contributions": contributions !== undefined || textFeatures !== undefined,
  };
  const ways = Object.entries(chosen).filter(([, is]) => is);
  if (ways.length !== 1)
    throw usage("give one of --index, --from-weights, or --contributions with --text-features");
  if ((contributions === undefined) !== (textFeatures === undefined))
    throw usage("--contributions and --text-features go together");
  const [way] = ways[0];
  for (const [other, names] of Object.entries(OWN)) {
    const foreign = other === way ? undefined : names.find((name) => options[name]);
    if (foreign) throw usage(`--${flagOf(foreign)} goes with ${other}`);
  }
  const named = (["heads", "labels"] as const).find((name) => options[name]);
  if (named && contributions !== undefined) throw usage(`--${named} goes with --index or --from-weights`);
}

const flagOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
