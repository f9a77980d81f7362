/** What a method beside the decomposition is, and how most of them end: a cosine a patch. */
import { dot } from "../../math/linear.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { TokenOutputs } from "../../model/token-outputs.ts";
import type { TokenFeature } from "../../onnx/token-features.ts";

/** The methods by name. */
export type BaselineName =
  | ("attention" | "rollout" | "cosine" | "maskclip")
  | ("sclip" | "clearclip" | "naclip" | "gem" | "legrad" | "grad-eclip");

/** A method with its paper and the map that it makes of one image, for a text if it reads one. */
export interface Baseline {
  readonly name: BaselineName;
  readonly title: string;
  readonly paper: string;
  /** What it is in place of that where no CLS token is read, if it is another. */
  readonly withoutCls?: string;
  /** False where the map is the same whatever is looked for. */
  readonly readsText: boolean;
  /** What it computes of the network beside what every pass gives. */
  readonly feature?: TokenFeature;
  /** Whether it is defined for a model; for every one by default. */
  readonly fits?: (model: Pick<ClipModel, "config" | "checkpoint">) => boolean;
  readonly map: (outputs: TokenOutputs, probe: Float64Array, image: number) => Float64Array;
}

/** The cosine of every patch with a text. @param projected [b, N, D] @param probe a unit vector, [D] */
export function patchCosine(
  projected: Float32Array,
  { tokens, prefix, patches, embedDim }: TokenOutputs,
  probe: Float64Array,
  image: number,
): Float64Array {
  return Float64Array.from({ length: patches }, (_, patch) => {
    const start = (image * tokens + patch + prefix) * embedDim;
    return dot(projected, probe, start) / Math.sqrt(dot(projected, projected, start, start, embedDim));
  });
}

/** A method whose tokens, made of the network in its own way, are compared with a text. */
export const byCosine = (
  about: Pick<Baseline, "name" | "title" | "paper"> & { readonly emit: TokenFeature["emit"] },
): Baseline => {
  const { name, title, paper, emit } = about;
  return {
    ...{ name, title, paper, readsText: true },
    feature: { name, readsProbe: false, emit },
    map: (outputs, probe, image) => patchCosine(outputs.features.get(name)!, outputs, probe, image),
  };
};

/** A method that gives a map at once, for the probe that the pass was made with. */
export const byProbe = (
  about: Pick<Baseline, "name" | "title" | "paper" | "fits"> & { readonly emit: TokenFeature["emit"] },
): Baseline => {
  const { name, emit, ...rest } = about;
  return {
    ...{ name, ...rest, readsText: true },
    feature: { name, readsProbe: true, emit },
    map: ({ features, patches }, _, image) =>
      Float64Array.from(features.get(name)!.subarray(image * patches, (image + 1) * patches)),
  };
};
