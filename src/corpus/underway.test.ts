import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openUnderway } from "./underway.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "underway-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = () => join(folder, "journal/underway");
const open = (done: readonly string[] = []) => openUnderway(path(), (image) => done.includes(image));

/** What a process finds, which then takes images in hand and is killed. */
function die(taken: readonly string[], done: readonly string[] = []): unknown {
  const module = new URL("./underway.ts", import.meta.url).href;
  const program = `
    const { openUnderway } = await import(${JSON.stringify(module)});
    const [path, done, taken] = JSON.parse(process.argv[1]);
    const underway = await openUnderway(path, (image) => done.includes(image));
    (await import("node:fs")).writeSync(1, JSON.stringify([...underway.tries]));
    for (const image of taken) underway.take(image);
    process.kill(process.pid, "SIGKILL");`;
  const given = JSON.stringify([path(), done, taken]);
  const options = ["--import", "tsx", "--input-type=module", "--eval", program, "--", given];
  return JSON.parse(spawnSync(process.execPath, options, { encoding: "utf8" }).stdout);
}

it("blames what was in hand when a process died, and nothing that was done or that ended in order", async () => {
  expect(die(["a", "b", "c\nd"])).toEqual([]);
  // "a" had been stored.
  const once = [
    ["b", 1],
    ["c\nd", 1],
  ];
  expect(die(["b"], ["a"])).toEqual(once);
  const twice = [
    ["b", 2],
    ["c\nd", 1],
  ];
  const third = await open(["a"]);
  expect([...third.tries].sort()).toEqual(twice);
  third.take("b");
  third.take("e");
  third.close();
  const fourth = await open(["a"]);
  expect([...fourth.tries].sort()).toEqual(twice);
  fourth.discard();
  const fifth = await open();
  expect(fifth.tries.size).toBe(0);
  fifth.close();
});

it("reads what a process wrote as it died, but for a line that is cut off", async () => {
  die(["a"]);
  appendFileSync(path(), '["b');
  const next = await open();
  expect([...next.tries]).toEqual([["a", 1]]);
  next.close();
});
