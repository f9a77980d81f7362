import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Pixels that may be decoded at a time, in all threads of the process together: pictures of a few kilobytes can be as large
 * as the limit of one, and many of them at once would fill the memory.
 */
export const PIXELS_AT_ONCE = 100e6;

/** A picture whose pixels are worth a collection, of a few milliseconds. */
const LARGE = 20e6;

let free = new Int32Array(new SharedArrayBuffer(4)).fill(PIXELS_AT_ONCE);

/** The count, for {@link joinBudget} in another thread. */
export const sharedBudget = (): Int32Array<SharedArrayBuffer> => free;

/** Counts along with the thread that started this one. */
export function joinBudget(count: Int32Array<SharedArrayBuffer>): void {
  free = count;
}

/** Does work that holds so many pixels, once there is room for them. What is more than all waits until it is alone. */
export async function withPixels<T>(pixels: number, work: () => Promise<T>): Promise<T> {
  const taken = Math.min(Math.ceil(pixels), PIXELS_AT_ONCE);
  for (;;) {
    const left = Atomics.load(free, 0);
    if (left < taken) await Atomics.waitAsync(free, 0, left).value;
    else if (Atomics.compareExchange(free, 0, left, left - taken) === left) break;
  }
  try {
    return await work();
  } finally {
    if (taken > LARGE) collectGarbage();
    Atomics.add(free, 0, taken);
    Atomics.notify(free, 0);
  }
}

let gc: (() => void) | undefined;

/**
 * V8 sees no haste in freeing a buffer of 400 MB outside its heap; with such a one left over in each thread, the budget would
 * bound nothing.
 */
function collectGarbage(): void {
  if (!gc) {
    setFlagsFromString("--expose-gc");
    gc = runInNewContext("gc") as () => void;
  }
  gc();
}
