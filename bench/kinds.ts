/**
 * What decomposing costs over plain encoding, for each kind of image tower, all of one size: twelve layers of six heads of 64,
 * 14 × 14 patches, random weights.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openClipOutcomes } from "../scripts/model-tables.ts";
import { openClipFacts } from "../src/checkpoint/open-clip-config.ts";
import { Random } from "../src/math/random.ts";
import { decompose } from "../src/model/decompose.ts";
import { loadGeometry } from "../src/model/geometry.ts";
import { createMatMul } from "../src/onnx/matmul.ts";
import { createSession, openNodeSession } from "../src/onnx/node-session.ts";
import { visionGraph } from "../src/onnx/vision.ts";
import { configs, randomWeights, resize } from "../test/support/architectures.ts";
import { ratio } from "./ratio.ts";

const KINDS = {
  "CLS token": "ViT-S-16",
  "layer scale": "ViT-M-16-alt",
  "EVA-02: rotary, norm behind heads, gated MLP": "EVA02-B-16",
  "EVA-02-E: norm behind attention": "EVA02-E-14",
  "relative positions": "vit_relpos_medium_patch16_cls_224",
  "mean of patches, then norm": "ViT-L-14-CLIPA",
  "norm, then mean of patches": "vit_medium_patch16_gap_256",
  "ViTamin: convolutional stem, mean": "ViTamin-B",
  "attention: SigLIP": "ViT-B-16-SigLIP",
  "attention: PE": "PE-Core-B-16",
  "attention: CoCa": "coca_ViT-B-32",
};
const SIZES = {
  ...{ width: 384, layers: 12, heads: 6, mlpWidth: 1536, patchSize: 16, grid: 14, embedDim: 384 },
  ...{ poolHeads: 6, poolMlpWidth: 1536, stemWidths: [64, 64, 128] as [number, number, number] },
};
const [BATCH, TURNS] = [8, 5];

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const folder = mkdtempSync(join(tmpdir(), "kinds-"));
const matmul = await createMatMul(openNodeSession);
console.log("| image tower | plain, images/s | decomposed, images/s | time over plain | sums to within |");
console.log("| --- | --- | --- | --- | --- |");
for (const [kind, name] of Object.entries(KINDS)) {
  const config = openClipOutcomes().find((outcome) => outcome.name === name)?.config;
  if (!config) throw new Error(`${name} does not load`);
  const { tower } = openClipFacts({ model_cfg: configs[name] }, name);
  const resized = resize(config, tower, SIZES);
  const file = join(folder, "weights.bin");
  const weights = randomWeights(name, resized, file, 1);
  const geometry = await loadGeometry(openNodeSession, { config: resized.config, weights });
  const open = (graph: "plain" | "decompose") => {
    const how = {
      kind: graph,
      tokenLayers: [],
      gated: false,
      precision: "fp32",
      attention: "fused",
    } as const;
    return createSession(visionGraph(resized.config, weights.vision, how), file);
  };
  const [plain, whole] = [await open("plain"), await open("decompose")];
  const random = new Random(1);
  const side = resized.config.vision.imageSize;
  const pixels = Float32Array.from({ length: BATCH * 3 * side * side }, () => random.between(-2, 2));
  const encode = () => plain.run({ pixels: { data: pixels, dims: [BATCH, 3, side, side] } });
  const take = () => decompose(whole, matmul, resized.config, geometry, pixels);
  const times = { plain: [] as number[], whole: [] as number[] };
  let error = 0;
  for (let turn = 0; turn <= TURNS; turn++) {
    const start = performance.now();
    await encode();
    const middle = performance.now();
    error = Math.max(error, ...(await take()).error);
    // The first turn warms up.
    if (turn === 0) continue;
    times.plain.push(middle - start);
    times.whole.push(performance.now() - middle);
  }
  const [a, b] = [median(times.plain), median(times.whole)];
  const rate = (time: number) => ((BATCH * 1000) / time).toFixed(1);
  console.log(`| ${kind} | ${rate(a)} | ${rate(b)} | ${(b / a).toFixed(3)} | ${error.toExponential(0)} |`);
  ratio({
    ...{ what: `decomposing ${BATCH} images, ${kind}`, took: b },
    ...{ beside: "plain encoding", besideTook: a },
  });
  await plain.release();
  await whole.release();
}
rmSync(folder, { recursive: true });
