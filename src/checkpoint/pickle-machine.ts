import type { Binary } from "../support/binary.ts";
import { findGlobal, type PickleValue, refused } from "./torch-objects.ts";
import type { Fail } from "./weight-source.ts";

/** Integers are sizes, seeds and counters; wider ones would cost more than linear time to read. */
const MAX_INTEGER_BYTES = 64;

/** What a pickle's instructions work on: the bytes still to read, a stack and a memo. */
export type PickleMachine = ReturnType<typeof createMachine>;

/**
 * A machine at the start of `bytes`, of a TorchScript archive if `script`. Nothing in it recurses, and every method takes time and memory in proportion to
 * the bytes it reads or the items it takes off the stack.
 */
export function createMachine(bytes: Binary, script: boolean, fail: Fail) {
  const read = createCursor(bytes, fail);
  const memo = new Map<number, PickleValue>();
  // A mark sets the current stack aside and starts a new one.
  const below: PickleValue[][] = [];
  let stack: PickleValue[] = [];
  const top = (): PickleValue => {
    const value = stack.at(-1);
    if (value === undefined) throw fail("its pickle takes from an empty stack");
    return value;
  };
  const pop = (): PickleValue => {
    const value = top();
    stack.pop();
    return value;
  };
  const push = (value: PickleValue): void => {
    stack.push(value);
  };
  const popToMark = (): PickleValue[] => {
    const items = stack;
    const outer = below.pop();
    if (!outer) throw fail("its pickle takes from an empty stack");
    stack = outer;
    return items;
  };
  return {
    fail,
    read,
    push,
    pop,
    top,
    mark(): void {
      below.push(stack);
      stack = [];
    },
    popToMark,
    /** The last `count` values, in the order they were pushed. */
    popItems: (count: number): PickleValue[] => Array.from({ length: count }, pop).reverse(),
    /** Takes off a value, or a mark where that is on top. */
    drop(): void {
      if (stack.length > 0) pop();
      else popToMark();
    },
    remember(key = memo.size): void {
      memo.set(key, top());
    },
    recall(key: number): void {
      const value = memo.get(key);
      if (value === undefined) throw fail("its pickle refers to something it has not made");
      push(value);
    },
    append(items: readonly PickleValue[]): void {
      const list = top();
      if (!Array.isArray(list)) throw refused(fail, "appends to something that is not a list");
      for (const item of items) list.push(item);
    },
    setItems(items: readonly PickleValue[]): void {
      const map = top();
      if (!(map instanceof Map) || items.length % 2 !== 0) {
        throw refused(fail, "sets items of something that is not a dict");
      }
      for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
    },
    pushGlobal(module: PickleValue, name: PickleValue): void {
      if (typeof module !== "string" || typeof name !== "string")
        throw fail("its pickle's names are not text");
      push(findGlobal(module, name, script, fail));
    },
  };
}

/** Reads forward through bytes; running out of them is `fail`'s error. */
function createCursor(bytes: Binary, fail: Fail) {
  let at = 0;
  const take = (length: number): Binary => {
    if (length > bytes.length - at) throw fail("its pickle is cut off");
    at += length;
    return bytes.subarray(at - length, at);
  };
  return {
    take,
    u8: () => take(1)[0],
    u32: () => take(4).readUInt32LE(),
    u64: () => Number(take(8).readBigUInt64LE()),
    text: (length: number) => take(length).utf8(),
    /** Text up to a line feed, which is read too. */
    line(): string {
      const end = bytes.indexOf(10, at);
      const text = take((end < 0 ? bytes.length : end) - at).utf8();
      take(1);
      return text;
    },
    /** A two's complement integer, little-endian, of any length; a bigint where a number cannot hold it. */
    integer(length: number): number | bigint {
      if (length > MAX_INTEGER_BYTES) throw fail(`its pickle holds an integer of ${length} bytes`);
      const big = take(length).reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
      const signed = BigInt.asIntN(8 * length, big);
      return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
    },
  };
}
