/**
 * Which factors of a scene a property of the pool `emoji` speaks of, by the names that a corpus records and `selectivity`
 * measures: what a head is called can be compared with what it is selective for.
 *
 * `concept` speaks of both things in a scene of two, and of the label. A scene's `arrangement` has no property: the models
 * know "a cat left of a dog", but no text that says how two things are arranged without naming them (docs/pools.md).
 */
export const PROPERTY_FACTORS: Readonly<Record<string, readonly string[]>> = {
  concept: ["concept", "other", "label"],
  group: ["group"],
  style: ["style"],
  count: ["count"],
  size: ["size"],
  position: ["position"],
  background: ["background"],
  backdrop: ["backdrop"],
  effect: ["effect"],
};
