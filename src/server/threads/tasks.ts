import type { PoolShares } from "../../analysis/atlas/knowing-heads.ts";
import type { AtlasLabels } from "../../analysis/atlas/labels.ts";
import { meanScores } from "../../analysis/explain/compared.ts";
import type { FromWeightsOptions } from "../../analysis/from-weights/from-weights.ts";
import { findNeighbors, type NeighborOptions, type Query } from "../../analysis/neighbors/neighbors.ts";
import { readsTexts } from "../../checkpoint/model-config.ts";
import { buildIndex } from "../../corpus/build.ts";
import { createHeadCache } from "../../corpus/head-cache.ts";
import { meanOfEachHead } from "../../corpus/means.ts";
import { readIndex, versionOf } from "../../corpus/open-index.ts";
import { openShards } from "../../corpus/open-shards.ts";
import { createSearch, type Search } from "../../corpus/search.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import type { Source } from "../../corpus/source.ts";
import { allHeads, type ComponentSet, type NamedSet } from "../../model/components.ts";
import type { ModelLoader } from "../../model/registry.ts";
import type { WorkOptions } from "../../support/progress.ts";
import { sharedCache } from "../../support/shared.ts";
import { defaultPool, loadPool } from "../../text/pool.ts";
import { DEMO, planCorpus, worldFolder, writeCorpus } from "../../world/corpus.ts";
import { checkPicture, drawPicture, type PictureFile, type Size } from "../pictures.ts";

/** An index and the model that made it, as tasks find them. */
export interface IndexPlace {
  /** What the loader finds the model by. */
  readonly model: string;
  readonly folder: string;
  /** What results call the index. */
  readonly name: string;
  /** Where its images lie, if not where it says. */
  readonly root?: string | undefined;
}

/** A generated corpus: so many scenes, in this program's cache. */
export interface WorldPlace {
  readonly images: number;
  /** `CLIP_INTERPRET_CACHE`, or what stands for it. */
  readonly cache: string;
}

/** Open searches, and bytes of blocks that each keeps. */
const MOST_SEARCHES = 4;
const SEARCH_BYTES = 2 ** 29;

/** Images in one run of the encoder: pages' pictures go in between. The numbers are the same in any batch. */
const BATCH = 2;

/** A shard can be searched as soon as it is finished: a sixteenth of the images, within what is quick to read and to hold. */
const shardSize = (images: number) => Math.min(8192, Math.max(128, Math.ceil(images / 16)));

/** The tasks of one thread. What few ask for is loaded when it is asked for: all of it makes the first answer wait. */
export function createTasks(models: ModelLoader) {
  const searches = sharedCache<Search<ShardedIndex>>(MOST_SEARCHES);
  const poolShares = sharedCache<PoolShares>(MOST_SEARCHES);
  const openIndex = async ({ folder, name, root }: IndexPlace) => ({
    ...(await openShards(folder, { root })),
    name,
  });
  /** Where every image is looked at. */
  const openWithRows = async ({ folder, name, root }: IndexPlace) => ({
    ...(await readIndex(folder, { root })),
    name,
  });
  const searchIn = async (index: IndexPlace) => {
    const model = await models.load(index.model);
    const version = await versionOf(index.folder);
    const search = await searches.get(JSON.stringify([index, version]), async () => {
      const opened = await openIndex(index);
      return createSearch(opened, model.geometry, model.matmul, createHeadCache(opened, SEARCH_BYTES));
    });
    return { model, search };
  };
  const planWorld = ({ images, cache }: WorldPlace) =>
    planCorpus({ ...DEMO, indices: Array.from({ length: images }, (_, i) => i) }).then((plan) => ({
      plan,
      folder: worldFolder(plan, { CLIP_INTERPRET_CACHE: cache }),
    }));
  return {
    /** Where a generated corpus lies, made or not. */
    findWorld: async (world: WorldPlace, _: WorkOptions) => (await planWorld(world)).folder,
    /** Draws it. */
    makeWorld: async (world: WorldPlace, work: WorkOptions) => {
      const { plan, folder } = await planWorld(world);
      await writeCorpus(folder, plan, work);
    },
    /** Indexes images, or brings their index up to date. */
    index: async (asked: { model: string; source: Source; folder: string }, work: WorkOptions) => {
      const model = await models.load(asked.model);
      const { source, folder } = asked;
      const how = { batch: BATCH, prune: true, shardSize: shardSize(source.images.length) };
      const { images } = await buildIndex(model, source, folder, { ...how, ...work });
      return images;
    },
    /** Measures what heads know, where it is not known yet. */
    insights: async (asked: IndexPlace & { cache: string }, work: WorkOptions) => {
      const { measureInsights } = await import("../insights.ts");
      const model = await models.load(asked.model);
      await measureInsights(model, await openWithRows(asked), asked.cache, work);
    },
    /** Makes the atlas of a model's heads, where it is not made yet. */
    atlas: async (asked: IndexPlace & { cache: string }, work: WorkOptions) => {
      const model = await models.load(asked.model);
      const index = await openWithRows(asked);
      const [{ servedAtlas }, { readInsights }] = await Promise.all([
        import("../atlas.ts"),
        import("../insights.ts"),
      ]);
      const insights = await readInsights(model, index, asked.cache);
      const atlas = await servedAtlas(model, index, asked.cache);
      await atlas.make(index, {
        ...{ batch: BATCH, ...work },
        ...(insights && { selectivity: insights.selectivity }),
      });
    },
    /** Compares the heads of two models over the images of both indexes, and draws the report. */
    compare: async (
      { sides, file }: { sides: readonly [IndexPlace, IndexPlace]; file: string },
      work: WorkOptions,
    ) => {
      const [
        { compareModels },
        { compareHtml },
        { imagesShown, THUMBNAIL },
        { thumbnailsOf },
        { writeReport },
      ] = await Promise.all([
        import("../../analysis/compare/compare.ts"),
        import("../../views/compare/page.ts"),
        import("../../views/compare/words.ts"),
        import("../../corpus/thumbnails.ts"),
        import("../write-report.ts"),
      ]);
      const [a, b] = await Promise.all(
        sides.map(async (place) => {
          const [model, index] = await Promise.all([models.load(place.model), openWithRows(place)]);
          return { model, index, components: { name: "all", set: allHeads(model.geometry) } };
        }),
      );
      const found = await compareModels(a, b, work);
      const pictureOf = await thumbnailsOf(a.index, imagesShown(found), THUMBNAIL, work.report ?? (() => {}));
      await writeReport(file, found, compareHtml(found, { pictureOf }));
    },
    /** Describes heads from their weights, with the pool that fits the model. */
    fromWeights: async (
      asked: { model: string; set: ComponentSet; index?: IndexPlace; options: FromWeightsOptions },
      { signal }: WorkOptions,
    ) => {
      const model = await models.load(asked.model);
      const index = asked.index && (await openIndex(asked.index));
      const pool = await loadPool(defaultPool(model.name));
      const work = { ...(signal && { signal }) };
      const { describeFromWeights } = await import("../../analysis/from-weights/from-weights.ts");
      return describeFromWeights(model, pool, { ...asked.options, set: asked.set, index, ...work });
    },
    /** Compares a fine-tune with its base, in texts where the fine-tune reads any. */
    fineTune: async (
      asked: { base: string; model: string; set: ComponentSet; directions: number },
      work: WorkOptions,
    ) => {
      const [base, tuned] = [await models.load(asked.base), await models.load(asked.model)];
      const pool = readsTexts(tuned.config.text) ? await loadPool(defaultPool(base.name)) : undefined;
      const { set, directions } = asked;
      const { compareFineTune } = await import("../../analysis/compare/fine-tune.ts");
      return compareFineTune(base, tuned, { set, pool, directions, ...work });
    },
    /** Finds the heads that know a text. */
    knowingHeads: async (
      asked: IndexPlace & { text: string; embedding: Float32Array; labels: AtlasLabels },
      { signal }: WorkOptions,
    ) => {
      const { text, embedding, labels } = asked;
      const work = { ...(signal && { signal }) };
      const [{ sharesOfPool }, { knowingHeads }] = await Promise.all([
        import("../../analysis/atlas/find-heads.ts"),
        import("../../analysis/atlas/knowing-heads.ts"),
      ]);
      const model = await models.load(asked.model);
      const index = await openIndex(asked);
      const pool = await loadPool(defaultPool(model.name));
      const version = await versionOf(asked.folder);
      const key = JSON.stringify([asked.model, asked.folder, version]);
      const shares = await poolShares.get(key, () => sharesOfPool(model, index, pool));
      return knowingHeads(model, index, { text, embedding, shares, pool, labels }, work);
    },
    checkPicture: (file: PictureFile, _: WorkOptions) => checkPicture(file),
    drawPicture: (asked: PictureFile & { size: Size }, _: WorkOptions) => drawPicture(asked),
    /** Searches an index. */
    neighbors: async (
      asked: { index: IndexPlace; query: Query; set: NamedSet; options: NeighborOptions },
      _: WorkOptions,
    ) => {
      const { index, query, set, options } = asked;
      const { model, search } = await searchIn(index);
      return findNeighbors(model, search, query, set, options);
    },
    /** What each head wrote on average over an index: [L·H, D]. */
    means: async (index: IndexPlace, _: WorkOptions) => {
      const { model, search } = await searchIn(index);
      return meanOfEachHead(search.index, model.geometry);
    },
    /** The mean over an index of its images' scores for some probes. */
    meanScores: async (asked: { index: IndexPlace; probes: readonly Float64Array[] }, _: WorkOptions) => {
      const { model, search } = await searchIn(asked.index);
      return meanScores(search, model, asked.probes);
    },
  };
}
