/** What labellers and judges have in common. A labeller names what a head's descriptions share; a judge says which fit. */
import type { JudgeRecord, Maker } from "../labels/labels-file.ts";
import type { Head } from "../results/shapes.ts";
import type { Description } from "../results/textspan.ts";
import type { WorkOptions } from "../support/progress.ts";

/** A text that was chosen for a head, as far as it matters to a label. */
export type DescribedText = Pick<Description, "text" | "property" | "explainedVariance">;

/** A head with its descriptions, most variance first, as `describeHeads` gives them. */
export interface Described extends Head {
  readonly descriptions: readonly DescribedText[];
}

/** A label with its maker. */
export interface Named {
  readonly label: string;
  readonly labeller: Maker;
}

/** Verdicts, one a description, with who gave them. */
export interface Verdict {
  readonly consistent: readonly boolean[];
  readonly judge: JudgeRecord;
}

/** How an answer is waited for. */
export interface AskOptions extends WorkOptions {
  /** Fires when other work has failed for good: what runs may end, but nothing is tried again. */
  readonly ending?: AbortSignal;
}

/** Names a head's property; nothing where it cannot. */
export type Labeller = (head: Described, options: AskOptions) => Promise<Named | undefined>;

/** Says for each of a head's descriptions whether it fits the label. */
export type Judge = (label: string, head: Described, options: AskOptions) => Promise<Verdict>;

/** Now, as labels carry it. */
export const today = (): string => new Date().toISOString();
