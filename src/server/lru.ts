/** A map that holds at most so many bytes; what was used least recently goes. */
export interface BoundedCache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/** Makes a cache. A value larger than the whole budget is not kept. */
export function createBoundedCache<Value>(
  budget: number,
  sizeOf: (value: Value) => number,
): BoundedCache<Value> {
  const kept = new Map<string, { value: Value; size: number }>();
  let held = 0;
  const drop = (key: string) => {
    held -= kept.get(key)?.size ?? 0;
    kept.delete(key);
  };
  return {
    get(key) {
      const entry = kept.get(key);
      if (!entry) return undefined;
      // Reading it makes it the most recently used.
      kept.delete(key);
      kept.set(key, entry);
      return entry.value;
    },
    set(key, value) {
      drop(key);
      const size = sizeOf(value);
      if (size > budget) return;
      kept.set(key, { value, size });
      held += size;
      while (held > budget) drop(kept.keys().next().value!);
    },
  };
}
