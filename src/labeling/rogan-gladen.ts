/**
 * A share as a judge sees it, corrected for the judge's errors (Rogan & Gladen, 1978). A judge with sensitivity Se and
 * specificity Sp says yes to a share p = π·Se + (1 − π)(1 − Sp) where π truly fit, so
 *
 *     π = (p + Sp − 1)/(Se + Sp − 1), within 0 … 1.
 *
 * The interval is Lang and Reiczigel's (2014): its width counts that Se and Sp were measured on few texts, too.
 */
import type { Corrected } from "../results/judging.ts";

/** Hits of so many tries. */
export interface Counted {
  readonly hits: number;
  readonly of: number;
}

const Z = 1.959964;
const within = (value: number) => Math.min(1, Math.max(0, value));

/**
 * The corrected share with its 95 % interval; null where nothing was judged or tried.
 *
 * A judge that is no better than chance (Se + Sp ≤ 1) says nothing about π: the value is null then, and the interval 0 … 1.
 * @param yes verdicts that are yes
 * @param sensitivity yes to texts that fit
 * @param specificity no to texts that do not
 */
export function roganGladen(yes: Counted, sensitivity: Counted, specificity: Counted): Corrected | null {
  if ([yes, sensitivity, specificity].some(({ of }) => of === 0)) return null;
  const apparent = yes.hits / yes.of;
  const [se, sp] = [sensitivity, specificity].map(({ hits, of }) => hits / of);
  const youden = se + sp - 1;
  if (youden <= 0) return { apparent, value: null, low: 0, high: 1 };
  const value = within((apparent + sp - 1) / youden);
  const n = yes.of + Z * Z;
  const p = (yes.hits + (Z * Z) / 2) / n;
  const [nSe, nSp] = [sensitivity.of + 2, specificity.of + 2];
  const [se1, sp1] = [(sensitivity.hits + 1) / nSe, (specificity.hits + 1) / nSp];
  const j = se1 + sp1 - 1;
  if (j <= 0) return { apparent, value, low: 0, high: 1 };
  const centre = (p + sp1 - 1) / j;
  const [ofSe, ofSp] = [(se1 * (1 - se1)) / nSe, (sp1 * (1 - sp1)) / nSp];
  const shift = 2 * Z * Z * (centre * ofSe - (1 - centre) * ofSp);
  const spread = (Z / j) * Math.sqrt((p * (1 - p)) / n + centre ** 2 * ofSe + (1 - centre) ** 2 * ofSp);
  const [low, high] = [centre + shift - spread, centre + shift + spread].map(within);
  return { apparent, value, low: Math.min(low, value), high: Math.max(high, value) };
}
