import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { codeVersion } from "../support/code-version.ts";
import { createSteps } from "./steps.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "steps-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A step that says how often it was computed. */
function counted() {
  let runs = 0;
  const compute = async () => ({ runs: ++runs, third: 1 / 3, list: [0.1, null, "ε²"] });
  return { compute, runs: () => runs };
}

describe("a study's steps", () => {
  it("are computed once for everything they follow from, also by another run", async () => {
    const folder = newFolder();
    const { compute, runs } = counted();
    const first = await createSteps(folder).run("a/model", "textspan", ["w", 1], compute);
    const second = await createSteps(folder).run("a/model", "textspan", ["w", 1], compute);
    expect(second).toEqual(first);
    expect(second.third).toBe(1 / 3);
    expect(runs()).toBe(1);
    expect(readdirSync(folder)).toEqual(["a_model"]);
  });

  it("are computed again when anything that they follow from changes", async () => {
    const steps = createSteps(newFolder());
    const { compute, runs } = counted();
    await steps.run("m", "s", ["w", 1], compute);
    await steps.run("m", "s", ["w", 2], compute);
    await steps.run("other", "s", ["w", 2], compute);
    expect(runs()).toBe(3);
  });

  it.each([
    ["cut off", (text: string) => text.slice(0, -10)],
    ["changed", (text: string) => text.replace("0.333", "0.334")],
    ["empty", () => ""],
  ])("are computed again when what was kept is %s", async (_, damage) => {
    const folder = newFolder();
    const { compute, runs } = counted();
    await createSteps(folder).run("m", "s", 1, compute);
    const file = join(folder, "m", "s.json");
    writeFileSync(file, damage(readFileSync(file, "utf8")));
    expect((await createSteps(folder).run("m", "s", 1, compute)).runs).toBe(2);
    expect(runs()).toBe(2);
  });

  it("that fail keep nothing", async () => {
    const folder = newFolder();
    const fails = createSteps(folder).run("m", "s", 1, () => Promise.reject(new Error("no")));
    await expect(fails).rejects.toThrow("no");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("that cannot be kept say so", async () => {
    const file = join(newFolder(), "file");
    writeFileSync(file, "");
    const fails = createSteps(file).run("m", "s", 1, async () => 1);
    await expect(fails).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
  });
});

describe("the code's hash", () => {
  it("is a hash of its modules, the same each time", async () => {
    const hash = await codeVersion();
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await codeVersion()).toBe(hash);
  });
});
