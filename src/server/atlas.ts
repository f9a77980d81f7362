/** The atlas as the server has it: where it is kept, what it would take, and what heads are called. */
import { join } from "node:path";
import { estimatedImages } from "../analysis/atlas/atlas.ts";
import { type KeptAtlas, keptAtlas } from "../analysis/atlas/kept.ts";
import { type AtlasLabels, loadAtlasLabels } from "../analysis/atlas/labels.ts";
import { readsTexts } from "../checkpoint/model-config.ts";
import type { ShardedIndex } from "../corpus/sharded-index.ts";
import { type HeadLabel, readLabels, writeLabels } from "../labels/labels-file.ts";
import { loadProperties, type Properties } from "../labels/properties.ts";
import type { ClipModel } from "../model/clip-model.ts";
import type { AtlasLabel } from "../results/atlas.ts";
import { isFile } from "../support/files.ts";
import { defaultPool, loadPool } from "../text/pool.ts";
import { fitsModel } from "./insights.ts";

/** The atlas of a model over an index, with the pool that fits the model. @param cache of the server */
export async function servedAtlas(model: ClipModel, index: ShardedIndex, cache: string): Promise<KeptAtlas> {
  const pool = readsTexts(model.config.text) ? await loadPool(defaultPool(model.name)) : undefined;
  return keptAtlas(join(cache, "atlas"), model, index, pool ? { pool } : {});
}

/** What making an atlas takes. */
export interface AtlasEstimate {
  readonly seconds: number;
  /** Images that are looked at again. */
  readonly images: number;
}

/** Seconds a head: choosing, rotating and ordering, for each thousand images and texts. */
const HEAD_SECONDS = 0.5;

/** About what an atlas takes, by the time that one image takes now. */
export async function estimateAtlas(model: ClipModel, index: ShardedIndex): Promise<AtlasEstimate> {
  const { layers, heads, headDim } = model.geometry;
  const images = estimatedImages(index, layers * heads);
  const each =
    HEAD_SECONDS * Math.max(0.25, headDim / 32) * (1 + Math.min(index.images.length, 20_000) / 2000);
  return {
    images,
    seconds: Math.ceil(images * (await secondsAnImage(model)) + layers * heads * each),
  };
}

const measured = new WeakMap<ClipModel, Promise<number>>();

/** Measured once a model; the first run makes its graph ready. */
export function secondsAnImage(model: ClipModel): Promise<number> {
  const known = measured.get(model);
  if (known) return known;
  const pending = (async () => {
    const { imageSize, layers } = model.config.vision;
    const pixels = new Float32Array(3 * imageSize ** 2);
    const tokenLayers = Array.from({ length: layers }, (_, layer) => layer);
    await model.decompose(pixels, { tokenLayers });
    const before = performance.now();
    await model.decompose(pixels, { tokenLayers });
    return (performance.now() - before) / 1000;
  })();
  measured.set(model, pending);
  pending.catch(() => measured.delete(model));
  return pending;
}

/** What heads are called: by hand in the app, by a file that was given, or as it was published. */
export interface ServedLabels {
  /** Heads by what they were called by hand, as properties are named. */
  byHand(model: ClipModel): Promise<Properties>;
  /** Grows with every label that is given or taken away. */
  readonly changes: number;
  of(model: ClipModel): Promise<AtlasLabels>;
  /**
   * Calls a head something, or, by an empty label, nothing of one's own any more.
   * @returns what it is called now
   */
  set(model: ClipModel, head: string, label: string, by: string): Promise<AtlasLabel | null>;
}

/** @param cache of the server, @param file of labels that was given */
export function createLabels(cache: string, file: string | undefined): ServedLabels {
  const ownFile = async (model: ClipModel) =>
    join(cache, "labels", `${(await model.weightsHash()).slice(0, 24)}.json`);
  /** Two who write at a time take turns. */
  let turn: Promise<unknown> = Promise.resolve();
  let changes = 0;
  const labels: ServedLabels = {
    get changes() {
      return changes;
    },
    async byHand(model) {
      const own = await ownFile(model);
      return (await isFile(own)) ? loadProperties(model, own) : {};
    },
    async of(model) {
      const own = await ownFile(model);
      const fits = file !== undefined && (await fitsModel(model, file));
      return {
        ...(await loadAtlasLabels(model, fits ? file : undefined)),
        ...((await isFile(own)) && (await loadAtlasLabels(model, own))),
      };
    },
    set(model, head, label, by) {
      const write = async () => {
        const path = await ownFile(model);
        const known = (await isFile(path)) ? (await readLabels(path, model.name)).heads : {};
        const { [head]: _, ...others } = known;
        const heads = label === "" ? others : { ...others, [head]: byHand(label, by) };
        await writeLabels(path, { model: model.name, source: "labels given in the app", heads });
        changes++;
        return (await labels.of(model))[head] ?? null;
      };
      const pending = turn.then(write);
      turn = pending.catch(() => {});
      return pending;
    },
  };
  return labels;
}

const byHand = (label: string, by: string): HeadLabel => ({
  ...{ label, descriptions: [], tags: [], explainedVariance: [], consistent: [], judge: null },
  labeller: {
    kind: "manual",
    by: by || "somebody in the app",
    ...{ model: null, promptHash: null, date: new Date().toISOString() },
  },
});
