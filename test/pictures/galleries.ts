import { headMatch } from "./head-match.ts";
import type { Gallery } from "./picture.ts";
import { selectivity } from "./selectivity.ts";
import { textspan } from "./textspan.ts";

/** Every gallery, in the order in which a reviewer leafs through them. */
export const GALLERIES: readonly Gallery[] = [selectivity, textspan, headMatch];
