import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareFineTune } from "../../src/analysis/compare/fine-tune.ts";
import { encodeValues, readTensor } from "../../src/checkpoint/tensor-values.ts";
import { addScaled, dot } from "../../src/math/linear.ts";
import { removeAll } from "../../src/math/orthonormal.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { parseComponents } from "../../src/model/components.ts";
import { DEFAULT_MODEL } from "../../src/model/embedded.ts";
import { exportCheckpoint } from "../../src/model/export-checkpoint.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { type HeadDirections, singularDirections } from "../../src/model/singular-directions.ts";
import { fineTuneResultSchema } from "../../src/results/fine-tune.ts";
import { disk } from "../../src/support/disk-bytes.ts";
import { hashPool, loadPool, type TextPool } from "../../src/text/pool.ts";
import { runHere } from "../support/run-cli.ts";

/*
 * Fine-tunes whose change is known: low-rank changes planted in some heads of the default model.
 */

let scratch: string;
let base: ClipModel;
let directions: HeadDirections;
let pool: TextPool;
const [LAYER, HEAD] = [2, 1];
const AT = LAYER * 4 + HEAD;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "fine-tune-"));
  base = await loadClipModel((await locateModel(DEFAULT_MODEL)).folder, DEFAULT_MODEL);
  directions = await singularDirections(base)(LAYER, HEAD);
  // Every eighth text: quick.
  const texts = (await loadPool("emoji")).texts.filter(({ text }, i) => i % 8 === 0 || text === "a tiger");
  pool = { name: "some", hash: hashPool(texts), texts };
}, 60_000);
afterAll(async () => {
  await base.release();
  await rm(scratch, { recursive: true, force: true });
});

/** The base with a ⊗ b added to M of the one head. @param a [d_h] @param b [D] */
function planted(...parts: readonly (readonly [a: Float64Array, b: Float64Array])[]): ClipModel {
  const { geometry } = base;
  const { headDim, embedDim } = geometry;
  const M = Float64Array.from(geometry.M);
  for (const [a, b] of parts)
    for (let i = 0; i < headDim; i++)
      addScaled(M.subarray((AT * headDim + i) * embedDim, (AT * headDim + i + 1) * embedDim), a[i], b);
  return { ...base, geometry: { ...geometry, M: Float32Array.from(M) } };
}

const write = (k: number) => directions.writes.slice(k * 128, (k + 1) * 128);
/** What z is multiplied with for direction k, times a factor. */
const seen = (k: number, factor: number) =>
  directions.seen.slice(k * 32, (k + 1) * 32).map((x) => factor * x);
/** A direction that the head cannot write: what of `v` lies outside of all of its own. */
function unwritten(v: Float64Array): Float64Array {
  const rest = Float64Array.from(v);
  removeAll(
    rest,
    Array.from({ length: 32 }, (_, k) => write(k)),
  );
  const length = Math.sqrt(dot(rest, rest));
  return rest.map((value) => value / length);
}

describe("a fine-tune beside its base", () => {
  it("that is the base itself has changed nothing", async () => {
    const { changed, heads } = await compareFineTune(base, base);
    expect(changed).toBe(0);
    expect(heads).toHaveLength(16);
    for (const head of heads)
      expect(head).toMatchObject({ change: 0, reweighted: 0, mixed: 0, new: 0, strength: 1, directions: [] });
  });

  it("that turned one direction up and one down: these ratios, all of it reweighted, no other head", async () => {
    const { changed, heads } = await compareFineTune(
      base,
      planted([seen(2, 0.5), write(2)], [seen(5, -1), write(5)]),
    );
    expect(changed).toBe(1);
    for (const [i, head] of heads.entries()) if (i !== AT) expect(head.change).toBe(0);
    const { ratios, reweighted, mixed, change, outside, ...rest } = heads[AT];
    for (const [k, ratio] of ratios.entries()) expect(ratio).toBeCloseTo(k === 2 ? 1.5 : k === 5 ? 0 : 1, 4);
    expect(reweighted).toBeCloseTo(1, 6);
    expect(mixed + rest.new + outside).toBeLessThan(1e-6);
    const { values } = directions;
    const size = dot(values, values);
    expect(change).toBeCloseTo(Math.sqrt(((0.5 * values[2]) ** 2 + values[5] ** 2) / size), 5);
    expect(rest.strength).toBeCloseTo(Math.sqrt(1 + (1.25 * values[2] ** 2 - values[5] ** 2) / size), 5);
  });

  it("that writes where the head never wrote: new, with its direction", async () => {
    const added = unwritten(Float64Array.from({ length: 128 }, (_, d) => Math.sin(d * d)));
    const { heads } = await compareFineTune(base, planted([seen(0, 1), added]));
    const head = heads[AT];
    expect(head.new).toBeCloseTo(1, 6);
    expect(head.reweighted + head.mixed).toBeLessThan(1e-6);
    const { values } = directions;
    // The strongest direction's reading is written twice: once as before, once along what is new.
    expect(head.outside).toBeCloseTo(values[0] ** 2 / (dot(values, values) + values[0] ** 2), 5);
    for (const ratio of head.ratios) expect(ratio).toBeCloseTo(1, 4);
  });

  it("that writes along one of the base's directions what was read for another: mixed", async () => {
    const { heads } = await compareFineTune(base, planted([seen(0, 1), write(7)]));
    expect(heads[AT].mixed).toBeCloseTo(1, 6);
    expect(heads[AT].outside).toBeLessThan(1e-6);
  });

  it("says a change in texts: a planted text is its first", async () => {
    const texts = pool.texts.map(({ text }) => text);
    const about = texts.indexOf("a tiger");
    const embedded = await base.encodeTexts(texts);
    const mean = Float64Array.from({ length: 128 }, (_, d) => {
      let sum = 0;
      for (let t = 0; t < texts.length; t++)
        sum += embedded[t * 128 + d] / Math.hypot(...embedded.subarray(t * 128, (t + 1) * 128));
      return sum / texts.length;
    });
    const own = embedded.subarray(about * 128, (about + 1) * 128);
    const v = mean.map((value, d) => own[d] / Math.hypot(...own) - value);
    const cacheFolder = join(scratch, "texts");
    const { heads } = await compareFineTune(base, planted([seen(0, 1), v]), {
      pool,
      cacheFolder,
      directions: 1,
    });
    const [{ share, ends }] = heads[AT].directions;
    expect(share).toBeCloseTo(1, 6);
    expect(ends[0].texts[0].text).toBe("a tiger");
    expect(ends[0].cosine).toBeGreaterThan(0.99);
    expect(heads[0].directions).toEqual([]);
  });

  it("from files: heads that were turned down by half, rounded as the files are", async () => {
    const folder = join(scratch, "edited");
    await exportCheckpoint(base, folder, { set: parseComponents("L0.H2*0.5,L3.H1*0.5", base.geometry) });
    const tuned = await loadClipModel(folder);
    const set = parseComponents("L0,L3", base.geometry);
    const { heads, changed } = await compareFineTune(base, tuned, { set });
    expect(changed).toBe(2);
    for (const { name, change, ratios, reweighted } of heads) {
      const halved = name === "L0.H2" || name === "L3.H1";
      expect(change).toBeCloseTo(halved ? 0.5 : 0, 5);
      if (!halved) continue;
      expect(reweighted).toBeCloseTo(1, 5);
      for (const ratio of ratios) expect(ratio).toBeCloseTo(0.5, 4);
    }
    await tuned.release();
  });

  it("from files: what a head reads turned up is reweighted too, and what it reads anew is new", async () => {
    const folder = join(scratch, "values");
    await exportCheckpoint(base, folder, { set: { heads: [], mlps: [] } });
    const { checkpoint, release } = await loadClipModel(folder);
    await release();
    const { value } = checkpoint.weights.vision.blocks[LAYER];
    const values = await readTensor(disk, value.weight);
    for (let at = 0; at < 32 * 128; at++) {
      // Of head 1 all rows, and the first row of head 2 becomes another.
      values[HEAD * 32 * 128 + at] *= 1.5;
      if (at < 128) values[2 * 32 * 128 + at] += at % 2 === 0 ? 1 : -1;
    }
    const handle = await open(value.weight.file, "r+");
    const bytes = encodeValues(values, value.weight.dtype);
    await handle.write(bytes, 0, bytes.length, value.weight.offset);
    await handle.close();
    const tuned = await loadClipModel(folder);
    const { heads, changed } = await compareFineTune(base, tuned);
    expect(changed).toBe(2);
    expect(heads[AT].change).toBeCloseTo(0.5, 3);
    expect(heads[AT].reweighted).toBeCloseTo(1, 5);
    for (const ratio of heads[AT].ratios) expect(ratio).toBeCloseTo(1.5, 2);
    const other = heads[LAYER * 4 + 2];
    expect(other.new).toBeGreaterThan(0.3);
    // It reads something else, and writes what it could before.
    expect(other.outside).toBeLessThan(1e-6);
    expect(other.reweighted + other.mixed + other.new).toBeCloseTo(1, 9);
    // What it writes is turned up as well.
    const M = tuned.geometry.M.map((x, at) => (Math.floor(at / (32 * 128)) === AT ? 1.5 * x : x));
    const both = await compareFineTune(base, { ...tuned, geometry: { ...tuned.geometry, M } });
    expect(both.heads[AT].change).toBeCloseTo(1.25, 3);
    expect(both.heads[AT].reweighted).toBeCloseTo(1, 5);
    for (const ratio of both.heads[AT].ratios) expect(ratio).toBeCloseTo(2.25, 2);
    await tuned.release();
  });

  it("by command: what its schema says, a page, and numbers alone where no texts are wanted", async () => {
    const folder = join(scratch, "by-command");
    await exportCheckpoint(base, folder, { set: parseComponents("L3.H1*0.5", base.geometry) });
    const page = join(scratch, "changes.html");
    const args = ["compare", "--base", DEFAULT_MODEL, "--model", folder, "--heads", "L3", "--texts", "none"];
    const run = await runHere(...args, "--json", "--out", page);
    expect(run.code).toBe(0);
    const found = fineTuneResultSchema.parse(JSON.parse(run.stdout));
    expect(found).toMatchObject({ changed: 1, pool: null, base: { name: DEFAULT_MODEL } });
    expect(await readFile(page, "utf8")).toContain('<td class="n">50 %</td>');
    const people = await runHere(...args);
    expect(people.stdout).toContain("@0 ×0.50, @1 ×0.50");
    for (const wrong of [
      ["compare", "--base", DEFAULT_MODEL, "--index", "x"],
      ["compare", "--index", "x", "--index", "y", "--texts", "emoji"],
      ["compare"],
    ])
      expect((await runHere(...wrong)).stderr).toMatch(/^error USAGE/);
    expect((await runHere(...args, "--heads", "mlps")).stderr).toMatch(/^error HEADS_INVALID/);
  });

  it("refuses a model of another shape", async () => {
    const other = await loadClipModel((await locateModel("emoji-6x192-p8")).folder);
    await expect(compareFineTune(base, other)).rejects.toMatchObject({ code: "MODELS_DIFFER" });
    await other.release();
  });
});
