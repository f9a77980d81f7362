import type { Manifest } from "./manifest.ts";

/** What the hash of an index begins with, before its rows. */
export const hashStart = ({
  model,
  preprocessing,
  dtype,
  mlps,
}: Pick<Manifest, "model" | "preprocessing" | "dtype" | "mlps">): string =>
  `${JSON.stringify([model.weights, model.precision, preprocessing, dtype, mlps])}\n`;
