/** An atlas' overview and its pages, put together from what was found of every head. */
import type { Index } from "../../corpus/open-index.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import {
  ATLAS_METRICS,
  type AtlasEffect,
  type AtlasEntry,
  type AtlasFactor,
  type AtlasHeadResult,
  type AtlasPicture,
  type AtlasResult,
  type AtlasShown,
  atlasHeadResult,
  atlasResult,
} from "../../results/atlas.ts";
import type { Head } from "../../results/shapes.ts";
import type { Span } from "../../results/textspan.ts";
import type { Grouping } from "../selectivity/groupings.ts";
import { cumulative } from "../textspan/control.ts";
import type { Axis } from "./axes.ts";
import type { Maps } from "./maps.ts";
import { METRICS } from "./metrics.ts";
import type { nearestHeads } from "./nearest.ts";
import { STEPS } from "./options.ts";
import type { HeadPlaces } from "./places.ts";

/** What was found of every head; lists are [L·H]. */
export interface Found {
  readonly model: ClipModel;
  readonly index: Index;
  readonly origin: AtlasResult["origin"];
  readonly units: readonly Head[];
  readonly groupings: readonly Grouping[];
  /** Undefined where the model reads no texts. */
  readonly spans: readonly Span[] | undefined;
  readonly axes: readonly (readonly Axis[])[];
  readonly places: readonly HeadPlaces[];
  /** Undefined where nothing is known of the images. */
  readonly factors: readonly AtlasFactor[][] | undefined;
  readonly effects: readonly AtlasEffect[][];
  readonly near: Awaited<ReturnType<typeof nearestHeads>>;
  /** Undefined where none were asked for. */
  readonly maps: Maps | undefined;
}

/** Every head at a glance, without labels. */
export function overviewOf(found: Found): AtlasResult {
  const { model, index, origin, units, groupings, spans, places, factors, effects } = found;
  const { layers, heads: headsPerLayer } = model.geometry;
  const heads = units.map((head, unit): AtlasEntry => {
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
  return atlasResult(origin, {
    ...{ layers, headsPerLayer, images: index.images.length, steps: STEPS },
    rotations: spans?.[0]?.control?.rotated.draws ?? 0,
    factors: groupings.map(({ name, values, images }) => ({ name, values: values.length, images })),
    metrics: ATLAS_METRICS.map((key) => {
      const { absent, ...words } = METRICS[key];
      const known = heads.some(({ metrics }) => metrics[key] !== null);
      return { key, ...words, why: known ? null : absent };
    }),
    heads,
    pictures: picturesOf(
      index,
      heads.flatMap(({ groups }) => groups),
    ),
  });
}

/** The page of one head, without labels. */
export function pageOf(found: Found, entry: AtlasEntry, unit: number): AtlasHeadResult {
  const { model, index, origin, units, spans, axes, places, factors, effects, near, maps } = found;
  const { along, groups } = places[unit];
  const directions = axes[unit].map(({ v: _, ...axis }, a) => {
    const withMap = (shown: AtlasShown) => ({
      ...shown,
      map: maps?.map({ unit, axis: a, row: shown.row }) ?? null,
    });
    const { histogram, most, least, deciles, common } = along[a];
    return {
      ...{ ...axis, histogram, common, most: most.map(withMap), least: least.map(withMap) },
      deciles: deciles.map(({ images, ...range }) => ({ ...range, images: images.map(withMap) })),
    };
  });
  const shown = directions.flatMap(({ most, least, deciles }) => [
    ...most,
    ...least,
    ...deciles.flatMap(({ images }) => images),
  ]);
  const pictures = picturesOf(index, [
    ...shown.map(({ row }) => row),
    ...groups.flatMap(({ images }) => images),
  ]);
  return atlasHeadResult(origin, {
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
}

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
