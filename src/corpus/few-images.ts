import { ClipInterpretError } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";

/** With fewer images numbers cannot be told from chance. */
const FEW = 10;

/**
 * Sees that what is measured over images has something to be measured over; warns where that is little.
 * @param least with fewer there is no answer
 * @throws `NO_IMAGES`, `FEW_IMAGES`
 */
export function requireImages(
  { images, folder }: { readonly images: { readonly length: number }; readonly folder: string },
  least: number,
  report: Report | undefined,
): void {
  const n = images.length;
  if (n === 0) throw new ClipInterpretError("NO_IMAGES", `${folder} holds no image`);
  const few = `${n === 1 ? "only 1 image" : `only ${n} images`} of ${folder} can be asked`;
  if (n < least) throw new ClipInterpretError("FEW_IMAGES", `${few}; ${least} are needed`);
  if (n < FEW)
    report?.({ type: "warning", code: "FEW_IMAGES", message: `${few}: what comes of so few may be chance` });
}
