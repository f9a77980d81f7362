/**
 * What is loaded for each of many, in their order, with its own: at most `ahead` are loaded or wait at a time, so that reading goes on
 * while one is worked on, and memory is bounded.
 */
export async function* inTurn<T, R>(
  all: readonly T[],
  ahead: number,
  load: (one: T) => Promise<R>,
): AsyncGenerator<readonly [one: T, loaded: R], void, undefined> {
  const pending: Promise<R>[] = [];
  for (let next = 0, i = 0; i < all.length; i++) {
    for (; next < all.length && next < i + ahead; next++) {
      const loading = load(all[next]);
      // It is awaited in its turn, or never, when an earlier one has failed.
      loading.catch(() => {});
      pending.push(loading);
    }
    yield [all[i], await pending.shift()!];
  }
}
