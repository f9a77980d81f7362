import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClipModel } from "../model/clip-model.ts";
import { consistencySets } from "./consistency.ts";
import {
  type HeadLabel,
  type Labels,
  labelsOrigin,
  readLabels,
  readLabelsFile,
  writeLabels,
} from "./labels-file.ts";
import { loadProperties, unweighted } from "./properties.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "clip-interpret-labels-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const head = (label: string): HeadLabel => ({
  label,
  descriptions: ["a red scene", "a dog"],
  tags: ["colour", null],
  explainedVariance: [0.25, 0.125],
  consistent: [true, false],
  labeller: {
    kind: "llm",
    by: "m at http://x/v1",
    model: "m",
    promptHash: "0f",
    date: "2024-05-01T00:00:00.000Z",
  },
  judge: {
    kind: "llm",
    by: "m, n",
    promptHash: "0e",
    date: "2024-05-01T00:00:00.000Z",
    votes: [
      { by: "m", consistent: [true, false] },
      { by: "n", consistent: [true, true] },
    ],
  },
});
const LABELS: Labels = {
  model: "emoji-4x128-p8",
  source: "TEXTSPAN of nothing",
  heads: { "L10.H2": head("colour"), "L2.H10": head("animals"), "L2.H9": head("colour") },
};

async function saved(value: unknown): Promise<string> {
  const path = join(folder, `${Math.random()}.json`);
  await writeFile(path, typeof value === "string" ? value : JSON.stringify(value));
  return path;
}

describe("a labels file", () => {
  it("holds all that was written, heads in order, and leaves nothing beside it", async () => {
    const path = join(folder, "new", "labels.json");
    await writeLabels(path, LABELS);
    await writeLabels(path, LABELS);
    expect(await readLabels(path)).toEqual(LABELS);
    expect(Object.keys(JSON.parse(await readFile(path, "utf8")).heads)).toEqual([
      "L2.H9",
      "L2.H10",
      "L10.H2",
    ]);
    expect(await readdir(join(folder, "new"))).toEqual(["labels.json"]);
  });

  it("gives `neighbors` its properties", async () => {
    const path = join(folder, "properties.json");
    await writeLabels(path, LABELS);
    const model = { name: "emoji-4x128-p8", config: {} } as Pick<ClipModel, "name" | "config">;
    expect(await loadProperties(model, path)).toEqual({ colour: ["L2.H9", "L10.H2"], animals: ["L2.H10"] });
  });

  it("may be written by hand, with as little as a label", async () => {
    const path = await saved({ heads: { "L0.H1": "colour", "L0.H2": { label: "animals", note: "seen" } } });
    const labels = await readLabels(path, "m");
    expect(labels.model).toBe("m");
    expect(labels.heads["L0.H1"]).toMatchObject({
      label: "colour",
      descriptions: [],
      consistent: [],
      judge: null,
    });
    expect(labels.heads["L0.H2"].labeller).toMatchObject({
      kind: "manual",
      by: basename(path),
      date: null,
    });
  });

  it("may list heads by property", async () => {
    const labels = await readLabels(await saved({ colour: ["L0.H1", "L1.H0"], animals: ["L0.H2"] }), "m");
    const given = Object.entries(labels.heads).map(([name, { label }]) => [name, label]);
    expect(Object.fromEntries(given)).toEqual({ "L0.H1": "colour", "L1.H0": "colour", "L0.H2": "animals" });
  });

  it("may list a head under several properties, which only sets of heads may read", async () => {
    const path = await saved({ colour: ["L0.H1"], animals: ["L0.H1", "L0.H2"] });
    const model = { name: "m", config: {} } as Pick<ClipModel, "name" | "config">;
    expect(await loadProperties(model, path)).toEqual({ colour: ["L0.H1"], animals: ["L0.H1", "L0.H2"] });
    await expect(readLabels(path, "m")).rejects.toThrow('L0.H1 is under a second property, "animals"');
  });

  it("may give a head a weight in a property, which what takes heads away does not read", async () => {
    const path = await saved({ position: ["L3.H1*-1", "L3.H3"], size: ["L3.H1"] });
    const model = { name: "m", config: {} } as Pick<ClipModel, "name" | "config">;
    const properties = await loadProperties(model, path);
    expect(properties).toEqual({ position: ["L3.H1*-1", "L3.H3"], size: ["L3.H1"] });
    expect(unweighted(properties)).toEqual({ position: ["L3.H1", "L3.H3"], size: ["L3.H1"] });
    for (const wrong of ["L3.H1*", "L3.H1*x", "L3.H1 * -1"]) {
      await expect(loadProperties(model, await saved({ position: [wrong] }))).rejects.toMatchObject({
        code: "JSON_INVALID",
      });
    }
  });

  it("may leave the descriptions out and still say how many fit", async () => {
    const path = await saved({ heads: { "L0.H1": { label: "colour", consistent: [true, false] } } });
    expect((await readLabels(path)).heads["L0.H1"].consistent).toEqual([true, false]);
    expect(await consistencySets(path, { layers: 1, heads: 2 })).toEqual([]);
  });

  it("is named in an origin by its name and its bytes", async () => {
    const path = await saved("{}");
    const sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    expect(await labelsOrigin(path)).toEqual({ name: basename(path), sha256 });
    expect(await readLabelsFile(path)).toMatchObject({ name: basename(path), sha256 });
  });

  it("may hold several models' labels as they were published", async () => {
    const path = fileURLToPath(new URL("../../assets/published/head-labels.json", import.meta.url));
    const labels = await readLabels(path, "ViT-L-14/openai");
    expect(Object.keys(labels.heads)).toHaveLength(64);
    expect(labels.heads["L20.H1"]).toMatchObject({ label: "Wildlife", labeller: { kind: "published" } });
    await expect(readLabels(path, "m")).rejects.toMatchObject({ code: "JSON_INVALID" });
    await expect(readLabels(path)).rejects.toMatchObject({ code: "JSON_INVALID" });
  });

  it.each([
    ["no JSON", "{", "is not JSON"],
    ["a list", [], "holds neither"],
    ["a head that is none", { heads: { "L1-H2": "x" } }, "L10.H3"],
    ["a blank label", { heads: { "L1.H2": " " } }, "heads → L1.H2"],
    ["a head under two properties", { a: ["L1.H2"], b: ["L1.H2"] }, "L1.H2"],
    [
      "verdicts on other descriptions",
      { heads: { "L1.H2": { label: "x", descriptions: ["a", "b"], consistent: [true] } } },
      "consistent has 1 entries for 2 descriptions",
    ],
    [
      "a labeller of no known kind",
      { heads: { "L1.H2": { label: "x", labeller: { kind: "oracle" } } } },
      "heads → L1.H2 → labeller → kind",
    ],
  ])("that holds %s is refused with the place", async (_what, value, words) => {
    const reading = readLabels(await saved(value), "m");
    await expect(reading).rejects.toMatchObject({ code: "JSON_INVALID" });
    await expect(reading).rejects.toThrow(words);
  });
});
