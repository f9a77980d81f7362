import type { Preprocessed } from "../../image/show.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { TokenDecomposition } from "../../model/decompose.ts";
import { normalizeAll } from "../../model/pixels.ts";
import type { Check } from "../../results/verify.ts";
import { ClipInterpretError } from "../../support/errors.ts";
import { apartOf, failedSums } from "./checks.ts";

/** Rounding leaves less between two devices that compute the same in float32. */
const SAME_TO = 1e-5;

/**
 * Holds what a device computes to what the CPU does: every number of some pictures' decompositions, attention and values of all tokens
 * included. Each is taken apart alone, with its tokens and without them, as looks and indexes are: graphs of their own on a device.
 *
 * @param reference the same model on the CPU
 * @param shown pictures as both are shown them
 * @returns a check that passes within 1e-5 of the largest entry of each kind of number, and fails otherwise
 * @example
 * ```ts
 * import { checkDevice, openWebModel } from "clip-interpret/browser";
 * import { InferenceSession, Tensor } from "onnxruntime-web/wasm";
 *
 * const address = "https://example.org/models/emoji-4x128-p8";
 * const runtime = { InferenceSession, Tensor };
 * const reference = await openWebModel(address, { runtime });
 * const gpu = "GPUAdapter" in globalThis && (await import("onnxruntime-web/webgpu"));
 * const onGpu = gpu ? await openWebModel(address, { runtime, gpu }) : reference;
 * const shown = await reference.preprocess("https://example.org/examples/scenes/images/0067-monkey.png");
 * const { status } = await checkDevice(onGpu, reference, [shown]);
 * const model = status === "pass" ? onGpu : reference;
 * console.log(model.config.vision.heads); // → 4
 * ```
 */
export async function checkDevice(
  model: ClipModel,
  reference: ClipModel,
  shown: readonly Pick<Preprocessed, "rgb">[],
): Promise<Check> {
  const { preprocess, vision } = model.config;
  const tokenLayers = Array.from({ length: vision.layers }, (_, layer) => layer);
  let value = 0;
  try {
    for (const picture of shown) {
      const pixels = normalizeAll([picture], preprocess);
      const exact = await reference.decompose(pixels, { tokenLayers });
      for (const layers of [tokenLayers, []]) {
        const found = await model.decompose(pixels, { tokenLayers: layers });
        const errors = numbersOf(found).map((numbers, i) => apartOf([numbers], [numbersOf(exact)[i]]));
        // Math.max keeps what is no number.
        value = Math.max(value, ...errors);
      }
    }
  } catch (error) {
    if (!(error instanceof ClipInterpretError && error.code === "SUM_MISMATCH")) throw error;
    return { ...failedSums(error), name: "float32", meaning: differs(model) };
  }
  const isSame = value <= SAME_TO;
  return {
    name: "float32",
    status: isSame ? "pass" : "fail",
    value: Number.isFinite(value) ? value : null,
    result: Number.isFinite(value)
      ? `off by ${value.toExponential(1)} of the largest entry`
      : "some of its numbers are none",
    meaning: isSame ? `${model.device} computes what the CPU does, to rounding.` : differs(model),
  };
}

const differs = ({ device }: ClipModel) =>
  `${device} does not compute what the CPU does (${SAME_TO} is allowed): do not use its numbers.`;

/**
 * All numbers of a decomposition, a kind each: tokens, of all layers, behind the others. A residual's mean has no size of its own, and is
 * in the MLPs' contributions.
 */
const numbersOf = ({ tokens, ...one }: TokenDecomposition) => [
  ...[one.z, one.sigma, one.norm, one.embedding, one.mlps],
  ...[...tokens.layers.values()].flatMap(({ attention, values }) => [attention, values]),
];
