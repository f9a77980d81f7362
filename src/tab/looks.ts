import { LRUCache } from "lru-cache";
import type { SeenImage } from "../analysis/segmentation/segmentation.ts";
import { sizeInBrowser } from "../image/web-decode.ts";
import type { ClipModel } from "../model/clip-model.ts";
import { normalizeAll } from "../model/pixels.ts";
import { unitProbe } from "../model/probe.ts";
import type { ImageInfo } from "../results/app.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { sha256Of } from "../support/hash.ts";
import type { Collections } from "./collections.ts";
import type { PageFacts } from "./facts.ts";

/** Where a tab has its pictures from. */
export interface PictureSources {
  readonly facts: PageFacts;
  readonly readFile: (address: string) => Promise<Uint8Array>;
  /** Pictures that the page did not come with. */
  readonly collections?: Collections;
}

/** Bytes of decompositions, and of pictures that were dropped in, that are kept. */
const LOOK_BYTES = 256e6;
const UPLOAD_BYTES = 512e6;
const MOST_TEXTS_KEPT = 2000;

/** The pictures of one tab, and what models made of them and of texts, as far as that is kept. */
export function createLooks({ facts, readFile, collections }: PictureSources) {
  const uploads = new LRUCache<string, Uint8Array>({
    maxSize: UPLOAD_BYTES,
    sizeCalculation: ({ length }) => Math.max(1, length),
  });
  const looks = new LRUCache<string, SeenImage>({ maxSize: LOOK_BYTES, sizeCalculation: bytesOf });
  const embeddings = new LRUCache<string, Float32Array>({ max: MOST_TEXTS_KEPT });
  const find = async (image: string) => {
    const [place = "", id = ""] = image.split(":");
    const collection = await collections?.find(place);
    if (collection) return collection.picture(id);
    const picture = facts.pictures[image];
    const bytes = place === "upload" ? uploads.get(id) : picture && (await readFile(picture.address));
    if (!bytes) throw new ClipInterpretError("IMAGE_GONE", "this picture is not in the page any more");
    return { bytes, picture };
  };
  const describe = async (image: string): Promise<ImageInfo> => {
    const { bytes, picture } = await find(image);
    const { width, height } = await sizeInBrowser(bytes, { name: "the picture" });
    return {
      ...{ image, sha256: sha256Of(bytes), bytes: bytes.length, width, height },
      ...{ path: picture?.path ?? null, label: picture?.label ?? null, factors: picture?.factors ?? {} },
    };
  };
  const look = async (model: ClipModel, image: string): Promise<SeenImage> => {
    const { bytes, picture } = await find(image);
    const key = `${model.name} ${model.device} ${image}`;
    const known = looks.get(key);
    if (known) return known;
    const { rgb, ...shown } = await model.preprocess(bytes, { name: "the picture" });
    const { preprocess, vision } = model.config;
    const tokenLayers = Array.from({ length: vision.layers }, (_, layer) => layer);
    const seen: SeenImage = {
      image: { name: picture?.path ?? image, label: picture?.label ?? null, sha256: shown.sha256 },
      shown,
      decomposition: await model.decompose(normalizeAll([{ rgb }], preprocess), { tokenLayers }),
    };
    looks.set(key, seen);
    return seen;
  };
  const embed = async (model: ClipModel, texts: readonly string[]): Promise<Float32Array> => {
    const { embedDim } = model.config;
    const keyOf = (text: string) => `${model.name} ${text}`;
    const missing = [...new Set(texts)].filter((text) => !embeddings.has(keyOf(text)));
    const found = missing.length > 0 ? await model.encodeTexts(missing) : new Float32Array();
    const rows = new Map(missing.map((text, i) => [text, found.slice(i * embedDim, (i + 1) * embedDim)]));
    for (const [text, row] of rows) embeddings.set(keyOf(text), row);
    const all = new Float32Array(texts.length * embedDim);
    for (const [i, text] of texts.entries())
      all.set(rows.get(text) ?? embeddings.get(keyOf(text))!, i * embedDim);
    return all;
  };
  const probesOf = async (model: ClipModel, texts: readonly string[]) => {
    const all = await embed(model, texts);
    const { embedDim } = model.config;
    return texts.map((_, i) => unitProbe(all.subarray(i * embedDim, (i + 1) * embedDim)));
  };
  /** Takes a picture that is given to the tab. */
  const upload = (bytes: Uint8Array): Promise<ImageInfo> => {
    const id = sha256Of(bytes);
    uploads.set(id, bytes);
    return describe(`upload:${id}`);
  };
  return { find, describe, upload, look, embed, probesOf };
}

function bytesOf({ decomposition: { z, embedding, mlps, tokens } }: SeenImage): number {
  let bytes = z.byteLength + embedding.byteLength + mlps.byteLength;
  for (const { attention, values } of tokens.layers.values())
    bytes += attention.byteLength + values.byteLength;
  return bytes;
}
