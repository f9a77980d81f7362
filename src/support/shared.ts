import { LRUCache } from "lru-cache";

/** What is loaded once and shared: callers at the same time get one promise, and a failed load is forgotten. */
export interface SharedCache<T> {
  /** @param size of what is loaded, in the unit of the cache's budget; default: 1 */
  get(key: string, load: () => Promise<T>, size?: number): Promise<T>;
  /** Forgets one. */
  delete(key: string): void;
  /** Forgets everything. @returns what was kept */
  clear(): Promise<T>[];
}

/** A cache that holds at most `budget`; what was read least recently goes. What is larger than all of it is not kept. */
export function sharedCache<T>(budget: number): SharedCache<T> {
  const kept = new LRUCache<string, Promise<T>>({ maxSize: Math.max(1, budget) });
  return {
    get(key, load, size = 1) {
      const known = kept.get(key);
      if (known) return known;
      const pending = load();
      kept.set(key, pending, { size: Math.max(1, size) });
      pending.catch(() => kept.peek(key) === pending && kept.delete(key));
      return pending;
    },
    delete(key) {
      kept.delete(key);
    },
    clear() {
      const all = [...kept.values()];
      kept.clear();
      return all;
    },
  };
}

/** A load that happens when it is first asked for, and again only if it failed. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  const cache = sharedCache<T>(1);
  return () => cache.get("", load);
}
