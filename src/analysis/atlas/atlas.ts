/**
 * The atlas of a model's heads over the images of an index: every head at a glance, and a page for each. It composes what
 * other analyses find, and adds images: in their order along the directions that a head writes, and parted into groups
 * that it sees alike.
 *
 * The folder: `axes.ts` images along a direction; `groups.ts` groups of images; `maps.ts` where heads write in them;
 * `effects.ts` what a head is worth to classification; `metrics.ts` and `labels.ts` the words; `find-heads.ts` which heads
 * know a text; `kept.ts` an atlas on disk.
 */
import { readsTexts } from "../../checkpoint/model-config.ts";
import { requireImages } from "../../corpus/few-images.ts";
import { createHeadCache } from "../../corpus/head-cache.ts";
import type { Index } from "../../corpus/open-index.ts";
import type { ShardedIndex } from "../../corpus/open-shards.ts";
import { createSearch } from "../../corpus/search.ts";
import { dot, multiply } from "../../math/linear.ts";
import { Random } from "../../math/random.ts";
import { isAboveChance } from "../../math/tails.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { allHeads } from "../../model/components.ts";
import { coordinateCount, headMatrix } from "../../model/head-space.ts";
import { embedTexts } from "../../model/text-cache.ts";
import { createAlgebra, type DenseMatrix } from "../../onnx/algebra.ts";
import {
  ATLAS_METRICS,
  type AtlasEffect,
  type AtlasEntry,
  type AtlasFactor,
  type AtlasGroup,
  type AtlasHeadResult,
  type AtlasNearest,
  type AtlasPicture,
  type AtlasResult,
  type AtlasShown,
  atlasHeadResult,
  atlasResult,
} from "../../results/atlas.ts";
import { originOf } from "../../results/origin.ts";
import type { SelectivityResult } from "../../results/selectivity.ts";
import { type Head, headOf } from "../../results/shapes.ts";
import type { Description, Span } from "../../results/textspan.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, pause, type WorkOptions } from "../../support/progress.ts";
import type { TextPool } from "../../text/pool.ts";
import { expectedByChance, similarities } from "../compare/cka.ts";
import { drawn, responses, sharedImages } from "../compare/compare.ts";
import { findGroupings, type Grouping } from "../selectivity/groupings.ts";
import { explainWithSigns } from "../selectivity/selectivity.ts";
import { eachHead } from "../textspan/contributions.ts";
import { cumulative } from "../textspan/control.ts";
import { describeHeads } from "../textspan/describe-heads.ts";
import { principalDirections, type RowSpace, rowSpace } from "../textspan/row-space.ts";
import { thin } from "../zero-shot/problem.ts";
import { type Axis, drawFrom, type Placed, placeImages } from "./axes.ts";
import { factorsWithTexts, measureEffects } from "./effects.ts";
import { groupImages } from "./groups.ts";
import { type AtlasLabels, labelAtlas, labelPage } from "./labels.ts";
import { type Maps, makeMaps, type WantedMap } from "./maps.ts";
import { METRICS } from "./metrics.ts";

/** Another model with an index of some of the same images. */
export interface OtherSide {
  readonly model: ClipModel;
  readonly index: Index;
  readonly labels?: AtlasLabels;
}

/** How an atlas is made. */
export interface AtlasOptions extends WorkOptions {
  /** Texts that heads are described by; needed where the model reads texts. */
  readonly pool?: TextPool;
  /** Random rotations for the control of the texts. Default: 100. */
  readonly rotations?: number;
  /** Images that are decomposed for maps, at most; 0: no maps. Default: 2000. */
  readonly maps?: number;
  /** What heads are called. */
  readonly labels?: AtlasLabels;
  /** Models whose nearest heads are shown too. */
  readonly others?: readonly OtherSide[];
  /** What factors explain, where it is measured already. */
  readonly selectivity?: Pick<SelectivityResult, "factors" | "heads">;
  /** A file in which the work is kept until it is done, so that it goes on when it was stopped. */
  readonly journal?: string;
  /** Where embeddings of texts are kept. */
  readonly cacheFolder?: string;
  /** Images in one run of the encoder. */
  readonly batch?: number;
  readonly threads?: number;
  readonly seed?: number;
  /** Takes each head's page as it is made, layer by layer. */
  readonly onPage?: (page: AtlasHeadResult) => Promise<void> | void;
}

/** Texts that the metrics are about, and that pages have a direction for. */
const STEPS = 5;
/** Texts a page lists. */
const LISTED = 10;
/** Principal directions that groups are found along. */
const COMPONENTS = 10;
/** Images that pages draw from, evenly of all. */
const MOST_IMAGES = 20_000;
/** Images that the mean look is over, and that tenths are drawn from where they have enough of them. */
const GALLERY = 200;
/** Images that heads are compared over. */
const COMPARED = 500;
const NEAREST = 5;
/** Permutations of the factors: enough to say what a head follows. */
const PERMUTATIONS = 5;
const MOST_FACTORS_IN_MEMORY = 64;

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
 * const { heads } = await makeAtlas(model, index, { pool, rotations: 20, maps: 0 });
 * const [most] = heads.sort((a, b) => (b.metrics.selectivity ?? 0) - (a.metrics.selectivity ?? 0));
 * console.log(most.name, most.strongest?.factor); // → L0.H1 background
 * ```
 */
export async function makeAtlas(
  model: ClipModel,
  index: Index,
  options: AtlasOptions = {},
): Promise<AtlasResult> {
  const { pool, labels = {}, seed = 0, signal, onPage, report } = options;
  const { geometry } = model;
  const { layers, heads: headsPerLayer } = geometry;
  // Where texts are chosen, TEXTSPAN warns of few.
  requireImages(index, 2, pool ? undefined : report);
  const units = Array.from({ length: layers * headsPerLayer }, (_, unit) =>
    headOf(Math.floor(unit / headsPerLayer), unit % headsPerLayer),
  );
  const origin = await originOf({ model, index, ...(pool && readsTexts(model.config.text) && { pool }) });
  const { spans, axes, components } = await describeAll(model, index, options);
  const groupings = findGroupings(index).slice(0, MOST_FACTORS_IN_MEMORY);
  const factors = await factorsOf(model, index, groupings, options);
  const effects = await effectsOf(model, index, groupings, options);
  const near = await nearestHeads(model, index, units, options);

  const rows = thin([...index.images.keys()], MOST_IMAGES);
  const gallery = drawFrom(rows, GALLERY, new Random(seed, -1)).sort((a, b) => a - b);
  const preferred = new Set(gallery);
  const search = createSearch(index, geometry, model.matmul, createHeadCache(index, 0));
  const task = "ordering images";
  report?.({ type: "start", task, unit: "head", total: units.length });
  const places: HeadPlaces[] = [];
  for (const [unit, { layer, head }] of units.entries()) {
    checkCancelled(signal);
    const scores = await scoresAlong(search, geometry, { layer, head }, rows, [
      ...axes[unit].map(({ v }) => v),
      ...components[unit],
    ]);
    await pause();
    const lengths = await search.lengths({ heads: [{ layer, head, weight: 1 }], mlps: [] });
    places.push({
      norm: lengths.reduce((sum, length) => sum + length, 0) / lengths.length,
      along: axes[unit].map((_, axis) =>
        placeImages(scores[axis], rows, preferred, new Random(seed, unit * STEPS + axis)),
      ),
      groups: await groupImages(
        pointsOf(scores.slice(axes[unit].length)),
        components[unit].length,
        rows,
        groupings,
        { seed },
      ),
    });
    report?.({ type: "advance", task, done: unit + 1, total: units.length });
  }
  report?.({ type: "end", task, done: units.length });

  const maps = await mapsOf(model, index, axes, places, gallery, options);
  const entries = units.map((head, unit): AtlasEntry => {
    const { norm, groups } = places[unit];
    return {
      ...head,
      label: null,
      metrics: metricsOf(spans?.[unit], norm, factors?.[unit], effects[unit]),
      strongest: factors?.[unit][0] ?? null,
      texts: (spans?.[unit].descriptions ?? []).slice(0, STEPS).map(({ text }) => text),
      groups: groups.map(({ images }) => images[0]),
    };
  });
  const overview = labelAtlas(
    atlasResult(origin, {
      ...{ layers, headsPerLayer, images: index.images.length, steps: STEPS },
      rotations: spans?.[0]?.control?.rotated.draws ?? 0,
      factors: groupings.map(({ name, values, images }) => ({ name, values: values.length, images })),
      metrics: ATLAS_METRICS.map((key) => {
        const { absent, ...words } = METRICS[key];
        const known = entries.some(({ metrics }) => metrics[key] !== null);
        return { key, ...words, why: known ? null : absent };
      }),
      heads: entries,
      pictures: picturesOf(
        index,
        entries.flatMap(({ groups }) => groups),
      ),
    }),
    labels,
  );
  for (const [unit, entry] of entries.entries()) {
    await pause();
    checkCancelled(signal);
    const { along, groups } = places[unit];
    const withMap = (axis: number) => (shown: AtlasShown) => ({
      ...shown,
      map: maps?.map({ unit, axis, row: shown.row }) ?? null,
    });
    const directions = axes[unit].map(({ v: _, ...axis }, a) => ({
      ...axis,
      histogram: along[a].histogram,
      most: along[a].most.map(withMap(a)),
      least: along[a].least.map(withMap(a)),
      deciles: along[a].deciles.map(({ images, ...range }) => ({ ...range, images: images.map(withMap(a)) })),
    }));
    const shown = directions.flatMap(({ most, least, deciles }) => [
      ...most,
      ...least,
      ...deciles.flatMap(({ images }) => images),
    ]);
    const pictures = picturesOf(index, [
      ...shown.map(({ row }) => row),
      ...groups.flatMap(({ images }) => images),
    ]);
    const page = atlasHeadResult(origin, {
      ...{ images: index.images.length, entry, directions },
      groups: [...groups],
      previous: units[unit - 1] ?? null,
      next: units[unit + 1] ?? null,
      texts: textsOf(spans?.[unit]),
      control: controlOf(spans?.[unit]),
      grid: { rows: model.config.vision.grid, columns: model.config.vision.grid },
      mapLimit: limitOf(shown),
      look: maps?.look(unit) ?? null,
      factors: factors?.[unit] ?? [],
      effects: effects[unit],
      nearest: near.own[unit],
      elsewhere: near.others.map(({ heads, ...about }) => ({ ...about, heads: heads[unit] })),
      pictures: pictures.map((picture) => ({ ...picture, covered: maps?.covered(picture.row) ?? null })),
      withoutMaps: new Set(shown.filter(({ map }) => map === null).map(({ row }) => row)).size,
    });
    await onPage?.(labelPage(page, labels));
  }
  return overview;
}

/** Images of one head in their order. */
interface HeadPlaces {
  readonly norm: number;
  readonly along: readonly Placed[];
  readonly groups: readonly AtlasGroup[];
}

/** Texts of every head, the directions they stand for, and principal directions. */
interface Described {
  /** Undefined where the model reads no texts. */
  readonly spans: readonly Span[] | undefined;
  readonly axes: readonly (readonly Axis[])[];
  /** [L·H][components]: [D]. */
  readonly components: readonly (readonly Float64Array[])[];
}

async function describeAll(
  model: ClipModel,
  index: Index,
  { pool, rotations, cacheFolder, threads = 0, seed = 0, report, signal }: AtlasOptions,
): Promise<Described> {
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const algebra = await createAlgebra({ threads });
  try {
    const chosen: DenseMatrix[] = [];
    const principal: { readonly directions: DenseMatrix; readonly shares: number[] }[] = [];
    const keep = async (space: RowSpace) => {
      const { directions, variances } = await principalDirections(algebra, space, COMPONENTS);
      const shares = variances.map((value) => (space.totalVariance > 0 ? value / space.totalVariance : 0));
      principal.push({ directions, shares });
    };
    const components = () => principal.map(({ directions }) => rowsOf(directions));
    if (!readsTexts(model.config.text)) {
      const search = createSearch(index, model.geometry, model.matmul);
      const contributionsOf = await eachHead(search, model, algebra);
      for (const head of allHeads(model.geometry).heads) {
        checkCancelled(signal);
        const contributions = contributionsOf(head);
        await keep(await rowSpace(algebra, await contributions.moments(work), contributions.matrix));
      }
      const axes = principal.map(({ directions, shares }) =>
        rowsOf(directions)
          .slice(0, STEPS)
          .map(
            (v, i): Axis => ({
              ...{ kind: "component", name: `principal direction ${i + 1}`, property: null, v },
              explained: shares[i],
            }),
          ),
      );
      return { spans: undefined, axes, components: components() };
    }
    if (!pool) throw new ClipInterpretError("TEXTS_EMPTY", "an atlas needs a pool of texts");
    const { heads } = await describeHeads(model, index, allHeads(model.geometry), pool, {
      ...{ iterations: LISTED, threads, seed, ...work },
      ...(rotations !== undefined && { rotations }),
      ...(cacheFolder !== undefined && { cacheFolder }),
      async onSpan(space, { directions }) {
        const rows = Math.min(STEPS, directions.rows);
        const first = { ...directions, rows, data: directions.data.subarray(0, rows * directions.columns) };
        chosen.push(
          rows > 0
            ? await algebra.product({ ...first, data: first.data.slice() }, space.basis)
            : { data: new Float64Array(), rows: 0, columns: space.basis.columns },
        );
        await keep(space);
      },
    });
    const axes = heads.map(({ descriptions }, unit) =>
      rowsOf(chosen[unit]).map((v, i): Axis => axisOf(descriptions[i], v)),
    );
    return { spans: heads, axes, components: components() };
  } finally {
    await algebra.release();
  }
}

const axisOf = ({ text, property, explainedVariance }: Description, v: Float64Array): Axis => ({
  ...{ kind: "text", name: text, property, explained: explainedVariance, v },
});

const rowsOf = ({ data, rows, columns }: DenseMatrix): Float64Array[] =>
  Array.from({ length: rows }, (_, row) => data.slice(row * columns, (row + 1) * columns));

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

/** [L·H][factors], strongest first; undefined where nothing is known of the images. */
async function factorsOf(
  model: ClipModel,
  index: Index,
  groupings: readonly Grouping[],
  { selectivity, report, signal }: AtlasOptions,
): Promise<AtlasFactor[][] | undefined> {
  if (groupings.length === 0) return undefined;
  const work = { ...(report && { report }), ...(signal && { signal }) };
  const { factors, heads } =
    selectivity ?? (await explainWithSigns(model, index, { groupings, permutations: PERMUTATIONS, ...work }));
  return heads.map(({ factors: of }) =>
    factors
      .map(({ name }, f): AtlasFactor => {
        const { share, sign, margin } = of[f];
        return { factor: name, share, beyondChance: isAboveChance(of[f]), sign, margin };
      })
      .sort((a, b) => b.share - a.share),
  );
}

async function effectsOf(
  model: ClipModel,
  index: Index,
  groupings: readonly Grouping[],
  { cacheFolder, report, signal }: AtlasOptions,
): Promise<AtlasEffect[][]> {
  const none = Array.from({ length: model.geometry.layers * model.geometry.heads }, () => []);
  if (!readsTexts(model.config.text)) return none;
  const work = { ...(report && { report }), ...(signal && { signal }) };
  return measureEffects(model, index, factorsWithTexts(index, groupings), {
    ...work,
    embed: (texts) =>
      embedTexts(model, texts, { ...work, ...(cacheFolder !== undefined && { cacheFolder }) }),
  });
}

/** The heads that tell the same images apart, in this model and in others, for every head. */
async function nearestHeads(
  model: ClipModel,
  index: Index,
  units: readonly Head[],
  { others = [], seed = 0, signal }: AtlasOptions,
) {
  const sideOf = (side: Pick<OtherSide, "model" | "index">) => {
    const set = allHeads(side.model.geometry);
    return { model: side.model, index: side.index, components: { name: "all", set } };
  };
  const { matmul } = model;
  const own = await responses(
    matmul,
    sideOf({ model, index }),
    drawn([...index.images.keys()], COMPARED, seed),
  );
  checkCancelled(signal);
  const among = async (
    similarity: Float64Array,
    chance: Float64Array,
    heads: readonly Head[],
    labels: AtlasLabels = {},
  ) =>
    units.map(({ name }, unit): AtlasNearest[] => {
      const at = unit * heads.length;
      return [...heads.keys()]
        .filter((i) => heads !== units || heads[i].name !== name)
        .sort((a, b) => similarity[at + b] - similarity[at + a] || a - b)
        .slice(0, NEAREST)
        .map((i) => ({
          ...heads[i],
          label: labels[heads[i].name]?.label ?? null,
          similarity: similarity[at + i],
          chance: chance[at + i],
        }));
    });
  const found = await among(await similarities(matmul, own, own), expectedByChance(own, own), units);
  const elsewhere: { model: string; index: string; images: number; heads: AtlasNearest[][] }[] = [];
  for (const other of others) {
    checkCancelled(signal);
    const pairs = drawn(sharedImages(index, other.index).rows, COMPARED, seed);
    const here = await responses(
      matmul,
      sideOf({ model, index }),
      pairs.map(([row]) => row),
    );
    const there = await responses(
      matmul,
      sideOf(other),
      pairs.map(([, row]) => row),
    );
    const names = allHeads(other.model.geometry).heads.map(({ layer, head }) => headOf(layer, head));
    elsewhere.push({
      ...{ model: other.model.name, index: other.index.name ?? other.index.folder, images: pairs.length },
      heads: await among(
        await similarities(matmul, here, there),
        expectedByChance(here, there),
        names,
        other.labels,
      ),
    });
  }
  return { own: found, others: elsewhere };
}

/** Maps that pages want, the most wanted first: of every head's first direction, then of its second, and so on. */
function wantedMaps(places: readonly HeadPlaces[]): WantedMap[] {
  return Array.from({ length: STEPS }, (_, axis) =>
    places.flatMap(({ along }, unit) => {
      const placed = along[axis];
      if (!placed) return [];
      const shown = [...placed.most, ...placed.deciles.flatMap(({ images }) => images), ...placed.least];
      return [...new Set(shown.map(({ row }) => row))].map((row) => ({ unit, axis, row }));
    }),
  ).flat();
}

function mapsOf(
  model: ClipModel,
  index: Index,
  axes: readonly (readonly Axis[])[],
  places: readonly HeadPlaces[],
  gallery: readonly number[],
  { maps: most = 2000, journal, batch, report, signal }: AtlasOptions,
): Promise<Maps | undefined> {
  if (most === 0) return Promise.resolve(undefined);
  return makeMaps(model, index, axes, wantedMaps(places), {
    ...{ most, gallery },
    ...(journal !== undefined && { journal }),
    ...(batch !== undefined && { batch }),
    ...(report && { report }),
    ...(signal && { signal }),
  });
}

/** About how many images an atlas looks at again. */
export const estimatedImages = (index: Pick<ShardedIndex, "images">, heads: number, most = 2000): number =>
  Math.min(index.images.length, most, GALLERY + heads * STEPS * 16);

function metricsOf(
  span: Span | undefined,
  norm: number,
  factors: readonly AtlasFactor[] | undefined,
  effects: readonly AtlasEffect[],
): AtlasEntry["metrics"] {
  const explained = cumulative((span?.explainedVariance ?? []).slice(0, STEPS)).at(-1);
  const at = (values: readonly number[] | undefined) =>
    values === undefined ? null : (values.slice(0, STEPS).at(-1) ?? null);
  const control = span?.control;
  const strongest = factors?.[0];
  const most = (values: readonly number[]) =>
    values.length === 0 ? null : values.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  return {
    selectivity: strongest?.share ?? null,
    sign: strongest?.sign ? strongest.sign * strongest.share : null,
    explained: explained ?? null,
    control: at(control?.rotated.mean),
    p: at(control?.p),
    norm,
    directEffect: most(effects.map(({ direct }) => direct)),
    ablationEffect: most(effects.map(({ whole, without }) => without - whole)),
    ccs: null,
  };
}

const textsOf = (span: Span | undefined): AtlasHeadResult["texts"] =>
  (span?.descriptions ?? []).map(({ index, text, property, explainedVariance: explained }) => ({
    ...{ index, text, property, explained },
  }));

function controlOf(span: Span | undefined): AtlasHeadResult["control"] {
  if (!span?.control) return null;
  const { rotated, gaussian, ceiling, p } = span.control;
  const { draws: rotations, mean, low, high } = rotated;
  return { rotations, mean, low, high, gaussian: gaussian.mean, ceiling, p };
}

/** The 99th percentile of how far the values of some maps are from 0. */
function limitOf(shown: readonly AtlasShown[]): number {
  const values = shown.flatMap(({ map }) => map ?? []).map(Math.abs);
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(0.99 * values.length))] ?? 0;
}

/** Images of some rows, each once, in the order of the index. */
function picturesOf({ images }: Pick<Index, "images">, rows: readonly number[]): AtlasPicture[] {
  return [...new Set(rows)]
    .sort((a, b) => a - b)
    .map((row) => {
      const { path, id, label, factors } = images[row];
      return { row, path, id, label, factors };
    });
}
