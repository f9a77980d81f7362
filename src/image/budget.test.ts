import { expect, it } from "vitest";
import { joinBudget, PIXELS_AT_ONCE, sharedBudget, withPixels } from "./budget.ts";

/** Work that ends when it is told to. */
function held() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { ended, end };
}

it("holds back what would exceed the pixels at a time, and no more", async () => {
  const [first, second] = [held(), held()];
  const started: string[] = [];
  const run = (name: string, share: number, until: Promise<void>) =>
    withPixels(share * PIXELS_AT_ONCE, async () => {
      started.push(name);
      await until;
    });
  const one = run("one", 0.6, first.ended);
  const two = run("two", 0.6, second.ended);
  const small = run("small", 0.4, Promise.resolve());
  await small;
  expect(started).toEqual(["one", "small"]);
  first.end();
  await one;
  second.end();
  await two;
  expect(started).toEqual(["one", "small", "two"]);
  expect(sharedBudget()[0]).toBe(PIXELS_AT_ONCE);
});

it("lets through alone what is larger than all, and gives back what failed", async () => {
  const failing = withPixels(3 * PIXELS_AT_ONCE, async () => {
    expect(sharedBudget()[0]).toBe(0);
    throw new Error("damaged");
  });
  await expect(failing).rejects.toThrow("damaged");
  expect(sharedBudget()[0]).toBe(PIXELS_AT_ONCE);
});

it("counts with another thread's", async () => {
  const [own, other] = [sharedBudget(), new Int32Array(new SharedArrayBuffer(4))];
  joinBudget(other);
  const waiting = withPixels(1000, async () => other[0]);
  // Another thread gives back what it held.
  Atomics.add(other, 0, 1500);
  Atomics.notify(other, 0);
  expect(await waiting).toBe(500);
  joinBudget(own);
});
