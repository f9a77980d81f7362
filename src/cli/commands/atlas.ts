import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { blindAtlas, blindPage } from "../../analysis/atlas/blind.ts";
import { findHeads } from "../../analysis/atlas/find-heads.ts";
import { type KeptAtlas, keptAtlas } from "../../analysis/atlas/kept.ts";
import { type AtlasLabels, labelAtlas, labelPage, loadAtlasLabels } from "../../analysis/atlas/labels.ts";
import { readsTexts } from "../../checkpoint/model-config.ts";
import type { Index } from "../../corpus/open-index.ts";
import { missingPictures } from "../../corpus/root.ts";
import { squareThumbnail } from "../../image/thumbnail.ts";
import { labelsOrigin } from "../../labels/labels-file.ts";
import { parseComponents } from "../../model/components.ts";
import type { AtlasHeadResult, AtlasResult } from "../../results/atlas.ts";
import { ownCacheFolder } from "../../support/environment.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { guardWrite, isFile, writeWhole } from "../../support/files.ts";
import { checkCancelled } from "../../support/progress.ts";
import { defaultPool, loadPool } from "../../text/pool.ts";
import { atlasOverviewHtml } from "../../views/atlas/overview.ts";
import { atlasHeadHtml } from "../../views/atlas/page.ts";
import { HEAD_SCRIPT, OVERVIEW_SCRIPT } from "../../views/atlas/script.ts";
import { atlasHeadTerminal, atlasTerminal, knowingTerminal } from "../../views/atlas/terminal.ts";
import type { Register } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { collect, wholeNumber } from "../strings.ts";
import { bytesOrPath, rootOption } from "../thumbnails.ts";

interface AtlasCommandOptions {
  readonly index: string;
  readonly root?: string;
  readonly labels?: string;
  readonly texts?: string;
  readonly head?: string;
  readonly knows?: string;
  readonly beside: readonly string[];
  readonly maps?: number;
  readonly control?: number;
  readonly blind: boolean;
  readonly out?: string;
}

/** Side of a small picture, in pixels: twice what a page shows. */
const SIDE = 112;
/** Pictures that are drawn at a time. */
const AT_ONCE = 16;
/** Heads that `--knows` lists in a terminal. */
const LISTED = 10;

/** `atlas --index INDEX --out DIR`: every head at a glance and a page for each, in a folder that opens from disk. */
export const registerAtlas: Register = (program, run) => {
  program
    .command("atlas")
    .description("show every head at a glance and on a page of its own: texts, images, maps, what it knows")
    .requiredOption("--index <index>", "an index, which brings its model")
    .addOption(rootOption())
    .option("--labels <file>", "what heads are called (default: published labels, where there are any)")
    .option(
      "--texts <pool>",
      "photographs, emoji, or a file of texts (default: the pool that fits the model)",
    )
    .option("--head <head>", "the page of one head: L3.H1")
    .option("--knows <text>", "which heads know a text, instead of an atlas")
    .option(
      "--beside <index>",
      "an index of the same images by another model, whose nearest heads are shown too; once or more",
      collect,
      [],
    )
    .option(
      "--maps <n>",
      "images that are looked at again for maps, at most; 0: no maps (default: 2000)",
      wholeNumber(0),
    )
    .option(
      "--control <n>",
      "random rotations of the texts to compare with; 0: none (default: 100)",
      wholeNumber(0, 10_000),
    )
    .option("--blind", "leave out labels and all that is known of the images: guess what heads do", false)
    .option("--out <folder>", "write it as pages that open from disk")
    .action(
      run(async (context, options: AtlasCommandOptions) => {
        const { result, say } = context;
        const folder = options.out === undefined ? undefined : resolve(options.out);
        if (folder !== undefined) await requireOwnFolder(folder);
        const { index, model } = await context.openIndex(options.index, options.root);
        const labels = await loadAtlasLabels(model, options.labels);
        if (options.knows !== undefined) return findKnowing(context, options, index, model, labels);
        const head = options.head === undefined ? undefined : headOf(options.head, model);
        const kept = await openKept(context, options, index, model);
        const overview = await kept.make({ ...workOf(context), threads: context.globals.threads });
        const from = options.labels === undefined ? undefined : await labelsOrigin(options.labels);
        const withOrigin = <R extends AtlasResult | AtlasHeadResult>(made: R): R =>
          from ? { ...made, origin: { ...made.origin, labels: from } } : made;
        const atlas = withOrigin(labelAtlas(overview, labels));
        const shown = options.blind ? blindAtlas(atlas) : atlas;
        const pageOf = async (name: string) => {
          const page = await kept.page(name);
          if (!page) throw new ClipInterpretError("INTERNAL", `the atlas lacks the page of ${name}`);
          const labelled = withOrigin(labelPage(page, labels));
          return options.blind ? blindPage(labelled) : labelled;
        };
        if (folder !== undefined) await writeFolder(context, folder, index, shown, pageOf);
        if (head !== undefined) {
          const page = await pageOf(head);
          result(page, () => atlasHeadTerminal(page, shown.steps));
        } else result(shown, () => atlasTerminal(shown));
        if (folder !== undefined) say(`\nwritten: ${join(folder, "index.html")}`);
      }),
    );
};

type Model = Awaited<ReturnType<CommandContext["openIndex"]>>["model"];

const workOf = ({ report, signal }: CommandContext) => ({ report, signal });

/** @throws `HEADS_INVALID` for what is not one head of the model */
function headOf(written: string, { geometry }: Model): string {
  const { heads, mlps } = parseComponents(written, geometry);
  if (heads.length !== 1 || mlps.length > 0)
    throw new ClipInterpretError("HEADS_INVALID", `--head ${written} is not one head`);
  return `L${heads[0].layer}.H${heads[0].head}`;
}

async function poolOf(context: CommandContext, texts: string | undefined, model: Model) {
  return readsTexts(model.config.text)
    ? loadPool(texts ?? defaultPool(model.name), workOf(context))
    : undefined;
}

async function findKnowing(
  context: CommandContext,
  { knows = "", texts }: AtlasCommandOptions,
  index: Index,
  model: Model,
  labels: AtlasLabels,
): Promise<void> {
  const pool = await loadPool(texts ?? defaultPool(model.name), workOf(context));
  const work = { ...workOf(context), labels, threads: context.globals.threads };
  const found = await findHeads(model, index, pool, knows, work);
  context.result(found, () => knowingTerminal(found, LISTED));
}

/** What was made once is found again, by the app too. */
async function openKept(
  context: CommandContext,
  { texts, maps, control, beside }: AtlasCommandOptions,
  index: Index,
  model: Model,
): Promise<KeptAtlas> {
  const others = await Promise.all(
    beside.map(async (folder) => {
      const other = await context.openIndex(folder);
      return { ...other, labels: await loadAtlasLabels(other.model) };
    }),
  );
  const pool = await poolOf(context, texts, model);
  return keptAtlas(join(ownCacheFolder(process.env), "app", "atlas"), model, index, {
    ...(pool && { pool }),
    ...(maps !== undefined && { maps }),
    ...(control !== undefined && { rotations: control }),
    ...(others.length > 0 && { others }),
  });
}

/** Refuses a folder that holds something else: pages of an earlier atlas are replaced. @throws `USAGE` */
async function requireOwnFolder(folder: string): Promise<void> {
  const there = await readdir(folder).catch(() => []);
  if (there.length === 0 || (await isFile(join(folder, "atlas.json")))) return;
  throw new ClipInterpretError("USAGE", `--out ${folder} holds something else than an atlas`, {
    hint: "Name a new folder, or one that an atlas was written to.",
  });
}

async function writeFolder(
  { report, signal }: CommandContext,
  folder: string,
  index: Index,
  atlas: AtlasResult,
  pageOf: (name: string) => Promise<AtlasHeadResult>,
): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (/^(L\d+\.H\d+|index)\.html$|^pictures$/.test(name))
      await guardWrite(folder, () => rm(join(folder, name), { recursive: true }));
  }
  await guardWrite(folder, () => mkdir(join(folder, "pictures"), { recursive: true }));
  await writeWhole(join(folder, "atlas.json"), JSON.stringify(atlas));
  const squareOf = async (path: string, covered: Parameters<typeof squareThumbnail>[2]) => {
    const picture = await bytesOrPath(index.manifest.root, path);
    return picture === null ? null : squareThumbnail(picture, SIDE, covered);
  };
  const gone: string[] = [];
  const written = new Map<number, string | null>();
  /** Small pictures of a page, each written once. */
  const draw = async (
    pictures: readonly (AtlasResult["pictures"][number] & {
      readonly covered?: AtlasHeadResult["pictures"][number]["covered"];
    })[],
  ) => {
    const missing = pictures.filter(({ row }) => !written.has(row));
    for (let start = 0; start < missing.length; start += AT_ONCE) {
      checkCancelled(signal);
      const some = missing.slice(start, start + AT_ONCE);
      await Promise.all(
        some.map(async ({ row, covered }) => {
          const { id, path } = index.images[row];
          const webp = await squareOf(path, covered ?? null);
          const name = `pictures/${id}.webp`;
          if (webp) await writeWhole(join(folder, name), webp, { synced: false });
          else gone.push(path);
          written.set(row, webp ? name : null);
        }),
      );
    }
  };
  const context = {
    picture: (row: number) => written.get(row) ?? null,
    href: (name: string) => `${name}.html`,
    ...{ metrics: atlas.metrics, steps: atlas.steps },
  };
  const task = "writing pages";
  report({ type: "start", task, unit: "head", total: atlas.heads.length });
  for (const [done, { name }] of atlas.heads.entries()) {
    checkCancelled(signal);
    const page = await pageOf(name);
    await draw(page.pictures);
    const html = atlasHeadHtml(page, { ...context, scriptHash: hashOf(HEAD_SCRIPT) });
    await writeWhole(join(folder, `${name}.html`), html, { synced: false });
    report({ type: "advance", task, done: done + 1, total: atlas.heads.length });
  }
  report({ type: "end", task, done: atlas.heads.length });
  await draw(atlas.pictures);
  const html = atlasOverviewHtml(atlas, { ...context, scriptHash: hashOf(OVERVIEW_SCRIPT) });
  await writeWhole(join(folder, "index.html"), html);
  const message = missingPictures(index, gone);
  if (message) report({ type: "warning", code: "IMAGES_MISSING", message });
}

const hashOf = (script: string): string => createHash("sha256").update(script).digest("base64");
