import type { PoolText } from "../text/pool.ts";
import type { OfflineLabeller } from "./baselines.ts";
import { countLabels } from "./metrics.ts";

/** The most frequent tag, the first among equals; a description fits where it has that tag. */
export const byPlurality: OfflineLabeller = {
  label(descriptions) {
    const counts = countLabels(descriptions.flatMap(({ property }) => (property === null ? [] : [property])));
    return [...counts].reduce((most, entry) => (entry[1] > most[1] ? entry : most), ["none", 0])[0];
  },
  judge: (label, descriptions) => descriptions.map(({ property }) => property === label),
};

/** A text of a pool whose tag is `property`. */
export const tagged = (property: string | null, n = 0): PoolText => ({
  text: `${property ?? "untagged"} ${n}`,
  property,
});

/** A pool with so many texts of each tag. */
export const poolOf = (sizes: Readonly<Record<string, number>>, untagged = 0): PoolText[] => [
  ...Object.entries(sizes).flatMap(([property, size]) =>
    Array.from({ length: size }, (_, n) => tagged(property, n)),
  ),
  ...Array.from({ length: untagged }, (_, n) => tagged(null, n)),
];
