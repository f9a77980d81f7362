import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { matchLabel, readSynonyms } from "./synonym-map.ts";

const NAMES = ["background", "place", "colour", "animal"];

describe("a label", () => {
  it.each([
    ["place", "place"],
    ["Colors", "colour"],
    // Of the words that count as one everywhere.
    ["Locations", "place"],
    ["Scenery", undefined],
    ["", undefined],
  ])("%j stands for %j by itself", (label, name) => {
    expect(matchLabel(label, NAMES)).toBe(name);
  });

  it("stands for what a map says before anything else", () => {
    const map = { background: ["Scenery", "Locations"], animals: ["Wildlife"], shape: ["colour"] };
    expect(matchLabel("scenery", NAMES, map)).toBe("background");
    expect(matchLabel("location", NAMES, map)).toBe("background");
    expect(matchLabel("wild-life", NAMES, map)).toBe("animal");
    // A name that is not asked about takes nothing away.
    expect(matchLabel("colour", NAMES, map)).toBe("colour");
  });
});

describe("a map of synonyms", () => {
  const fileOf = (value: unknown) => {
    const folder = mkdtempSync(join(tmpdir(), "synonyms-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "map.json"), JSON.stringify(value));
    return join(folder, "map.json");
  };

  it("is read from a file", async () => {
    expect(await readSynonyms(fileOf({ place: ["Locations"] }))).toEqual({ place: ["Locations"] });
  });

  it.each([
    ["a list", ["place"]],
    ["a word for a word", { place: "Locations" }],
    ["a blank word", { place: [" "] }],
    ["a word that stands for two names", { place: ["Setting"], background: ["settings"] }],
    ["more than anyone writes", { place: Array(1001).fill("x") }],
  ])("is not %s", async (_, value) => {
    await expect(readSynonyms(fileOf(value))).rejects.toMatchObject({ code: "JSON_INVALID" });
  });
});
