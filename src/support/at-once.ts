/**
 * Works through items, so many at once, in their order; results are in that order too. After a failure none is begun, and
 * those on their way are waited for.
 * @param items each is asked for when its turn comes; an async generator makes one at a time
 */
export async function atOnce<T, R>(
  most: number,
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let begun = 0;
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    while (!failure) {
      try {
        const { value, done } = await queue.next();
        if (done || failure) return;
        const index = begun++;
        results[index] = await work(value, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, most) }, worker));
  if (failure) throw failure.error;
  return results;
}
