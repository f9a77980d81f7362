/**
 * Where in images heads write along their axes, and where they look on average. No index holds tokens, so the images that
 * pages show are decomposed once more, each once for all heads. What an image gave is appended to a journal, so that work
 * that was stopped goes on at the image where it was.
 */
import type { Index } from "../../corpus/open-index.ts";
import { pictureOf } from "../../corpus/picture.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { decomposeImages } from "../../model/decompose-images.ts";
import { tokenProbe } from "../../model/head-space.ts";
import { directTokens } from "../../model/kernel.ts";
import type { AtlasHeadResult } from "../../results/atlas.ts";
import { headOf } from "../../results/shapes.ts";
import { appendTo, linesOf, remove } from "../../support/files.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { mapPlacement } from "../segmentation/segmentation.ts";
import type { Axis } from "./axes.ts";

/** A map that a page shows. */
export interface WantedMap {
  /** Head number, layer·H + head. */
  readonly unit: number;
  /** Which of its axes. */
  readonly axis: number;
  readonly row: number;
}

/** How maps are made. */
export interface MapOptions extends WorkOptions {
  /** Images that are decomposed, at most; the first wanted first. */
  readonly most: number;
  /** Images that the mean look is taken over. */
  readonly gallery: readonly number[];
  /** A file that keeps what was done; without one nothing is kept. */
  readonly journal?: string;
  /** Images in one run of the encoder. Default: as many as fit the memory, at most 16. */
  readonly batch?: number;
}

/** What the images gave. */
export interface Maps {
  /** Scores of each patch. */
  map(wanted: WantedMap): number[] | null;
  /** Where the patches lie on the upright image, in shares of its sides. */
  covered(row: number): AtlasHeadResult["pictures"][number]["covered"];
  look(unit: number): AtlasHeadResult["look"];
}

type Covered = NonNullable<AtlasHeadResult["pictures"][number]["covered"]>;

/** What one image gave: a line of the journal. */
interface Seen {
  readonly row: number;
  /** Null where the file cannot be read any more. */
  readonly covered: Covered | null;
  /** float32, base64: [wanted of this row, patches]. */
  readonly maps: string;
  /** float32, base64: [L·H, N]; empty where the image is not of the gallery. */
  readonly look: string;
}

/** Bytes of tokens in one batch. */
const TOKEN_BYTES = 2 ** 27;
const MOST_BATCH = 16;

/** Images that maps need, those of the gallery first. @param wanted most wanted first */
export function imagesToMap(
  wanted: readonly WantedMap[],
  { most, gallery }: Pick<MapOptions, "most" | "gallery">,
): number[] {
  return [...new Set([...gallery, ...wanted.map(({ row }) => row)])].slice(0, most);
}

/**
 * Makes the maps.
 * @param axes [L·H][axes]
 * @throws `CANCELLED`, `OUTPUT_UNWRITABLE`, `DISK_FULL`
 */
export async function makeMaps(
  model: ClipModel,
  index: Index,
  axes: readonly (readonly Axis[])[],
  wanted: readonly WantedMap[],
  options: MapOptions,
): Promise<Maps> {
  const { gallery, journal, report, signal } = options;
  const { geometry, config } = model;
  const { layers, heads } = geometry;
  const { tokens, prefix, grid, width } = config.vision;
  const patches = grid * grid;
  const rows = imagesToMap(wanted, options);
  const inGallery = new Set(gallery);
  const wantedOf = new Map<number, WantedMap[]>(rows.map((row) => [row, []]));
  for (const one of wanted) wantedOf.get(one.row)?.push(one);
  const maps = new Map<string, Float32Array>();
  const covered = new Map<number, Covered>();
  const looks = new Float64Array(layers * heads * tokens);
  let looked = 0;
  const take = ({ row, covered: where, maps: drawn, look }: Seen) => {
    if (where === null) return;
    covered.set(row, where);
    const values = floatsOf(drawn);
    for (const [i, one] of (wantedOf.get(row) ?? []).entries())
      maps.set(keyOf(one), values.slice(i * patches, (i + 1) * patches));
    const attention = floatsOf(look);
    if (attention.length === 0) return;
    looked++;
    for (let i = 0; i < looks.length; i++) looks[i] += attention[i];
  };
  const done = new Set<number>();
  if (journal !== undefined) {
    for await (const seen of readJournal(journal)) {
      if (done.has(seen.row) || !wantedOf.has(seen.row)) continue;
      done.add(seen.row);
      take(seen);
    }
    // What cannot be kept is known before the work.
    await appendTo(journal, "");
  }
  const task = "looking at images";
  report?.({ type: "start", task, unit: "image", total: rows.length });
  const left = rows.filter((row) => !done.has(row));
  const paths = left.map((row) => pictureOf(index.manifest.root, index.images[row].path));
  const perImage = layers * tokens * width * 4;
  const batch = options.batch ?? Math.max(1, Math.min(MOST_BATCH, Math.floor(TOKEN_BYTES / perImage)));
  const tokenLayers = Array.from({ length: layers }, (_, layer) => layer);
  const probes = new Map<string, Float64Array>();
  let at = 0;
  const work = { batch, tokenLayers, exif: index.manifest.preprocessing.exif, ...(signal && { signal }) };
  for await (const { images, decomposition, rejected } of decomposeImages(model, paths, work)) {
    checkCancelled(signal);
    const size = images.length + rejected.length;
    // Outcomes come in the order of the paths; what could not be read is told apart by its path.
    const bad = new Set(rejected.map(({ source }) => source));
    let image = 0;
    const lines: Seen[] = [];
    for (const [i, row] of left.slice(at, at + size).entries()) {
      if (bad.has(paths[at + i]) || !decomposition) {
        lines.push({ row, covered: null, maps: "", look: "" });
        continue;
      }
      const { shown } = images[image];
      const scale = geometry.pool
        ? decomposition.norm[image]
        : decomposition.sigma[image] * decomposition.norm[image];
      const own = wantedOf.get(row) ?? [];
      const drawn = new Float32Array(own.length * patches);
      for (const [w, { unit, axis }] of own.entries()) {
        const head = headOf(Math.floor(unit / heads), unit % heads);
        const key = `${unit}.${axis}`;
        const q = probes.get(key) ?? tokenProbe(geometry, axes[unit][axis].v, head);
        probes.set(key, q);
        const scores = directTokens(geometry, q, decomposition.tokens, head, image);
        for (let patch = 0; patch < patches; patch++)
          drawn[w * patches + patch] = scores[patch + prefix] / scale;
      }
      lines.push({
        row,
        covered: placeOf(mapPlacement(shown.placement, config.vision), shown),
        maps: base64Of(drawn),
        look: inGallery.has(row) ? base64Of(attentionOf(model, decomposition.tokens.layers, image)) : "",
      });
      image++;
    }
    at += size;
    for (const line of lines) take(line);
    if (journal !== undefined) {
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      await appendTo(journal, text);
    }
    report?.({ type: "advance", task, done: done.size + at, total: rows.length });
  }
  report?.({ type: "end", task, done: rows.length });
  const { pooling } = config.vision;
  return {
    map(one) {
      const values = maps.get(keyOf(one));
      return values ? Array.from(values, rounded) : null;
    },
    covered: (row) => covered.get(row) ?? null,
    look(unit) {
      if (looked === 0) return null;
      const mean = Array.from(looks.subarray(unit * tokens, (unit + 1) * tokens), (sum) => sum / looked);
      return {
        kind: "attention",
        words:
          prefix === 1 && String(pooling) === "cls"
            ? "attention of the CLS token"
            : "attention, pooled as the embedding is",
        images: looked,
        values: mean.slice(prefix, prefix + grid * grid).map(rounded),
        cls: prefix === 1 ? mean[0] : null,
      };
    },
  };
}

/** Removes a journal that is no longer needed. */
export const removeJournal = (journal: string): Promise<void> => remove(journal);

/** Four digits say more than a colour shows. */
const rounded = (value: number): number => Number(value.toPrecision(4));

const keyOf = ({ unit, axis, row }: WantedMap): string => `${unit}.${axis}.${row}`;

/** [L·H, N]: attention of one image, the mean over heads of a pool. */
function attentionOf(
  { geometry, config }: ClipModel,
  layers: ReadonlyMap<number, { readonly attention: Float32Array }>,
  image: number,
): Float32Array {
  const { heads, pool } = geometry;
  const { tokens } = config.vision;
  const rows = pool?.heads ?? 1;
  const all = new Float32Array(geometry.layers * heads * tokens);
  for (const [layer, { attention }] of layers) {
    for (let head = 0; head < heads; head++) {
      for (let p = 0; p < rows; p++) {
        const from = ((image * heads + head) * rows + p) * tokens;
        const to = (layer * heads + head) * tokens;
        for (let i = 0; i < tokens; i++) all[to + i] += attention[from + i] / rows;
      }
    }
  }
  return all;
}

function placeOf(
  area: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  { width, height }: { readonly width: number; readonly height: number },
): Covered {
  // A picture that is padded is seen whole: what lies beside it is cut off.
  const [left, top] = [Math.max(0, area.x / width), Math.max(0, area.y / height)];
  return {
    ...{ x: left, y: top },
    width: Math.min(1 - left, area.width / width),
    height: Math.min(1 - top, area.height / height),
  };
}

const base64Of = (values: Float32Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");

function floatsOf(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** What a journal holds; a last line that was cut off is passed over. */
async function* readJournal(path: string): AsyncGenerator<Seen> {
  for await (const line of linesOf(path)) {
    try {
      yield JSON.parse(line) as Seen;
    } catch {
      // The work was stopped while it was written.
    }
  }
}
