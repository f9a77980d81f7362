import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openUnderway } from "./underway.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "underway-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (done: readonly string[] = []) =>
  openUnderway(join(folder, "journal/underway"), (image) => done.includes(image));

it("blames what was in hand when a process died, and nothing that was done or that ended in order", async () => {
  const first = await open();
  expect(first.tries.size).toBe(0);
  for (const image of ["a", "b", "c\nd"]) first.take(image);
  // It died: nothing was closed. "a" had been stored.
  const second = await open(["a"]);
  expect([...second.tries]).toEqual([
    ["b", 1],
    ["c\nd", 1],
  ]);
  second.take("b");
  const third = await open(["a"]);
  expect([...third.tries].sort()).toEqual([
    ["b", 2],
    ["c\nd", 1],
  ]);
  third.take("b");
  third.take("e");
  third.close();
  const fourth = await open(["a"]);
  expect([...fourth.tries].sort()).toEqual([
    ["b", 2],
    ["c\nd", 1],
  ]);
  fourth.discard();
  expect((await open()).tries.size).toBe(0);
});

it("reads what a process wrote as it died, but for a line that is cut off", async () => {
  (await open()).take("a");
  const file = join(folder, "journal/underway");
  writeFileSync(file, `${readFileSync(file, "utf8")}["b`);
  expect([...(await open()).tries]).toEqual([["a", 1]]);
});
