import type { Origin, OriginPart } from "./origin.ts";

const hash = (digit: string) => digit.repeat(64);

/** Every part of an origin, for tests and pictures: always the same, whatever the program's version. */
const PARTS: Origin<OriginPart> = {
  program: "clip-interpret",
  version: "1.2.3",
  model: { name: "tiny", weights: hash("a"), precision: "fp32", device: "cpu", notice: null },
  image: { name: "pictures/dog.png", label: null, sha256: hash("b") },
  index: { name: "scenes", sha256: hash("c"), images: 2000 },
  pool: { name: "emoji", sha256: hash("d"), texts: 100 },
  labels: { name: "labels.json", sha256: hash("e") },
};

/** What of a part a test wants otherwise. */
type Changes<K extends OriginPart> = { readonly [Part in K]: Partial<Origin<K>[Part]> };

/** An origin with some parts: `sampleOrigin({ model: { name: "ViT" }, image: {} })`. */
export function sampleOrigin<K extends OriginPart>(changes: Changes<K>): Origin<K> {
  const { program, version } = PARTS;
  const parts = Object.entries(changes).map(([part, change]) => [
    part,
    { ...PARTS[part as K], ...(change as object) },
  ]);
  return { program, version, ...Object.fromEntries(parts) };
}
