import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Command, Option } from "commander";
import { requireFinite } from "../../checkpoint/finite.ts";
import { buildIndex } from "../../corpus/build.ts";
import { exportParquet } from "../../corpus/export-parquet.ts";
import { exportPrs } from "../../corpus/export-prs.ts";
import { DTYPES, type Dtype } from "../../corpus/manifest.ts";
import { checkIndex, readIndex } from "../../corpus/open-index.ts";
import { openShards } from "../../corpus/open-shards.ts";
import { buildPart, buildPlanned, mergeParts, type Part, parsePart } from "../../corpus/parts.ts";
import type { ShardedIndex } from "../../corpus/sharded-index.ts";
import { passedOverText, scanSource } from "../../corpus/source.ts";
import { isStoreAddress } from "../../corpus/store-at.ts";
import { createPreprocessPool } from "../../image/pool.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { headName, parseHeads } from "../../model/components.ts";
import { textProbe } from "../../model/probe.ts";
import {
  type IndexCheckResult,
  type IndexResult,
  indexCheckResult,
  indexExportResult,
  indexResult,
} from "../../results/index-run.ts";
import { originOf } from "../../results/origin.ts";
import { disk } from "../../support/disk-bytes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { collect, oneLine, shellWord, wholeNumber } from "../strings.ts";

interface IndexOptions {
  readonly out: string;
  readonly root?: string;
  readonly hidden: boolean;
  readonly dtype?: Dtype;
  readonly mlps?: true;
  readonly shardSize?: number;
  readonly prune: boolean;
  readonly check: boolean;
  readonly part?: Part;
  readonly merge: boolean;
  readonly queue?: string | true;
  readonly parts?: number;
  readonly planned: boolean;
  readonly exif: boolean;
  readonly maxPixels?: number;
  readonly export?: "prs" | "parquet";
  readonly vectors?: string;
  readonly text: readonly string[];
  readonly layout: boolean;
  readonly thumbnails?: number;
}

/** `index INPUT --out INDEX`: what every head wrote into every image, on disk. */
export const registerIndex: Register = (program, run) => {
  program
    .command("index")
    .description(
      "decompose every image of a folder or list into an index; run again, it goes on or brings it up to date",
    )
    .argument(
      "[inputs...]",
      "a folder of images (their folders are labels); pictures and patterns; .tar and .parquet files; a .txt, .csv or .jsonl list; - reads one; s3:// addresses of these",
    )
    .requiredOption("--out <index>", "the index: a folder, or s3://BUCKET/PREFIX")
    .option("--root <folder>", "where image paths start; by default the folder, or the list's own")
    .option("--hidden", "take hidden files too, and other programs' thumbnails and bins", false)
    .addOption(new Option("--dtype <type>", "how heads are stored; by default float16").choices(DTYPES))
    .option("--mlps", "store every MLP's contribution too")
    .option("--shard-size <n>", "most images in a shard, which bounds the memory", wholeNumber(1, 1 << 20))
    .option("--prune", "take out what has changed or is gone, and index again what has changed", false)
    .option("--check", "compare every byte of the index and its images with their checksums", false)
    .option(
      "--part <k/n>",
      "one of N parts of the index, on any machine; the last puts them together",
      parsePart,
    )
    .option("--merge", "put finished parts together where no run did", false)
    .option(
      "--queue [url]",
      "have workers compute it, through Redis: redis://host:6379, or rediss:// (default: env CLIP_INTERPRET_QUEUE)",
    )
    .option(
      "--parts <n>",
      "how many parts --queue makes of it; by default one for 1024 images",
      wholeNumber(1, 100_000),
    )
    .addOption(
      new Option(
        "--planned",
        "a worker's: parts that --queue planned, their numbers read from standard input",
      )
        .default(false)
        .hideHelp(),
    )
    .option("--no-exif", "ignore the EXIF orientation, as the reference implementation does")
    .option("--max-pixels <n>", "reject images with more pixels", wholeNumber(1))
    .addOption(
      new Option(
        "--export <form>",
        "also write INDEX/export/: the reference scripts' arrays, or a table of images",
      ).choices(["prs", "parquet"]),
    )
    .option(
      "--vectors <set>",
      "in the table: `embedding`, heads (L3.H1, last2), or both with a comma between",
    )
    .option("--text <text>", "in the table: how well each image fits a text; once or more", collect, [])
    .option("--layout", "in the table: a place on a plane for each vector (UMAP)", false)
    .option(
      "--thumbnails <pixels>",
      "in the table: pictures within a square of so many",
      wholeNumber(16, 1024),
    )
    .action(
      run(async (context, inputs: readonly string[], options: IndexOptions, _command: Command) => {
        if (options.check) return check(context, options.out, options.root);
        if (options.merge) return merge(context, options.out);
        if (options.planned) return planned(context, options);
        checkExport(options);
        if (inputs.length === 0 && options.export !== undefined)
          return exportAlone(context, options.out, options);
        if (inputs.length === 0)
          throw new ClipInterpretError("USAGE", "an input is missing: a folder, pictures or a list");
        const { report, signal, result } = context;
        const { out, root, hidden, check: _, merge: _m, planned: _p, queue, parts, ...rest } = options;
        const { vectors: _v, layout: _l, thumbnails: _t, text: _x, part, export: form, ...build } = rest;
        if (queue !== undefined && part === undefined) {
          if (build.prune || form !== undefined)
            throw new ClipInterpretError("USAGE", "--queue goes with neither --prune nor --export", {
              hint: "Run `index` without --queue for that, once the index is complete.",
            });
          const { indexByQueue } = await import("../index-queue.ts");
          return finish(context, out, await indexByQueue(context, queue, parts, inputs, options));
        }
        if (part && (build.prune || form !== undefined)) {
          throw new ClipInterpretError("USAGE", "--part goes with neither --prune nor --export", {
            hint: "Run `index` without --part for that, once all parts are put together.",
          });
        }
        const source = await scanSource(inputs, { root, hidden, report });
        const model = await context.modelFor(out);
        // Of the text tower too: what is asked of the index later would fail.
        await requireFinite(disk, model.checkpoint.weights);
        const work = { ...build, report, signal };
        const { missing = [], ...built } = part
          ? await buildPart(model, source, out, part, work)
          : { missing: undefined, ...(await buildIndex(model, source, out, work)) };
        const index = await openShards(built.folder, { report });
        const exported = form === undefined ? [] : await writeExport(context, model, index, options);
        const unread = built.unread.map(({ path, code, message }) => ({ path, code, message }));
        const found = indexResult(await originOf({ model, index }), {
          ...{ ...built, unread, exported, part: part ? { ...part, missing } : null },
        });
        for (const kind of ["changed", "removed"] as const) warnOf(context, found, kind);
        const next = await nextCommand(model, found.folder, context.called);
        result(found, () => summary(found, next));
      }),
    );
};

/** Computes parts that were planned, for a worker: it writes their numbers, a line each, and reads what this prints. */
async function planned(context: CommandContext, options: IndexOptions): Promise<void> {
  const { report, signal, result } = context;
  const { out, exif, shardSize, maxPixels } = options;
  const model = await context.modelFor(out);
  const decoding = { exif, report, signal, ...(maxPixels && { maxPixels }) };
  // Starting threads takes as long as some hundred small images.
  const kept = createPreprocessPool(model.config.preprocess, decoding);
  try {
    for await (const line of createInterface({ input: process.stdin, signal })) {
      const part = parsePart(line);
      const built = await buildPlanned(model, out, part, {
        ...decoding,
        kept,
        ...(shardSize && { shardSize }),
      });
      result(built, () => `part ${part.number}/${part.of}: ${counted(built.images, "image")}`);
    }
  } finally {
    await kept.close();
  }
}

/** Puts parts together. */
async function merge(context: CommandContext, out: string): Promise<void> {
  const { report, signal } = context;
  return finish(context, out, await mergeParts(out, { report, signal }));
}

/** Prints what an index of parts holds; it brings its model. */
async function finish(
  context: CommandContext,
  out: string,
  merged: Awaited<ReturnType<typeof mergeParts>>,
): Promise<void> {
  const { report, result } = context;
  const [model, index] = [await context.modelFor(out), await openShards(out, { report })];
  const unread = merged.unread.map(({ path, code, message }) => ({ path, code, message }));
  const origin = await originOf({ model, index });
  const found = indexResult(origin, { ...merged, unread, exported: [], part: null });
  const next = await nextCommand(model, found.folder, context.called);
  result(found, () => summary(found, next));
}

/** Writes an export of an index as it is. */
async function exportAlone(context: CommandContext, out: string, options: IndexOptions): Promise<void> {
  const { index, model } = await context.openShards(out, options.root);
  const exported = await writeExport(context, model, index, options);
  const origin = await originOf({ model, index });
  context.result(
    indexExportResult(origin, { folder: index.folder, images: index.images.length, exported }),
    () => oneLineEach(exported.map((path) => `written: ${path}`)),
  );
}

/** @throws `USAGE` for an export of an index in a store, and for what only a table holds */
function checkExport({ out, export: form, vectors, text, layout, thumbnails }: IndexOptions): void {
  if (form !== undefined && isStoreAddress(out))
    throw new ClipInterpretError("USAGE", "--export writes to a folder, and the index lies in a store", {
      hint: "Copy the index to a folder first, as with `aws s3 sync`: it is the same files.",
    });
  if (form !== "parquet" && (vectors !== undefined || text.length > 0 || layout || thumbnails !== undefined))
    throw new ClipInterpretError(
      "USAGE",
      "--vectors, --text, --layout and --thumbnails go with --export parquet",
    );
  if (layout && vectors === undefined)
    throw new ClipInterpretError("USAGE", "--layout lays out what --vectors names");
}

async function writeExport(
  { report, signal }: CommandContext,
  model: ClipModel,
  index: ShardedIndex,
  { export: form, vectors, text, layout, thumbnails, out }: IndexOptions,
): Promise<string[]> {
  const to = join(index.folder, "export");
  if (form === "prs") {
    const rows = await readIndex(out, { root: index.manifest.root, report });
    return exportPrs(rows, model, to, { report, signal });
  }
  const file = join(to, "images.parquet");
  const named = vectors?.split(",").map((name) => name.trim()) ?? [];
  const heads = named.filter((name) => name !== "embedding").join();
  const texts = new Map<string, Float64Array>();
  for (const one of text) texts.set(one, await textProbe(model, one, { report, signal }));
  await exportParquet(index, file, {
    texts,
    ...{ embedding: named.includes("embedding"), layout, report, signal, geometry: model.geometry },
    heads: heads === "" ? [] : parseHeads(model, heads).heads,
    ...(thumbnails !== undefined && { thumbnails }),
  });
  return [file];
}

function warnOf({ report }: CommandContext, built: IndexResult, kind: "changed" | "removed"): void {
  const paths = built[kind];
  if (paths.length === 0 || built.pruned) return;
  const some = `${paths.slice(0, 3).join(", ")}${paths.length > 3 ? ", …" : ""}`;
  const what = kind === "changed" ? "changed since they were indexed" : "no longer there";
  report({
    type: "warning",
    code: "INDEX_OUTDATED",
    message: `${paths.length} indexed files are ${what} (${some}); --prune brings the index up to date`,
  });
}

const counted = (count: number, thing: string) => `${count} ${thing}${count === 1 ? "" : "s"}`;
const filesOf = (count: number) => counted(count, "file");

/** @param next a command that the index answers */
function summary({ origin, ...built }: IndexResult, next: string): string {
  const { folder, images, rejected, shards, added, repaired, exported } = built;
  const { unsupported, passedOver, root, movedFrom, part } = built;
  const kinds = Object.entries(unsupported);
  const unknown = kinds.reduce((sum, [, count]) => sum + count, 0);
  const lines = [
    `${counted(images, "image")} in ${folder} (${origin.model.name}, ${counted(shards, "shard")}), ${counted(added, "file")} read now`,
  ];
  if (repaired.length > 0) lines.push(`  shards made again: ${repaired.join(", ")}`);
  if (movedFrom !== null) lines.push(`  its images lie in ${root} now, before in ${movedFrom}`);
  if (unknown > 0) {
    const shown = kinds.map(([kind, count]) => `${count} ${kind}`).join(", ");
    lines.push(
      `  ${filesOf(unknown)} ${unknown === 1 ? "is" : "are"} in formats that cannot be read: ${shown}`,
    );
  }
  const bad = rejected - unknown;
  if (bad > 0) lines.push(`  ${filesOf(bad)} could not be indexed:`);
  for (const { message } of built.firstRejected) lines.push(`    ${message}`);
  if (bad > built.firstRejected.length) lines.push(`    …, as shards/…/rejected.jsonl in ${folder} says`);
  const passed = passedOverText(passedOver);
  if (passed !== "") lines.push(`  passed over: ${passed}`);
  for (const path of exported) lines.push(`  written: ${path}`);
  if (part !== null && part.missing.length > 0) {
    const { number, of, missing } = part;
    const named = `${missing.slice(0, 10).join(", ")}${missing.length > 10 ? ", …" : ""}`;
    lines.push(
      `  this is part ${number} of ${of}; not finished yet: ${named}. The last one puts all together.`,
    );
  } else lines.push("Next:", `  ${next}`);
  return oneLineEach(lines);
}

/** What to ask of an index first; one without a tokenizer cannot be asked for a text. */
async function nextCommand(model: ClipModel, folder: string, called: string): Promise<string> {
  const index = `--index ${shellWord(folder)}`;
  const readsTexts = await model.tokenizer().then(
    () => true,
    () => false,
  );
  return readsTexts
    ? `${called} neighbors ${index} --heads last4 --text "a red background" --out near.html`
    : `${called} similar ${index} --head ${headName(model.geometry.layers - 1, 0)}`;
}

async function check(
  { report, signal, result }: CommandContext,
  folder: string,
  root: string | undefined,
): Promise<void> {
  const { index, ...checked } = await checkIndex(folder, { root, report, signal });
  const found = indexCheckResult(await originOf({ index }), checked);
  result(found, () => checkText(found));
  if (found.corrupt.length > 0) {
    // `index` itself does not look into arrays; that a shard is gone it sees.
    const shards = [...new Set(found.corrupt.map((name) => name.split("/").slice(0, 2).join("/")))];
    throw new ClipInterpretError("INDEX_CORRUPT", `${found.corrupt.length} files of ${folder} are damaged`, {
      hint: `Remove ${shards.join(", ")} there and run \`index\`: it makes them again.`,
    });
  }
}

function checkText({ folder, images, shards, corrupt, changed, missing }: IndexCheckResult): string {
  const problems = [
    ...corrupt.map((name) => `  damaged: ${name}`),
    ...changed.map((path) => `  changed: ${path}`),
    ...missing.map((path) => `  missing: ${path}`),
  ];
  const verdict = problems.length === 0 ? "every byte is as it was written" : `${problems.length} problems`;
  return oneLineEach([`${images} images in ${shards} shards of ${folder}: ${verdict}`, ...problems]);
}

/** Paths come from a disk: they must not command the terminal. */
const oneLineEach = (lines: readonly string[]) => lines.map(oneLine).join("\n");
