import { ablation } from "./ablation.ts";
import { atlas } from "./atlas.ts";
import { charts } from "./charts.ts";
import { colourScales } from "./colour-scales.ts";
import { contributionMatrix } from "./contribution-matrix.ts";
import { debias } from "./debias.ts";
import { explanation } from "./explanation.ts";
import { fineTune } from "./fine-tune.ts";
import { fromWeights } from "./from-weights.ts";
import { headMatch } from "./head-match.ts";
import { labels } from "./labels.ts";
import { lookGallery } from "./look.ts";
import { metrics } from "./metrics.ts";
import { neighbors } from "./neighbors.ts";
import type { Gallery } from "./picture.ts";
import { referees } from "./referee.ts";
import { segmentationGallery } from "./segmentation.ts";
import { segmentationSheet } from "./segmentation-sheet.ts";
import { selectivity } from "./selectivity.ts";
import { studies } from "./study.ts";
import { textspan } from "./textspan.ts";
import { verify } from "./verify.ts";

/** Every gallery, in the order in which a reviewer leafs through them. */
export const GALLERIES: readonly Gallery[] = [
  explanation,
  contributionMatrix,
  neighbors,
  segmentationGallery,
  segmentationSheet,
  selectivity,
  atlas,
  textspan,
  fromWeights,
  headMatch,
  fineTune,
  ablation,
  debias,
  labels,
  lookGallery,
  metrics,
  studies,
  referees,
  verify,
  charts,
  colourScales,
];
