import { ablation } from "./ablation.ts";
import { charts } from "./charts.ts";
import { debias } from "./debias.ts";
import { headMatch } from "./head-match.ts";
import { labels } from "./labels.ts";
import { metrics } from "./metrics.ts";
import type { Gallery } from "./picture.ts";
import { selectivity } from "./selectivity.ts";
import { studies } from "./study.ts";
import { textspan } from "./textspan.ts";
import { verify } from "./verify.ts";

/** Every gallery, in the order in which a reviewer leafs through them. */
export const GALLERIES: readonly Gallery[] = [
  selectivity,
  textspan,
  headMatch,
  ablation,
  debias,
  labels,
  metrics,
  studies,
  charts,
  verify,
];
