import { expect, it } from "vitest";
import { once, sharedCache } from "./shared.ts";

/** Loads that count themselves. */
function counting() {
  const loaded: string[] = [];
  const cache = sharedCache<string>(10);
  const get = (key: string, size?: number) =>
    cache.get(
      key,
      async () => {
        loaded.push(key);
        return key;
      },
      size,
    );
  return { loaded, cache, get };
}

it("loads once for all who ask, at the same time and later", async () => {
  const { loaded, get } = counting();
  expect(await Promise.all([get("a"), get("a"), get("b")])).toEqual(["a", "a", "b"]);
  await get("a");
  expect(loaded).toEqual(["a", "b"]);
});

it("tells all who wait of a failure, and loads again for whoever comes after", async () => {
  const cache = sharedCache<number>(2);
  let tries = 0;
  const load = async () => {
    tries++;
    if (tries === 1) throw new Error("no");
    return tries;
  };
  const both = await Promise.allSettled([cache.get("a", load), cache.get("a", load)]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await cache.get("a", load)).toBe(2);
  expect(await cache.get("a", load)).toBe(2);
});

it("a failure that comes late does not take what was loaded since", async () => {
  const cache = sharedCache<string>(1);
  let fail = () => {};
  const slow = cache.get("a", () => new Promise((_, reject) => (fail = () => reject(new Error("late")))));
  await cache.get("b", async () => "b");
  await cache.get("a", async () => "new");
  fail();
  await expect(slow).rejects.toThrow("late");
  expect(await cache.get("a", async () => "newer")).toBe("new");
});

it("holds its budget: what was read least recently goes first, what is larger is given and not kept", async () => {
  const { loaded, get } = counting();
  await get("a", 4);
  await get("b", 4);
  await get("a", 4);
  await get("c", 4);
  await get("a", 4);
  expect(loaded).toEqual(["a", "b", "c"]);
  expect(await get("b", 4)).toBe("b");
  expect(loaded).toEqual(["a", "b", "c", "b"]);
  expect([await get("huge", 11), await get("huge", 11)]).toEqual(["huge", "huge"]);
  expect(loaded.slice(4)).toEqual(["huge", "huge"]);
  await get("b", 4);
  expect(loaded.length).toBe(6);
});

it("gives back what it held when it is cleared", async () => {
  const { loaded, cache, get } = counting();
  await get("a");
  expect(await Promise.all(cache.clear())).toEqual(["a"]);
  await get("a");
  expect(loaded).toEqual(["a", "a"]);
});

it("one load is done when it is first asked for, and again when it failed", async () => {
  let tries = 0;
  const load = once(async () => {
    if (++tries === 1) throw new Error("no");
    return tries;
  });
  expect(tries).toBe(0);
  await expect(load()).rejects.toThrow("no");
  expect([await load(), await load()]).toEqual([2, 2]);
});
