import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { normalize } from "../../src/image/show.ts";
import { cosine, rowsOf } from "../../src/math/linear.ts";
import type { ClipModel } from "../../src/model/clip-model.ts";
import { DEFAULT_MODEL, EMBEDDED_MODELS } from "../../src/model/embedded.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { factorPrompts } from "../../src/world/prompts.ts";
import { render } from "../../src/world/render.ts";
import { type Scene, sampleScene } from "../../src/world/scene.ts";
import { Sprites } from "../../src/world/sprites.ts";
import { everyKind } from "../support/every-kind.ts";

const share = z.object({ accuracy: z.number(), low: z.number(), high: z.number(), n: z.int() });
const evaluationSchema = z.object({
  compositions: z.record(z.string(), share),
  style: z.record(z.string(), share),
  bias: z.object({ aligned: share, conflicting: share, worst: share, groups: z.array(share) }),
  open_clip: z.object({ embedding_error: z.number(), cosine_error: z.number() }),
});
const readEvaluation = async (folder: string) =>
  evaluationSchema.parse(JSON.parse(await readFile(join(folder, "evaluation.json"), "utf8")));

/** Scenes whose compositions training never showed, drawn at the models' own size. */
const scenes = Array.from({ length: 500 }, (_, index) => sampleScene("compositions", index));
const alone = (scene: Scene) => scene.arrangement === null;
const FACTORS: Readonly<Record<string, (scene: Scene) => string | number | null>> = {
  concept: (scene) => (alone(scene) ? scene.objects[0].concept : null),
  count: (scene) => scene.count,
  style: (scene) => scene.style,
  position: (scene) => scene.position,
  background: (scene) => (scene.effect === "black and white" ? null : scene.background),
  effect: (scene) => scene.effect,
};

let pictures: Uint8Array[];
beforeAll(async () => {
  const sprites = await Sprites.forScenes(scenes, 64);
  pictures = scenes.map((scene) => render(scene, 64, sprites).rgb.slice());
});

/** The embeddings of all scenes. */
async function embedPictures(model: ClipModel): Promise<Float32Array[]> {
  const { preprocess, embedDim } = model.config;
  const BATCH = 50;
  const pixels = new Float32Array(BATCH * 3 * preprocess.size ** 2);
  const out: Float32Array[] = [];
  for (let start = 0; start < pictures.length; start += BATCH) {
    pictures
      .slice(start, start + BATCH)
      .forEach((rgb, i) => void normalize(rgb, preprocess, pixels, (i * pixels.length) / BATCH));
    const { embedding } = await model.decompose(pixels);
    out.push(...rowsOf(embedding, embedDim));
  }
  return out;
}

/** The mean of vectors brought to length one. */
function meanDirection(vectors: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(vectors[0].length);
  for (const vector of vectors) {
    const length = Math.hypot(...vector);
    for (let d = 0; d < mean.length; d++) mean[d] += vector[d] / length / vectors.length;
  }
  return mean;
}

/** How often the value whose texts are nearest is the true one. */
async function zeroShot(model: ClipModel, images: readonly Float32Array[], factor: string) {
  const values = factorPrompts()[factor];
  const classes = await Promise.all(
    values.map(async ({ texts }) =>
      meanDirection(rowsOf(await model.encodeTexts(texts), model.config.embedDim)),
    ),
  );
  let [hits, n] = [0, 0];
  scenes.forEach((scene, i) => {
    const truth = FACTORS[factor](scene);
    if (truth === null) return;
    const scores = classes.map((direction) => cosine(direction, images[i]));
    n++;
    if (values[scores.indexOf(Math.max(...scores))].value === truth) hits++;
  });
  return { accuracy: hits / n, n };
}

/** Drawing scenes anew and looking at all of them takes a while. */
const QUICK = [DEFAULT_MODEL, "emoji-4x128-p16"];

describe.each(everyKind(EMBEDDED_MODELS, (name) => QUICK.includes(name)))("%s", (name) => {
  it("is as accurate as its card says, on scenes drawn anew", { timeout: 180_000 }, async () => {
    const { folder } = await locateModel(name);
    const { compositions } = await readEvaluation(folder);
    const model = await loadClipModel(folder, name);
    const images = await embedPictures(model);
    for (const factor of Object.keys(FACTORS)) {
      const { accuracy, n } = await zeroShot(model, images, factor);
      const claimed = compositions[factor].accuracy;
      const deviation = Math.sqrt((claimed * (1 - claimed)) / n) + 1 / n;
      expect(Math.abs(accuracy - claimed), `${factor}: ${accuracy}, claimed ${claimed}`).toBeLessThan(
        4 * deviation,
      );
    }
    await model.release();
  });

  it("gives OpenCLIP's own numbers, as its card records", async () => {
    const { folder } = await locateModel(name);
    const { open_clip: openClip } = await readEvaluation(folder);
    expect(openClip.embedding_error).toBeLessThan(1e-5);
    expect(openClip.cosine_error).toBeLessThan(1e-5);
  });
});

describe("the embedded family", () => {
  it("weighs under 50 MB", async () => {
    const sizes = EMBEDDED_MODELS.map(async (name) => {
      const { folder } = await locateModel(name);
      return (await stat(join(folder, "open_clip_model.safetensors"))).size;
    });
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(total).toBeLessThan(50e6);
  });

  it("has a default model that knows its world", async () => {
    const { compositions } = await readEvaluation((await locateModel(DEFAULT_MODEL)).folder);
    expect(compositions.concept.accuracy).toBeGreaterThan(0.8);
    expect(compositions.background.accuracy).toBeGreaterThan(0.9);
    for (const factor of ["group", "count", "position"]) {
      expect(compositions[factor].accuracy).toBeGreaterThan(0.7);
    }
  });
});
