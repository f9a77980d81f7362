import type { ClipModel } from "../../model/clip-model.ts";
import type { NamedSet } from "../../model/components.ts";
import { truncatedIn } from "../../model/notices.ts";
import type { WithoutHeads } from "../../results/app.ts";
import { originOf } from "../../results/origin.ts";
import { componentsOf } from "../../results/shapes.ts";
import type { SeenImage } from "../segmentation/segmentation.ts";
import { withoutHeads } from "./without-heads.ts";

/** {@link withoutHeads} of an image and texts that are encoded already, with where it comes from. */
export async function withoutSeen(
  model: ClipModel,
  { image, decomposition }: Pick<SeenImage, "image" | "decomposition">,
  { texts, probes }: { readonly texts: readonly string[]; readonly probes: readonly Float64Array[] },
  { set, name }: NamedSet,
  {
    replacement,
    over,
    ...how
  }: Pick<WithoutHeads, "replacement" | "over"> & {
    readonly means?: readonly Float64Array[] | undefined;
    readonly seed: number;
  },
): Promise<WithoutHeads> {
  const found = withoutHeads(model, decomposition, probes, set, how);
  return {
    origin: await originOf({ model, image }),
    components: componentsOf(name, set, model.geometry),
    ...{ replacement, over },
    texts: found.map((one, i) => ({ text: texts[i], ...one })),
    ...(await truncatedIn(model, texts)),
  };
}
