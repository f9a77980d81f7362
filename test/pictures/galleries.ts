import { colourScales } from "./colour-scales.ts";
import { contributionMatrix } from "./contribution-matrix.ts";
import { explanation } from "./explanation.ts";
import { neighbors } from "./neighbors.ts";
import type { Gallery } from "./picture.ts";
import { segmentationGallery } from "./segmentation.ts";
import { segmentationSheet } from "./segmentation-sheet.ts";

/** Every gallery, in the order in which a reviewer leafs through them. */
export const GALLERIES: readonly Gallery[] = [
  explanation,
  contributionMatrix,
  neighbors,
  segmentationGallery,
  segmentationSheet,
  colourScales,
];
