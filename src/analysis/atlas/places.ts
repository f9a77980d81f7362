/** Every head's images: in their order along its axes, and parted into groups that it sees alike. */
import { createHeadCache } from "../../corpus/head-cache.ts";
import type { Index } from "../../corpus/open-index.ts";
import { createSearch } from "../../corpus/search.ts";
import { dot, multiply } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import { thin } from "../../math/thin.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { coordinateCount, headMatrix } from "../../model/head-space.ts";
import type { AtlasDirection, AtlasGroup } from "../../results/atlas.ts";
import type { Head } from "../../results/shapes.ts";
import { checkCancelled, pause } from "../../support/progress.ts";
import { commonValues } from "../selectivity/common.ts";
import type { Grouping } from "../selectivity/groupings.ts";
import { drawFrom, type Placed, placeImages } from "./axes.ts";
import type { Described } from "./describe.ts";
import { groupImages } from "./groups.ts";
import type { WantedMap } from "./maps.ts";
import { type AtlasOptions, STEPS } from "./options.ts";

/** Images that pages draw from, evenly of all. */
const MOST_IMAGES = 20_000;
/** Images that the mean look is over, and that tenths are drawn from where they have enough of them. */
export const GALLERY = 200;

/** Images of one head. */
export interface HeadPlaces {
  readonly norm: number;
  /** Along each of its axes. */
  readonly along: readonly (Omit<Placed, "ends"> & Pick<AtlasDirection, "common">)[];
  readonly groups: readonly AtlasGroup[];
}

/** Rows that the mean look is taken over, in their order. */
export const galleryOf = (index: Pick<Index, "images">, seed: number): number[] =>
  drawFrom(shownRows(index), GALLERY, new Random(seed, -1)).sort((a, b) => a - b);

const shownRows = ({ images }: Pick<Index, "images">) => thin([...images.keys()], MOST_IMAGES);

/**
 * Places the images of every head: [L·H].
 * @param gallery rows that are preferred for tenths
 * @throws `CANCELLED`
 */
export async function placeHeads(
  { geometry, matmul }: ClipModel,
  index: Index,
  units: readonly Head[],
  { axes, components }: Pick<Described, "axes" | "components">,
  groupings: readonly Grouping[],
  gallery: readonly number[],
  { seed = 0, signal, report }: AtlasOptions,
): Promise<HeadPlaces[]> {
  const rows = shownRows(index);
  const preferred = new Set(gallery);
  const common = commonValues(rows, groupings);
  const search = createSearch(index, geometry, matmul, createHeadCache(index, 0));
  const places: HeadPlaces[] = [];
  const task = "ordering images";
  report?.({ type: "start", task, unit: "head", total: units.length });
  for (const [unit, { layer, head }] of units.entries()) {
    checkCancelled(signal);
    const scores = await scoresAlong(search, geometry, { layer, head }, rows, [
      ...axes[unit].map(({ v }) => v),
      ...components[unit],
    ]);
    await pause();
    const lengths = await search.lengths({ heads: [{ layer, head, weight: 1 }], mlps: [] });
    const along = axes[unit].map((_, axis) =>
      placeImages(scores[axis], rows, preferred, new Random(seed, unit * STEPS + axis)),
    );
    const points = pointsOf(scores.slice(axes[unit].length));
    const groups = await groupImages(points, components[unit].length, rows, { seed });
    // All that a page says of its sets of images is tested together.
    const said = common([
      ...groups.map(({ members }) => members),
      ...along.flatMap(({ ends }) => [ends.least, ends.most]),
    ]);
    places.push({
      norm: lengths.reduce((sum, length) => sum + length, 0) / lengths.length,
      groups: groups.map(({ members, images }, g) => ({ size: members.length, images, common: said[g] })),
      along: along.map(({ ends: _, ...placed }, axis) => {
        const at = groups.length + 2 * axis;
        return { ...placed, common: { least: said[at], most: said[at + 1] } };
      }),
    });
    report?.({ type: "advance", task, done: unit + 1, total: units.length });
  }
  report?.({ type: "end", task, done: units.length });
  return places;
}

/** [directions][rows]: what a head wrote into images along some directions. */
async function scoresAlong(
  search: { readonly index: Index },
  geometry: ClipModel["geometry"],
  { layer, head }: Omit<Head, "name">,
  rows: readonly number[],
  directions: readonly Float64Array[],
): Promise<Float64Array[]> {
  const width = coordinateCount(geometry);
  const block = await createHeadCache(search.index, 0).block(layer, head);
  const matrix = headMatrix(geometry, layer, head);
  return directions.map((v) => {
    const q = multiply(matrix, v);
    return Float64Array.from(rows, (row) => dot(block, q, row * width));
  });
}

/** [n, k] of k columns. */
function pointsOf(columns: readonly Float64Array[]): Float32Array {
  const k = columns.length;
  const points = new Float32Array(k * (columns[0]?.length ?? 0));
  for (const [d, column] of columns.entries()) {
    for (let i = 0; i < column.length; i++) points[i * k + d] = column[i];
  }
  return points;
}

/** Maps that pages want, the most wanted first: of every head's first direction, then of its second, and so on. */
export function wantedMaps(places: readonly HeadPlaces[]): WantedMap[] {
  return Array.from({ length: STEPS }, (_, axis) =>
    places.flatMap(({ along }, unit) => {
      const placed = along[axis];
      if (!placed) return [];
      const shown = [...placed.most, ...placed.deciles.flatMap(({ images }) => images), ...placed.least];
      return [...new Set(shown.map(({ row }) => row))].map((row) => ({ unit, axis, row }));
    }),
  ).flat();
}
