/** The numbers of words in docs/words.md: written by `npm run docs:words`, held by a long test. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { segmentImage } from "../src/analysis/segmentation/segmentation.ts";
import { explainWords } from "../src/analysis/words/words.ts";
import { readMask } from "../src/image/mask.ts";
import { type Interval, percentileInterval } from "../src/math/intervals.ts";
import { Random } from "../src/math/random.ts";
import type { ClipModel } from "../src/model/clip-model.ts";
import { allHeads, parseHeads } from "../src/model/components.ts";
import { DEFAULT_MODEL } from "../src/model/embedded.ts";
import { pixelsOf } from "../src/model/pixels.ts";
import { openModel } from "../src/model/registry.ts";
import { tableMarkdown } from "../src/views/kit/table.ts";
import { formatSigned } from "../src/views/kit/text.ts";
import { article } from "../src/world/captions.ts";
import { conceptNamed } from "../src/world/concepts.ts";
import { type CorpusRow, DEMO, planCorpus, readCorpus, writeCorpus } from "../src/world/corpus.ts";
import { EXAMPLE_SCENE } from "../src/world/example-scene.ts";
import { withBlocks } from "./blocks.ts";

/** The page that they are in. */
export const WORDS_PAGE = "words.md";
const NAMES = ["examples", "pointing", "exclip"];
const SCENES = 300;
const RESAMPLES = 2000;

/** A map of patches, rows top to bottom. */
type PatchMap = readonly (readonly number[])[];

/** A scene whose caption names its object. */
interface NamedScene {
  readonly path: string;
  readonly row: CorpusRow;
  /** Places of the object's words among the caption's. */
  readonly words: readonly number[];
}

/** How well a map points: the three measures of one scene. */
type Pointing = readonly [half: number, centre: number, energy: number];

/** What is measured of the scenes. */
interface MeasuredWords {
  readonly examples: readonly (readonly string[])[];
  readonly scenes: readonly {
    readonly path: string;
    readonly share: number;
    readonly maps: Readonly<Record<MapName, Pointing>>;
    readonly exclip: Pointing | null;
  }[];
}

const MAPS = {
  word: "the object's word × patch, all heads",
  last: "the same through the last two layers",
  object: 'segment by the object alone ("a monkey")',
  caption: "segment by the whole caption",
} as const;
type MapName = keyof typeof MAPS;

const exclipSchema = z.record(z.string(), z.array(z.array(z.number())));
/** Maps of the object's words by exCLIP, which `bench/second_order.py` computed. */
const exclipMaps = () =>
  exclipSchema.parse(JSON.parse(readFileSync(new URL("../bench/exclip-maps.json", import.meta.url), "utf8")));

/** Draws the scenes and runs `work` with those whose caption names the object. */
async function withScenes<T>(
  count: number,
  work: (model: ClipModel, scenes: readonly NamedScene[], folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "words-docs-"));
  const model = await openModel(DEFAULT_MODEL);
  try {
    const indices = Array.from({ length: count }, (_, i) => i);
    await writeCorpus(folder, await planCorpus({ split: DEMO.split, size: DEMO.size, indices }));
    const tokenizer = await model.tokenizer();
    const scenes = (await readCorpus(folder)).flatMap((row): NamedScene[] => {
      const words = tokenizer.words(tokenizer.encode(row.caption).ids).filter(({ kind }) => kind === "word");
      const at = placeOf(
        words.map(({ text }) => text),
        String(row.factors.concept),
      );
      return at.length > 0 ? [{ path: join(folder, row.path), row, words: at }] : [];
    });
    return await work(model, scenes, folder);
  } finally {
    await model.release();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where the words of a concept, one or many, stand among others. */
function placeOf(words: readonly string[], concept: string): number[] {
  const { name, plural } = conceptNamed(concept);
  for (const sought of [name, plural].map((one) => one.toLowerCase().split(/[\s-]+/)))
    for (let at = 0; at + sought.length <= words.length; at++)
      if (sought.every((word, i) => words[at + i] === word)) return sought.map((_, i) => at + i);
  return [];
}

/** Measures it all. */
export async function measureWords(): Promise<MeasuredWords> {
  return withScenes(SCENES, async (model, scenes, folder) => {
    const exclip = exclipMaps();
    const measured = [];
    for (const { path, row, words } of scenes) {
      // In a scene of two concepts the mask's 2 is the other one; else every number is the object's.
      const isObject = (value: number) => (row.factors.other === null ? value > 0 : value === 1);
      const mask = await shareOfPatches(join(folder, row.mask), model.config.vision.grid, isObject);
      const through = async (set: string) => {
        const found = await explainWords(model, path, row.caption, { set: parseHeads(model, set) });
        return sumOf(words.map((word) => found.words[word].map));
      };
      const by = async (text: string) => {
        const { texts } = await segmentImage(model, path, [text], { set: allHeads(model.geometry) });
        return texts[0].values;
      };
      const { name } = conceptNamed(String(row.factors.concept));
      const maps = {
        word: await through("all"),
        last: await through("last2"),
        object: await by(`${article(name)} ${name}`),
        caption: await by(row.caption),
      };
      const other = exclip[row.path];
      measured.push({
        path: row.path,
        share: mask.shares.flat().reduce((sum, share) => sum + share, 0) / mask.shares.length ** 2,
        maps: Object.fromEntries(
          Object.entries(maps).map(([key, map]) => [key, pointing(map, mask)]),
        ) as Record<MapName, Pointing>,
        exclip: other ? pointing(other, mask) : null,
      });
    }
    return { examples: await examplesOf(model), scenes: measured };
  });
}

const sumOf = (maps: readonly PatchMap[]): PatchMap =>
  maps[0].map((row, y) => row.map((_, x) => maps.reduce((sum, map) => sum + map[y][x], 0)));

/** How much of each patch is the object, and whether its centre is. */
async function shareOfPatches(path: string, grid: number, isObject: (value: number) => boolean) {
  const { width, values } = await readMask(path);
  const side = width / grid;
  const at = (x: number, y: number) => (isObject(values[y * width + x]) ? 1 : 0);
  const patches = <T>(of: (left: number, top: number) => T): T[][] =>
    Array.from({ length: grid }, (_, row) =>
      Array.from({ length: grid }, (_, column) => of(column * side, row * side)),
    );
  return {
    shares: patches((left, top) => {
      let sum = 0;
      for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) sum += at(left + x, top + y);
      return sum / side ** 2;
    }),
    centres: patches((left, top) => at(left + side / 2, top + side / 2)),
  };
}

function pointing(map: PatchMap, { shares, centres }: Awaited<ReturnType<typeof shareOfPatches>>): Pointing {
  let best = { value: Number.NEGATIVE_INFINITY, row: 0, column: 0 };
  let [inside, all] = [0, 0];
  for (const [row, values] of map.entries()) {
    for (const [column, value] of values.entries()) {
      if (value > best.value) best = { value, row, column };
      if (value <= 0) continue;
      all += value;
      inside += value * shares[row][column];
    }
  }
  const { row, column } = best;
  return [shares[row][column] >= 0.5 ? 1 : 0, centres[row][column], all > 0 ? inside / all : 0];
}

const EXAMPLES = [
  ["a monkey at the top", "top"],
  ["a monkey at the bottom", "bottom"],
  ["a monkey on a purple background", "purple"],
  ["a monkey on a green background", "green"],
  ["a monkey", "a"],
  ["two monkeys", "two"],
] as const;

async function examplesOf(model: ClipModel): Promise<string[][]> {
  const rows: string[][] = [];
  for (const [text, differs] of EXAMPLES) {
    const { similarity, words } = await explainWords(model, EXAMPLE_SCENE.path, text);
    const named = (wanted: string) => words.find((word) => word.text === wanted)!;
    const monkey = words.find((word) => word.text.startsWith("monkey"))!;
    const which = monkey.text === "monkey" ? "" : `${monkey.text} `;
    const value = formatSigned(named(differs).value, 3);
    rows.push([
      ...[text, similarity.toFixed(3), `${differs} ${value}`],
      `${which}${formatSigned(monkey.value, 3)}`,
    ]);
  }
  return rows;
}

const short = (value: number) => value.toFixed(3).replace(/^(-?)0\./, "$1.");
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Means of columns with intervals over resampled rows. */
function resampled(rows: readonly (readonly number[])[]): { value: number; interval: Interval }[] {
  const random = new Random(18);
  const draws = Array.from({ length: RESAMPLES }, () => rows.map(() => rows[random.below(rows.length)]));
  return rows[0].map((_, column) => ({
    value: mean(rows.map((row) => row[column])),
    interval: percentileInterval(draws.map((draw) => mean(draw.map((row) => row[column]))))!,
  }));
}

const cells = (rows: readonly (readonly number[])[], sign = (value: number) => short(value)): string[] =>
  resampled(rows).map(({ value, interval: { low, high } }) => `${sign(value)} [${sign(low)}, ${sign(high)}]`);

/** The page with these numbers. */
export function withWords(page: string, { examples, scenes }: MeasuredWords): string {
  const of = (name: MapName, some = scenes) => some.map(({ maps }) => maps[name]);
  const both = scenes.filter((scene) => scene.exclip !== null);
  const theirs = both.map(({ exclip }) => exclip!);
  const differences = both.map(({ maps, exclip }) => maps.word.map((value, i) => value - exclip![i]));
  const signed = (value: number) => (value < 0 ? `−${short(-value)}` : `+${short(value)}`);
  const measures = ["#points", "#centre of the patch in the mask", "#energy inside"];
  return withBlocks(page, "words", NAMES, {
    examples: tableMarkdown({
      caption: "what single words add",
      columns: ["text", "#score", "the word that differs", "the monkey"],
      rows: examples,
    }),
    pointing: tableMarkdown({
      caption: `${scenes.length} of ${SCENES} scenes`,
      columns: ["map", ...measures],
      rows: [
        ...(Object.keys(MAPS) as MapName[]).map((name) => [MAPS[name], ...cells(of(name))]),
        ["the mask's share of the picture", short(mean(scenes.map(({ share }) => share))), "", ""],
      ],
    }),
    exclip: tableMarkdown({
      caption: `the first ${both.length} of them`,
      columns: ["map", ...measures],
      rows: [
        ["word × patch", ...cells(of("word", both))],
        ["exCLIP", ...cells(theirs)],
        ["difference, scene by scene", ...cells(differences, signed)],
      ],
    }),
  });
}

/** What `bench/second_order.py` reads: each scene's pixels as the model is shown them, token ids, and the tokens of the object's words. */
export async function exclipInput(count: number): Promise<string> {
  return withScenes(SCENES, async (model, scenes) => {
    const tokenizer = await model.tokenizer();
    const rows = [];
    for (const { path, row, words } of scenes.slice(0, count)) {
      const { ids } = tokenizer.encode(row.caption);
      const spelled = tokenizer.words(ids).filter(({ kind }) => kind === "word");
      const { pixels } = await pixelsOf(model, path, {});
      rows.push({
        path: row.path,
        ids,
        tokens: words.flatMap((word) => spelled[word].tokens),
        pixels: Array.from(pixels, (value) => Number(value.toPrecision(7))),
      });
    }
    return JSON.stringify(rows);
  });
}
