import { expect, it } from "vitest";
import { createGate } from "./gate.ts";

it("lets so many in at a time, in their order, and goes on after a failure", async () => {
  const gate = createGate(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const work = (i: number) =>
    gate(async () => {
      started.push(i);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (i === 0) throw new Error("0 fails");
    });
  const done = [0, 1, 2, 3].map((i) => work(i).catch((error: Error) => error.message));
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  ends[0]!();
  expect(await done[0]).toBe("0 fails");
  expect(started).toEqual([0, 1, 2]);
  ends[1]!();
  await done[1];
  expect(started).toEqual([0, 1, 2, 3]);
  ends[2]!();
  ends[3]!();
  await Promise.all(done);
});
