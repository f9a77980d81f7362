import { LRUCache } from "lru-cache";
import { type TextParts, textPartsOf } from "../analysis/words/words.ts";
import type { ModelConfig } from "../checkpoint/model-config.ts";
import type { SourceImage } from "../corpus/source.ts";
import { createShare } from "../hub/share.ts";
import { createPreprocessPool, type PreprocessPool } from "../image/pool.ts";
import type { Preprocessed } from "../image/show.ts";
import { parseTextHeads } from "../model/components.ts";
import type { TokenDecomposition } from "../model/decompose.ts";
import { normalizeAll } from "../model/pixels.ts";
import { unitProbe } from "../model/probe.ts";
import type { ImageOrigin } from "../results/origin.ts";
import { sha256Of } from "../support/hash.ts";
import { checkCancelled } from "../support/progress.ts";
import type { Corpora } from "./corpora.ts";
import { createGate } from "./gate.ts";
import type { Limits } from "./limits.ts";
import type { ServedModel } from "./models.ts";
import type { FairQueue } from "./queue.ts";
import type { Uploads } from "./uploads.ts";

/** Who asks: whose turn it counts as, and when it leaves. */
export interface Caller {
  readonly client: string;
  readonly signal: AbortSignal;
}

/** An image found by its name. */
export interface FoundImage {
  readonly bytes: Buffer;
  readonly sha256: string;
  /** Of a corpus. */
  readonly row?: SourceImage;
}

/** One image through one model: all that any question about it needs. */
export interface Look extends KeptLook {
  /** How results name the image. */
  readonly image: ImageOrigin;
}

/** What belongs to an image's bytes, by whatever name they were asked for. */
interface KeptLook {
  readonly shown: Omit<Preprocessed, "rgb">;
  readonly decomposition: TokenDecomposition;
}

/** Images, and what models made of them and of texts, kept by content. */
export interface Looks {
  /** @throws `NOT_FOUND`, `IMAGE_GONE`, `CORPUS_NOT_READY` */
  find(image: string): Promise<FoundImage>;
  /** Decomposes an image with every head's tokens, or remembers it. */
  look(model: ServedModel, image: string, caller: Caller): Promise<Look>;
  /** Raw text embeddings, [t, D]; each text is encoded once. */
  texts(model: ServedModel, texts: readonly string[], caller: Caller): Promise<Float32Array>;
  /** A text taken apart into its words, through some text heads; each is computed once. @throws `HEADS_INVALID` */
  words(model: ServedModel, text: string, textHeads: string, caller: Caller): Promise<TextParts>;
  /** Ends its threads. */
  close(): Promise<void>;
  /** The texts' probes. */
  probes(model: ServedModel, texts: readonly string[], caller: Caller): Promise<Float64Array[]>;
}

/** Makes the caches over a queue. */
export function createLooks(
  corpora: Corpora,
  uploads: Uploads,
  queue: FairQueue,
  { lookBytes, textBytes, pixels, picturesAtOnce }: Limits,
): Looks {
  const kept = new LRUCache<string, KeptLook>({
    maxSize: lookBytes,
    sizeCalculation: ({ decomposition }) => bytesOf(decomposition),
  });
  const embeddings = new LRUCache<string, Float32Array>({
    maxSize: textBytes,
    sizeCalculation: ({ byteLength }) => byteLength + 256,
  });
  const wordParts = new LRUCache<string, TextParts>({
    maxSize: textBytes,
    sizeCalculation: ({ parts, decomposition }) =>
      bytesOf(decomposition) + parts.reduce((sum, { vector }) => sum + vector.byteLength, 256),
  });
  const share = createShare<KeptLook>();
  // Threads decode: a large photograph takes as long as many answers. Most models are shown images alike.
  const pools = new Map<string, PreprocessPool>();
  const decoding = createGate(picturesAtOnce);
  const poolFor = (config: ModelConfig["preprocess"]): PreprocessPool => {
    const key = JSON.stringify(config);
    const pool = pools.get(key) ?? createPreprocessPool(config, { maxPixels: pixels, name: "the picture" });
    pools.set(key, pool);
    return pool;
  };

  const looks: Looks = {
    async find(image) {
      const [place, id = ""] = image.split(":");
      if (place === "upload") return { bytes: await uploads.read(id), sha256: id };
      const { bytes, row } = await corpora.read(place, id);
      return { bytes, row, sha256: sha256Of(bytes) };
    },
    async look(model, image, { client, signal }) {
      const { bytes, sha256, row } = await looks.find(image);
      const key = `${model.id} ${sha256}`;
      const named = { name: row?.path ?? image, label: row?.label ?? null, sha256 };
      const known = kept.get(key);
      if (known) return { ...known, image: named };
      const work = async (own: AbortSignal) => {
        const { preprocess, vision } = model.config;
        const { rgb, ...shown } = await decoding(() => poolFor(preprocess).run(bytes));
        const look = await queue.run(client, own, async () => {
          const tokenLayers = Array.from({ length: vision.layers }, (_, layer) => layer);
          const decomposition = await model.decompose(normalizeAll([{ rgb }], preprocess), { tokenLayers });
          return { shown, decomposition };
        });
        kept.set(key, look);
        return look;
      };
      // Two who ask for the same image wait for one run, which goes on while either waits.
      return { ...(await share(key, ({ signal: own }) => work(own), { signal })), image: named };
    },
    async texts(model, texts, { client, signal }) {
      const { embedDim } = model.config;
      const keyOf = (text: string) => `${model.id} ${text}`;
      const rows = new Map<string, Float32Array>();
      for (const text of texts) {
        const known = embeddings.get(keyOf(text));
        if (known) rows.set(text, known);
      }
      const missing = [...new Set(texts)].filter((text) => !rows.has(text));
      if (missing.length > 0) {
        const found = await queue.run(client, signal, () => model.encodeTexts(missing));
        for (const [i, text] of missing.entries()) {
          const row = found.slice(i * embedDim, (i + 1) * embedDim);
          rows.set(text, row);
          embeddings.set(keyOf(text), row);
        }
      }
      checkCancelled(signal);
      const all = new Float32Array(texts.length * embedDim);
      for (const [i, text] of texts.entries()) all.set(rows.get(text)!, i * embedDim);
      return all;
    },
    async words(model, text, textHeads, { client, signal }) {
      const key = JSON.stringify([model.id, textHeads, text]);
      const known = wordParts.get(key);
      if (known) return known;
      const parts = await queue.run(client, signal, async () => {
        const textSet = parseTextHeads(textHeads, await model.textGeometry());
        return textPartsOf(model, text, { textSet, writtenText: textHeads });
      });
      wordParts.set(key, parts);
      return parts;
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
    async probes(model, texts, caller) {
      const { embedDim } = model.config;
      const all = await looks.texts(model, texts, caller);
      return texts.map((_, i) => unitProbe(all.subarray(i * embedDim, (i + 1) * embedDim)));
    },
  };
  return looks;
}

function bytesOf({ z, embedding, mlps, tokens }: TokenDecomposition): number {
  let bytes = z.byteLength + embedding.byteLength + mlps.byteLength;
  for (const { attention, values } of tokens.layers.values())
    bytes += attention.byteLength + values.byteLength;
  return bytes;
}
