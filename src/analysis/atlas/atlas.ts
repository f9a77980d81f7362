/**
 * The atlas of a model's heads over the images of an index: every head at a glance, and a page for each. It composes what
 * other analyses find, and adds images: in their order along the directions that a head writes, and parted into groups
 * that it sees alike.
 *
 * The folder: `describe.ts` texts and principal directions; `places.ts` every head's images: `axes.ts` along a direction,
 * `groups.ts` in groups, `common.ts` what sets of them have in common; `maps.ts` where heads write in them; `known.ts` what
 * factors say of heads, `effects.ts` what a head is worth to classification, `nearest.ts` heads like it; `pages.ts` puts it
 * together, `metrics.ts` and `labels.ts` have the words, `blind.ts` leaves them out; `find-heads.ts` which heads know a text;
 * `kept.ts` an atlas on disk.
 */
import { readsTexts } from "../../checkpoint/model-config.ts";
import { requireImages } from "../../corpus/few-images.ts";
import type { Index } from "../../corpus/open-index.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { AtlasResult } from "../../results/atlas.ts";
import { originOf } from "../../results/origin.ts";
import { headOf } from "../../results/shapes.ts";
import { checkCancelled, pause } from "../../support/progress.ts";
import { findGroupings } from "../selectivity/groupings.ts";
import { describeAll } from "./describe.ts";
import { effectsOf, factorsOf } from "./known.ts";
import { labelAtlas, labelPage } from "./labels.ts";
import { makeMaps } from "./maps.ts";
import { nearestHeads } from "./nearest.ts";
import { type AtlasOptions, STEPS } from "./options.ts";
import { type Found, overviewOf, pageOf } from "./pages.ts";
import { GALLERY, galleryOf, placeHeads, wantedMaps } from "./places.ts";

const MOST_FACTORS_IN_MEMORY = 64;
/** Images that are decomposed for maps, at most. */
const MOST_MAPS = 2000;

/**
 * Makes the atlas of every head: the overview is returned, pages are given to `onPage`.
 * @param index made by this model
 * @throws `NO_IMAGES`, `FEW_IMAGES` of one; `TEXTS_EMPTY` without a pool where the model reads texts; what embedding texts throws; `CANCELLED`
 * @example
 * ```ts
 * import { makeAtlas, openIndex, openModel } from "clip-interpret";
 * import { defaultPool, loadPool } from "clip-interpret/labeling";
 *
 * const model = await openModel("emoji-4x128-p8");
 * const index = await openIndex(model, "scenes.index");
 * const pool = await loadPool(defaultPool(model.name));
 * const { heads } = await makeAtlas(model, index, { pool, rotations: 2, maps: 0 });
 * const [most] = heads.sort((a, b) => (b.metrics.selectivity ?? 0) - (a.metrics.selectivity ?? 0));
 * console.log(most.name, most.strongest?.factor); // → L0.H1 background
 * ```
 */
export async function makeAtlas(
  model: ClipModel,
  index: Index,
  options: AtlasOptions = {},
): Promise<AtlasResult> {
  const {
    pool,
    labels = {},
    seed = 0,
    maps: most = MOST_MAPS,
    journal,
    batch,
    signal,
    onPage,
    report,
  } = options;
  const { layers, heads: headsPerLayer } = model.geometry;
  // Where texts are chosen, TEXTSPAN warns of few.
  requireImages(index, 2, pool ? undefined : report);
  const units = Array.from({ length: layers * headsPerLayer }, (_, unit) =>
    headOf(Math.floor(unit / headsPerLayer), unit % headsPerLayer),
  );
  const origin = await originOf({ model, index, ...(pool && readsTexts(model.config.text) && { pool }) });
  const described = await describeAll(model, index, options);
  const { spans, axes } = described;
  const groupings = findGroupings(index).slice(0, MOST_FACTORS_IN_MEMORY);
  const factors = await factorsOf(model, index, groupings, options);
  const effects = await effectsOf(model, index, groupings, options);
  const near = await nearestHeads(model, index, units, options);
  const gallery = galleryOf(index, seed);
  const places = await placeHeads(model, index, units, described, groupings, gallery, options);
  const maps =
    most === 0
      ? undefined
      : await makeMaps(model, index, axes, wantedMaps(places), {
          ...{ most, gallery },
          ...(journal !== undefined && { journal }),
          ...(batch !== undefined && { batch }),
          ...(report && { report }),
          ...(signal && { signal }),
        });
  const found: Found = {
    ...{ model, index, origin, units, groupings, spans, axes, places, factors, effects, near, maps },
  };
  const overview = labelAtlas(overviewOf(found), labels);
  for (const unit of units.keys()) {
    await pause();
    checkCancelled(signal);
    await onPage?.(labelPage(pageOf(found, overview.heads[unit], unit), labels));
  }
  return overview;
}

/** About how many images an atlas looks at again. */
export const estimatedImages = (
  index: Pick<ShardedIndex, "images">,
  heads: number,
  most = MOST_MAPS,
): number => Math.min(index.images.length, most, GALLERY + heads * STEPS * 16);
