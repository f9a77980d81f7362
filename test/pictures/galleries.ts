import type { Gallery } from "./picture.ts";

/** Every gallery, in the order in which a reviewer leafs through them. */
export const GALLERIES: readonly Gallery[] = [];
