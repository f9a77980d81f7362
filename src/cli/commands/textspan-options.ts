import { ClipInterpretError } from "../../support/errors.ts";

/** Options of `textspan`, as commander reads them. */
export interface TextspanCommandOptions {
  readonly index?: string;
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

/** Sees that the options belong to one of the two ways. @throws `USAGE` */
export function checkOptions(options: TextspanCommandOptions): void {
  const { index, contributions, textFeatures } = options;
  const usage = (why: string) => new ClipInterpretError("USAGE", why);
  if ((index === undefined) === (contributions === undefined))
    throw usage("give either --index, or --contributions with --text-features");
  if ((contributions === undefined) !== (textFeatures === undefined))
    throw usage("--contributions and --text-features go together");
  const foreign = (["rank", "reconstruction"] as const).find((name) => options[name] !== undefined);
  if (index !== undefined && foreign) throw usage(`--${foreign} goes with --contributions`);
  const own = (["heads", "labels", "joint"] as const).find((name) => options[name]);
  if (index === undefined && own) throw usage(`--${own} goes with --index`);
}
