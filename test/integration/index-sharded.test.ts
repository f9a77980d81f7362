import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { findNeighbors } from "../../src/analysis/neighbors/neighbors.ts";
import { measureSelectivity } from "../../src/analysis/selectivity/selectivity.ts";
import { findSimilarHeads } from "../../src/analysis/similar/similar.ts";
import { buildIndex } from "../../src/corpus/build.ts";
import { hashIndex } from "../../src/corpus/hash-index.ts";
import { createHeadCache } from "../../src/corpus/head-cache.ts";
import { type Index, readIndex } from "../../src/corpus/open-index.ts";
import { openShards } from "../../src/corpus/open-shards.ts";
import { createSearch } from "../../src/corpus/search.ts";
import type { ShardedIndex } from "../../src/corpus/sharded-index.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { openWebIndex } from "../../src/corpus/web-index.ts";
import { type ClipModel, openModel } from "../../src/index.ts";
import { parseComponents } from "../../src/model/components.ts";
import { webBytes } from "../../src/support/web-bytes.ts";
import { planCorpus, writeCorpus } from "../../src/world/corpus.ts";
import { startStaticServer } from "../support/static-server.ts";

/* An index whose rows stay on disk answers as one whose rows are in memory. */

const IMAGES = 40;
let scratch: string;
let model: ClipModel;
let index: Index;
let sharded: ShardedIndex;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "index-sharded-"));
  model = await openModel("emoji-4x128-p8");
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  await writeCorpus(join(scratch, "scenes"), await planCorpus({ split: "demo", size: 64, indices }));
  await buildIndex(model, await scanSource(join(scratch, "scenes")), join(scratch, "index"), {
    shardSize: 16,
  });
  index = await readIndex(join(scratch, "index"));
  sharded = await openShards(join(scratch, "index"));
});
afterAll(async () => {
  await model.release();
  await rm(scratch, { recursive: true, force: true });
});

describe("an index whose rows stay on disk", () => {
  it("has the same rows, in any order asked for, and the same hash", async () => {
    expect(sharded.images.length).toBe(IMAGES);
    const asked = [39, 0, 16, 15, 31, 32, 0];
    expect(await sharded.rows(asked)).toEqual(asked.map((row) => index.images[row]));
    const all = [];
    for await (const rows of sharded.eachShardRows()) all.push(...rows);
    expect(all).toEqual(index.images);
    expect(await sharded.hash()).toBe(hashIndex(index));
  });

  it("finds images by id and by the hash of their file", async () => {
    const { id, sha256 } = index.images[33];
    expect(await sharded.find("id", id)).toEqual([33]);
    expect(await sharded.find("sha256", sha256)).toEqual([33]);
    // The same beginning is not enough.
    expect(await sharded.find("sha256", `${sha256.slice(0, 16)}${"0".repeat(48)}`)).toEqual([]);
    expect(await sharded.find("id", "no such id")).toEqual([]);
  });

  it.each(["L2.H1", "last2", "all,mlps"])(
    "is searched with the same result through %s, block by block",
    async (name) => {
      const set = { name, set: parseComponents(name, model.geometry) };
      const image = join(scratch, "scenes", index.images[7].path);
      for (const query of [{ text: "a red circle" }, { image }]) {
        const inMemory = createSearch(index, model.geometry, model.matmul);
        // Nothing fits into this budget: every block is read anew.
        const streamed = createSearch(sharded, model.geometry, model.matmul, createHeadCache(sharded, 1));
        const [wanted, found] = [
          await findNeighbors(model, inMemory, query, set, { k: 3 }),
          await findNeighbors(model, streamed, query, set, { k: 3 }),
        ];
        expect(found).toEqual(wanted);
        expect(found.excluded).toBe("image" in query ? 1 : 0);
        // What is shown is summed apart from what is searched.
        expect(found.neighbors[0].score).toBeCloseTo(found.distribution.most, 5);
        expect(found.least[0].score).toBeCloseTo(found.distribution.least, 5);
      }
    },
  );

  it("is measured with the same result", async () => {
    for (const options of [{ permutations: 1 }, { permutations: 1, rows: [1, 3, 5, 17, 18, 19, 33, 39] }])
      expect(await measureSelectivity(model, sharded, options)).toEqual(
        await measureSelectivity(model, index, options),
      );
    const head = { layer: 3, head: 1 };
    expect(await findSimilarHeads(model, sharded, head, { permutations: 2 })).toEqual(
      await findSimilarHeads(model, index, head, { permutations: 2 }),
    );
  });

  it("is not read into memory where it does not fit, which is said before", async () => {
    const folder = join(scratch, "large");
    await cp(join(scratch, "index"), folder, { recursive: true });
    const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
    manifest.shards[0].files["images.jsonl"].bytes = 10 ** 12;
    await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
    await expect(readIndex(folder)).rejects.toMatchObject({
      code: "INDEX_TOO_LARGE",
      message: expect.stringMatching(/holds 40 images: .* 1,907,\d+ MiB, and this process has [\d,]+ MiB/),
    });
  });

  it("is searched over the web with the same result, by ranges of what is asked for", async () => {
    const server = await startStaticServer({ "": scratch });
    onTestFinished(() => server.close());
    const over = await openWebIndex(model, `${server.url}/index/`, webBytes());
    const set = { name: "L2.H1", set: parseComponents("L2.H1", model.geometry) };
    const image = join(scratch, "scenes", index.images[7].path);
    const here = createSearch(sharded, model.geometry, model.matmul);
    expect(await findNeighbors(model, over, { image }, set, { k: 3 })).toEqual(
      await findNeighbors(model, here, { image }, set, { k: 3 }),
    );
    // Its manifest and rows say what there is: nothing is asked for to see whether it is there.
    expect(server.asked.every(({ method, bytes }) => method === "GET" && bytes > 0)).toBe(true);
    const other = await openModel("emoji-4x128-p16");
    onTestFinished(() => other.release());
    const mismatch = { code: "INDEX_MISMATCH", message: expect.stringContaining(`${server.url}/index`) };
    await expect(openWebIndex(other, `${server.url}/index`, webBytes())).rejects.toMatchObject(mismatch);
    const none = openWebIndex(model, `${server.url}/none`, webBytes());
    await expect(none).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
  });

  it("refuses rows that are not what was written when they are read, and leaves out a shard that is cut off", async () => {
    const folder = join(scratch, "damaged");
    await cp(join(scratch, "index"), folder, { recursive: true });
    const file = join(folder, "shards", sharded.manifest.shards[1].name, "images.jsonl");
    const bytes = await readFile(file);
    bytes[bytes.indexOf('"label":"') + 9] ^= 1;
    await writeFile(file, bytes);
    const damaged = await openShards(folder);
    expect(await damaged.rows([3])).toEqual([index.images[3]]);
    await expect(damaged.rows([3, 20])).rejects.toMatchObject({ code: "INDEX_CORRUPT" });
    await expect(damaged.hash()).rejects.toMatchObject({ code: "INDEX_CORRUPT" });
    await expect(damaged.find("id", index.images[20].id)).rejects.toMatchObject({ code: "INDEX_CORRUPT" });
    await writeFile(file, bytes.subarray(1));
    const warnings: string[] = [];
    const rest = await openShards(folder, {
      report: (event) => event.type === "warning" && warnings.push(event.code),
    });
    expect(warnings).toEqual(["INDEX_CORRUPT"]);
    expect(rest.images.length).toBe(IMAGES - 16);
    expect(await rest.rows([16])).toEqual([index.images[32]]);
  });
});
