/** A corpus of scenes on disk: pictures, masks and what is true of each. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Environment, ownCacheFolder } from "../support/environment.ts";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { isThere, readInput, readJson, writeWhole } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import { checkCancelled, type WorkOptions } from "../support/progress.ts";
import { candidates } from "./candidates.ts";
import { longestCaption } from "./captions.ts";
import { conceptNamed } from "./concepts.ts";
import { STYLES } from "./factors.ts";
import { contactSheet, encodePng } from "./png.ts";
import { render, renderMasks } from "./render.ts";
import { type Scene, sampleScene } from "./scene.ts";
import { SPLIT_NAMES, SPLITS, type SplitName } from "./splits.ts";
import { drawingsVersion, Sprites } from "./sprites.ts";

const factor = z.union([z.string(), z.number()]).nullable();

/** What a reader needs of a line of `scenes.jsonl`. */
const rowSchema = z.object({
  path: z.string(),
  mask: z.string(),
  label: z.string(),
  caption: z.string(),
  candidates: z.object({ isTrue: z.array(z.string()), isFalse: z.array(z.string()) }),
  factors: z.record(z.string(), factor),
});

/** One scene of a corpus; paths are relative to its folder. A factor that a scene does not have is null. */
export type CorpusRow = z.infer<typeof rowSchema>;

/** `world.json`: which corpus a folder holds. `key` changes with anything that would change a byte of it. */
const corpusSchema = z.object({
  format: z.literal("clip-interpret-world"),
  version: z.literal(1),
  key: z.string(),
  split: z.enum(SPLIT_NAMES),
  images: z.int().min(1),
  size: z.int().min(1),
});

/** A corpus that lies in a folder. */
export type Corpus = z.infer<typeof corpusSchema>;

/** Which scenes, and how large. */
export interface CorpusOptions {
  readonly split: SplitName;
  /** The numbers of the scenes in their split. */
  readonly indices: readonly number[];
  /** Side of the pictures, in pixels. */
  readonly size: number;
}

/** What `clip-interpret demo` writes when nothing else is asked for. */
export const DEMO = { split: "demo", images: 2000, size: 256 } as const;

/** A corpus that could be written: everything but the pixels. */
export interface PlannedCorpus extends Corpus {
  readonly scenes: readonly Scene[];
  /** The text of `scenes.jsonl`. */
  readonly lines: string;
}

/** Where a corpus lies when no place is named: in this program's cache, by what it holds. */
export const worldFolder = (
  { split, images, key }: Pick<Corpus, "split" | "images" | "key">,
  environment: Environment,
): string => join(ownCacheFolder(environment), "worlds", `${split}-${images}-${key}`);

/**
 * Works out what a corpus holds; nothing is drawn.
 *
 * @example
 * ```ts
 * import { planCorpus } from "clip-interpret/world";
 *
 * const plan = await planCorpus({ split: "demo", indices: [0, 1, 2], size: 64 });
 * console.log(plan.scenes.map(({ background }) => background)); // → [ 'brown', 'purple', 'brown' ]
 * ```
 */
export async function planCorpus({ split, indices, size }: CorpusOptions): Promise<PlannedCorpus> {
  const scenes = indices.map((index) => sampleScene(split, index));
  const lines = scenes.map((scene) => `${JSON.stringify({ ...rowOf(scene), scene })}\n`).join("");
  const key = sha256Of(`${size} ${await drawingsVersion()}\n${lines}`).slice(0, 12);
  return {
    format: "clip-interpret-world",
    version: 1,
    key,
    split,
    images: scenes.length,
    size,
    scenes,
    lines,
  };
}

/** What is true of a scene, in one flat row. */
function rowOf(scene: Scene): CorpusRow {
  const [first, second] = [...new Set(scene.objects.map(({ concept }) => concept))];
  const groups = new Set(scene.objects.map(({ concept }) => conceptNamed(concept).group));
  const name = `${String(scene.index).padStart(4, "0")}-${first.replaceAll(" ", "-")}.png`;
  const { style, count, size, position, arrangement, backdrop, effect } = scene;
  return {
    path: `images/${name}`,
    mask: `masks/${name}`,
    label: first,
    caption: longestCaption(scene),
    candidates: candidates(scene),
    factors: {
      concept: first,
      other: second ?? null,
      group: groups.size === 1 ? [...groups][0] : null,
      style,
      count,
      size,
      position,
      arrangement,
      background: effect === "black and white" ? null : scene.background,
      backdrop,
      effect,
    },
  };
}

/**
 * Writes a corpus: `images/*.png`, `masks/*.png` (one byte a pixel: 0 for none, k for the k-th object), `world.json`,
 * `overview.png` and `README.md` for people and, last, `scenes.jsonl`. A folder that was left half-way is completed; one that holds
 * all of it already is left alone.
 * @returns how many pictures were drawn: 0 when all were there
 * @throws `CORPUS_MISMATCH` when the folder holds something else, `OUTPUT_UNWRITABLE`, `CANCELLED`
 * @example
 * ```ts
 * import { planCorpus, writeCorpus } from "clip-interpret/world";
 *
 * const plan = await planCorpus({ split: "demo", indices: [0, 1, 2], size: 64 });
 * console.log(await writeCorpus("out/three-scenes", plan), "drawn"); // → 3 drawn
 * ```
 */
export async function writeCorpus(
  folder: string,
  plan: PlannedCorpus,
  { report, signal }: WorkOptions = {},
): Promise<number> {
  const { scenes, lines, ...corpus } = plan;
  await claim(folder, corpus);
  if (await isThere(join(folder, "scenes.jsonl"))) return 0;
  const task = "drawing scenes";
  report?.({ type: "start", task, unit: "scenes", total: scenes.length });
  const sprites = await Sprites.forScenes(scenes, Math.max(256, corpus.size));
  let [done, drawn] = [0, 0];
  const drawOne = async (scene: Scene) => {
    const { path, mask } = rowOf(scene);
    if (!(await isThere(join(folder, mask)))) {
      const picture = render(scene, corpus.size, sprites);
      const objects = objectNumbers(renderMasks(scene, corpus.size, sprites));
      await writeWhole(join(folder, path), await encodePng(picture), UNSYNCED);
      await writeWhole(join(folder, mask), await encodePng({ size: corpus.size, gray: objects }), UNSYNCED);
      drawn++;
    }
    report?.({ type: "advance", task, done: ++done, total: scenes.length });
  };
  const AT_ONCE = 8;
  for (let start = 0; start < scenes.length; start += AT_ONCE) {
    checkCancelled(signal);
    await Promise.all(scenes.slice(start, start + AT_ONCE).map(drawOne));
  }
  const shown = scenes.slice(0, 96).map((scene) => render(scene, 96, sprites));
  await writeWhole(join(folder, "overview.png"), await contactSheet(shown, 12));
  await writeWhole(join(folder, "README.md"), readme(corpus));
  await writeWhole(join(folder, "scenes.jsonl"), lines);
  report?.({ type: "end", task, done });
  return drawn;
}

function readme({ split, images, size }: Corpus): string {
  const styles = STYLES.filter(({ name }) => (SPLITS[split].styles as readonly string[]).includes(name));
  const credits = styles.map(
    ({ name, source, author, licence }) => `- ${name}: ${source}, ${author}, ${licence}`,
  );
  return `# Scenes of a generated world

${images} scenes of the split "${split}" at ${size} pixels, drawn by clip-interpret; its docs/world.md says what varies.

- \`images/\`: the pictures
- \`masks/\`: one byte a pixel: 0 where no object covers half of it, k for the scene's k-th object
- \`scenes.jsonl\`: one line a scene: paths, a caption, texts that are true of it and texts that are not, its factors
  (null where it has none), and the record that it was drawn from
- \`world.json\`: what this folder holds

The drawings are these icon sets', scaled, mirrored and put on other backgrounds:

${credits.join("\n")}
`;
}

/** Makes the folder this corpus's own, or sees that it is. */
async function claim(folder: string, corpus: Corpus): Promise<void> {
  const marker = join(folder, "world.json");
  const entries = await readdir(folder).catch((): string[] => []);
  if (entries.includes("world.json")) {
    const found = corpusSchema.safeParse(await readJson(marker));
    if (found.success && found.data.key === corpus.key) return;
    throw new ClipInterpretError("CORPUS_MISMATCH", `${folder} holds another corpus`);
  }
  if (entries.length > 0) {
    throw new ClipInterpretError("CORPUS_MISMATCH", `${folder} is not empty and holds no corpus`);
  }
  await writeWhole(marker, `${JSON.stringify(corpus, null, 2)}\n`);
}

/**
 * Reads what a corpus says of its scenes. @throws `INPUT_NOT_FOUND`, `JSON_INVALID`
 *
 * @example
 * ```ts
 * import { readCorpus } from "clip-interpret/world";
 *
 * const [first] = await readCorpus("examples/scenes");
 * console.log(first.caption, first.factors.background);
 * // → an icon of a large mobile phone on a brown background brown
 * ```
 */
export async function readCorpus(folder: string): Promise<CorpusRow[]> {
  const path = join(folder, "scenes.jsonl");
  if (!(await isThere(path)))
    throw new ClipInterpretError("INPUT_NOT_FOUND", `${folder} is no corpus: it holds no scenes.jsonl`, {
      hint: "Name a folder that `demo` wrote; pictures and masks of your own are given with --images, --masks and --classes.",
    });
  const lines = (await readInput(path)).toString("utf8").trimEnd().split("\n");
  return lines.map((line, i) => {
    try {
      return rowSchema.parse(JSON.parse(line));
    } catch (cause) {
      const message = `${path}, line ${i + 1}: ${messageOf(cause)}`;
      throw new ClipInterpretError("JSON_INVALID", message, { cause });
    }
  });
}

/** One byte a pixel: which object covers most of it, counted from 1; 0 where none covers half. */
function objectNumbers(masks: readonly Uint8Array[]): Uint8Array {
  const numbers = new Uint8Array(masks[0].length);
  for (const [k, mask] of masks.entries()) {
    for (let i = 0; i < mask.length; i++) if (mask[i] >= 128) numbers[i] = k + 1;
  }
  return numbers;
}

/** Syncing thousands of pictures would take minutes, and all of them can be drawn again. */
const UNSYNCED = { synced: false };
