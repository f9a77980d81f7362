import { requireFinite } from "../../checkpoint/finite.ts";
import type { ClipWeights } from "../../checkpoint/weight-roles.ts";
import { tensorsIn } from "../../checkpoint/weights.ts";
import { findPublished } from "../../labels/published.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { type Decomposition, imageOf } from "../../model/decomposition.ts";
import { originOf } from "../../results/origin.ts";
import { headOf } from "../../results/shapes.ts";
import { type Check, type VerifyResult, verifyResult } from "../../results/verify.ts";
import { disk } from "../../support/disk-bytes.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { checkCancelled, type WorkOptions } from "../../support/progress.ts";
import { checkBits, checkReference, checkSumErrors, failedSums } from "./checks.ts";
import { type Suite, suitePixels } from "./suite.ts";
import { checkZeroShot } from "./zero-shot.ts";

/** Images in one run: enough that one may influence another, few enough for a large model. */
const BATCH = 4;

/**
 * Runs a model on a few pictures and checks what can be checked without knowing it: that its parts sum, that an
 * image's numbers do not depend on its company, and that it names the pictures.
 *
 * @param reference the same model in float32 on the CPU, to compare with where this one is not
 * @throws `CHECKPOINT_INVALID` when a weight is not a number; what decoding the pictures throws; `CANCELLED`. A model that
 *   fails otherwise is a result, not an error.
 */
export async function verifyModel(
  model: ClipModel,
  suite: Suite,
  options: WorkOptions & { readonly reference?: ClipModel } = {},
): Promise<VerifyResult> {
  await requireFinite(disk, model.checkpoint.weights);
  const { layers, heads, headDim, patchSize, imageSize, activation } = model.config.vision;
  const { embedDim } = model.config;
  const parameters = countParameters(model.checkpoint.weights);
  return verifyResult(await originOf({ model }), {
    architecture: { layers, heads, headDim, patchSize, imageSize, embedDim, activation, parameters },
    pictures: suite.name,
    ...(await runChecks(model, suite, options)),
    published: await publishedAbout(model),
  });
}

/** What others published, each head by its place. */
async function publishedAbout({ name, config }: ClipModel): Promise<VerifyResult["published"]> {
  const found = await findPublished(name, config);
  if (!found) return null;
  const heads = found.heads.map(({ head: written, label }) => {
    const [layer, head] = (written.match(/\d+/g) ?? []).map(Number);
    return { ...headOf(layer, head), label };
  });
  return { ...found, heads };
}

async function runChecks(
  model: ClipModel,
  suite: Suite,
  { reference, signal }: WorkOptions & { readonly reference?: ClipModel },
): Promise<Pick<VerifyResult, "checks" | "imagesPerSecond" | "guesses">> {
  const pixels = await suitePixels(model, suite);
  const perImage = pixels.length / suite.pictures.length;
  const window = (start: number, count: number) =>
    pixels.subarray(start * perImage, (start + count) * perImage);
  const runAll = async (encoder: ClipModel) => {
    const batches: Decomposition[] = [];
    let seconds = 0;
    for (let start = 0; start < suite.pictures.length; start += BATCH) {
      checkCancelled(signal);
      const began = performance.now();
      batches.push(await encoder.decompose(window(start, Math.min(BATCH, suite.pictures.length - start))));
      // The first batch pays for the session.
      if (start > 0) seconds += (performance.now() - began) / 1000;
    }
    return { batches, imagesPerSecond: (suite.pictures.length - BATCH) / seconds };
  };
  try {
    const { batches, imagesPerSecond } = await runAll(model);
    const embeddings = batches.map(({ embedding }) => embedding);
    const last = batches.length - 1;
    const alone = [
      [await model.decompose(window(0, 1)), imageOf(batches[0], 0)],
      [
        await model.decompose(window(suite.pictures.length - 1, 1)),
        imageOf(batches[last], batches[last].count - 1),
      ],
    ];
    const checks: Check[] = [checkSumErrors(batches), checkBits(model, alone)];
    if (reference) {
      const exact = (await runAll(reference)).batches.map(({ embedding }) => embedding);
      checks.push(checkReference(model, embeddings, exact));
    }
    const { check, guesses } = await checkZeroShot(model, suite, embeddings);
    return { checks: [...checks, check], imagesPerSecond, guesses };
  } catch (error) {
    if (!(error instanceof ClipInterpretError && error.code === "SUM_MISMATCH")) throw error;
    return { checks: [failedSums(error)], imagesPerSecond: null, guesses: [] };
  }
}

/** Weights that embeddings are made of, both towers' together. */
export const countParameters = (weights: ClipWeights): number =>
  tensorsIn(weights).reduce((sum, { shape }) => sum + shape.reduce((all, size) => all * size, 1), 0);
