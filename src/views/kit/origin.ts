import type { Origin, OriginPart } from "../../results/origin.ts";

/** Where a result comes from, whatever it was made from. */
export type AnyOrigin = Origin &
  Partial<Origin<OriginPart>> & {
    /** Of things that are shown side by side. */
    readonly sides?: readonly (Origin & Partial<Origin<OriginPart>>)[];
  };

/** An origin on one line, hashes shortened: `clip-interpret 1.0.0 · ViT-B-32/openai (weights 0a1b2c3d4e5f, fp32) · image …`. */
export function originInWords({ program, version, sides = [], ...parts }: AnyOrigin): string {
  return [`${program} ${version}`, ...[parts, ...sides].flatMap(partsInWords)].join(" · ");
}

function partsInWords({ model, image, index, pool, labels }: Partial<Origin<OriginPart>>): string[] {
  const brief = (sha256: string) => sha256.slice(0, 12);
  return [
    ...(model ? [`${model.name} (weights ${brief(model.weights)}, ${model.precision})`] : []),
    ...(image ? [`image ${brief(image.sha256)}`] : []),
    ...(index ? [`index ${index.name} (${brief(index.sha256)})`] : []),
    ...(pool ? [`texts ${pool.name} (${brief(pool.sha256)})`] : []),
    ...(labels ? [`labels ${labels.name} (${brief(labels.sha256)})`] : []),
  ];
}
