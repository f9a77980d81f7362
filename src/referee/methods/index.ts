import type { Method } from "../method.ts";
import { dissect } from "./dissect.ts";
import { headPursuit } from "./head-pursuit.ts";
import { knownFactors } from "./known-factors.ts";
import { principalPursuit } from "./principal-pursuit.ts";
import { random } from "./random.ts";
import { textspanTags } from "./textspan.ts";
import { weightsAlone, weightsByVariance } from "./weights.ts";

/** The methods that need nothing but the bench. To add one: a file beside this one, and a line here. */
export const METHODS: readonly Method[] = [
  ...[textspanTags, principalPursuit, headPursuit, dissect],
  ...[weightsAlone, weightsByVariance],
  ...[knownFactors, random],
];
