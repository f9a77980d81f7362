import { type EvaluatedUnit, type EvaluateOptions, unitPictures } from "../analysis/segmentation/evaluate.ts";
import type { MaskedImages } from "../analysis/segmentation/masked-images.ts";
import { threshold } from "../analysis/segmentation/metrics.ts";
import { encodePng } from "../image/encode.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { NamedSet } from "../model/components.ts";
import { answerPictures } from "../views/segmentation-sheet/panels.ts";
import type { SheetPictures } from "../views/segmentation-sheet/svg.ts";

/** The pictures of some answers' maps and masks. */
export async function sheetPictures(
  model: ClipModel,
  data: MaskedImages,
  units: readonly EvaluatedUnit[],
  set: NamedSet,
  options: EvaluateOptions,
): Promise<SheetPictures> {
  const { size } = model.config.preprocess;
  const pixels = await unitPictures(model, data, units, set, options);
  const painted = pixels.map(({ rgb, mask, relevance }) =>
    answerPictures({ size, rgb, mask, relevance, found: threshold(relevance) }, encodePng),
  );
  return { answers: await Promise.all(painted) };
}
