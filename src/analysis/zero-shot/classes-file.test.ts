import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { classProbes, defaultClasses, truthOf } from "./classes.ts";
import { readClasses } from "./classes-file.ts";

const folder = mkdtempSync(join(tmpdir(), "classes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const image = (label: string | null, factors: Record<string, string | number | null> = {}) => ({
  ...{ id: "i", path: "p.png", width: 1, height: 1, bytes: 1, sha256: "s" },
  ...{ label, factors },
});

describe("a file of classes", () => {
  it("is a name a line, with the template of CLIP's paper", async () => {
    const set = await readClasses(file("a.txt", "landbird\n\n waterbird \n"));
    expect(set).toEqual({
      ...{ factor: "label", unless: null },
      classes: [
        { name: "landbird", texts: ["a photo of a landbird."], values: ["landbird"], contest: null },
        { name: "waterbird", texts: ["a photo of a waterbird."], values: ["waterbird"], contest: null },
      ],
    });
  });

  it("is JSON lines, or JSON with templates, texts, values and contests", async () => {
    const lines = await readClasses(file("a.jsonl", '"cat"\n{"name": "dog", "values": [1, "2"]}\n'), {
      factor: "kind",
      templates: ["{}", "one {}"],
    });
    expect(lines.factor).toBe("kind");
    expect(lines.classes[1]).toEqual({
      name: "dog",
      texts: ["dog", "one dog"],
      values: ["1", "2"],
      contest: null,
    });
    const json = {
      ...{ factor: "concept", unless: "other", templates: ["the {}"] },
      classes: [
        { name: "tiger", contest: "cats" },
        { name: "leopard", texts: ["spots"], contest: "cats" },
      ],
    };
    const whole = await readClasses(file("a.json", JSON.stringify(json)));
    expect(whole).toMatchObject({ factor: "concept", unless: "other" });
    expect(whole.classes.map(({ texts }) => texts)).toEqual([["the tiger"], ["spots"]]);
  });

  it.each([
    ["one class", "b.txt", "alone"],
    ["a name twice", "c.txt", "a\na"],
    ["a value of two classes", "d.json", '[{"name":"a","values":["x"]},{"name":"b","values":["x"]}]'],
    ["a template without a place", "e.json", '{"templates":["plain"],"classes":["a","b"]}'],
    ["a field that means nothing", "f.json", '[{"name":"a","text":"x"},"b"]'],
    ["what is no JSON", "g.json", "{"],
    ["another kind of file", "h.csv", "a\nb"],
  ])("refuses %s", async (_, name, content) => {
    await expect(readClasses(file(name, content))).rejects.toMatchObject({ code: "CLASSES_INVALID" });
  });
});

describe("classes of an index", () => {
  const images = [image("cat"), image("dog", { other: "cat" }), image(null, { kind: 3 })];

  it("are by default its values, or all of the world where they are the world's", () => {
    const own = defaultClasses({ images: [image("x"), image("y"), image("x")], folder: "f" });
    expect(own.classes.map(({ name }) => name)).toEqual(["x", "y"]);
    const world = defaultClasses({ images, folder: "f" });
    expect(world.classes).toHaveLength(250);
    expect(world.unless).toBe("other");
    expect(() => defaultClasses({ images, folder: "f" }, "mood")).toThrow("mood");
  });

  it("are shown by the images whose factor has their value, unless two things are seen", () => {
    const classes = ["cat", "dog"].map((name) => ({ name, texts: [name], values: [name], contest: null }));
    expect([...truthOf({ images, folder: "f" }, { factor: "label", unless: null, classes })]).toEqual([
      0, 1, -1,
    ]);
    expect([...truthOf({ images, folder: "f" }, { factor: "label", unless: "other", classes })]).toEqual([
      0, -1, -1,
    ]);
    const three = [{ name: "three", texts: ["three"], values: ["3"], contest: null }];
    expect([...truthOf({ images, folder: "f" }, { factor: "kind", unless: null, classes: three })]).toEqual([
      -1, -1, 0,
    ]);
    expect(() => truthOf({ images, folder: "f" }, { factor: "mood", unless: null, classes })).toThrow("mood");
  });

  it("have probes of length 1: the mean of their texts' directions, whatever the texts' lengths", async () => {
    const vectors: Record<string, number[]> = { a: [3, 0], b: [0, 5], c: [0, -1] };
    const classes = [["a", "b"], ["c"]].map((texts, i) => ({
      name: `${i}`,
      texts,
      values: [],
      contest: null,
    }));
    const probes = await classProbes({ classes }, 2, async (texts) =>
      Float32Array.from(texts.flatMap((t) => vectors[t])),
    );
    const expected = [Math.SQRT1_2, Math.SQRT1_2, 0, -1];
    for (const [i, value] of expected.entries()) expect(probes[i]).toBeCloseTo(value, 6);
  });
});
