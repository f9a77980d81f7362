/** Both towers as files of standard operators, run by plain ONNX Runtime. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { exportEncoder, exportTextEncoder } from "../../src/model/export-encoder.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { pixelsOf } from "../../src/model/pixels.ts";
import { openModel } from "../../src/model/registry.ts";
import { InferenceSession, Tensor } from "../../src/onnx/runtime.ts";
import { readNpy } from "../../src/support/npy.ts";
import { relativeError } from "../support/compare.ts";
import { goldenPath } from "../support/goldens.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "export-text-"));
});
afterAll(() => rm(scratch, { recursive: true }));

/** Loads a file afresh, with no option of ours, and runs it. */
async function run(file: string, feeds: Record<string, Tensor>): Promise<Float32Array> {
  const session = await InferenceSession.create(file);
  const { embedding } = await session.run(feeds);
  await session.release();
  return embedding.data as Float32Array;
}

/** Without the two in transformers' layout, whose configs name an end token that their renumbered ids do not have. */
const CASES = [
  ...["gelu-p8/open_clip", "quickgelu-p14/open_clip"],
  ...["layer-scale", "mean-norm", "norm-mean", "end-by-id", "coca", "siglip-timm", "siglip-transformers"].map(
    (kind) => `kinds/${kind}`,
  ),
  ...["bert", "chinese-clip", "roberta", "altclip", "nllb", "mt5"].map((kind) => `kinds/${kind}`),
];

describe.each(CASES)("the text tower of %s", (folder) => {
  it("as a file gives its library's embeddings of padded texts, at length 1", async () => {
    const arrays = folder.replace(/^((gelu|quickgelu)-p\d+)\/.*/, "$1");
    const { shape, data } = await readNpy(goldenPath(`${arrays}/text_tokens.npy`));
    const wanted = await readNpy(goldenPath(`${arrays}/text_embedding.npy`));
    const model = await loadClipModel(goldenPath(folder));
    const path = join(scratch, `${folder.replaceAll("/", "-")}.onnx`);
    const { files, metadata } = await exportTextEncoder(model, path);
    expect(files).toEqual([path]);
    // No operator but ONNX's own.
    expect(await readFile(path, "latin1")).not.toMatch(/com\.microsoft|SimplifiedLayerNormalization/);
    expect(metadata.weights_sha256).toBe(await model.weightsHash());
    const found = await run(path, { ids: new Tensor("int64", data as BigInt64Array, [...shape]) });
    const width = model.config.embedDim;
    const raw = wanted.data as Float32Array;
    const unit = raw.map(
      (value, at) => value / Math.hypot(...raw.slice(at - (at % width), at - (at % width) + width)),
    );
    expect(relativeError(found, unit)).toBeLessThan(1e-5);
    await model.release();
  });
});

it("both towers of the default model as files give its cosines", async () => {
  const model = await openModel("emoji-4x128-p8");
  const scene = fileURLToPath(new URL("../../examples/scenes/images/0067-monkey.png", import.meta.url));
  const texts = ["a monkey", "two cats on a green background"];
  const [imagePath, textPath] = [join(scratch, "image.onnx"), join(scratch, "text.onnx")];
  await exportEncoder(model, imagePath);
  await exportTextEncoder(model, textPath, { weights: "beside" });
  const { pixels } = await pixelsOf(model, scene);
  const { size } = model.config.preprocess;
  const image = await run(imagePath, { pixels: new Tensor("float32", pixels, [1, 3, size, size]) });
  const ids = await model.tokenizeTexts(texts);
  const longest = Math.max(...ids.map(({ length }) => length));
  const padded = BigInt64Array.from(
    ids.flatMap((row) => [...row, ...Array<number>(longest - row.length).fill(0)]),
    BigInt,
  );
  const text = await run(textPath, { ids: new Tensor("int64", padded, [2, longest]) });
  const { texts: wanted } = await explainImage(model, scene, texts);
  for (const [i, { similarity }] of wanted.entries()) {
    const cosine = image.reduce((sum, value, d) => sum + value * text[i * image.length + d], 0);
    expect(cosine).toBeCloseTo(similarity, 5);
  }
  await model.release();
});
