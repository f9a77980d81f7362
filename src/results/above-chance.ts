import type { FactorSelectivity } from "./selectivity.ts";

/** Largest p-value, adjusted, at which something is said to be there. */
export const LEVEL = 0.05;

/** Whether a factor explains more of a component than chance does, all that was measured beside it considered. */
export const isAboveChance = ({ p }: Pick<FactorSelectivity, "p">): boolean => p <= LEVEL;
