import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fillTemplate, loadClasses, NO_CLASS, pairMasks, UNLABELLED } from "./masked-images.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "masked-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text = ""): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

describe("loadClasses", () => {
  it("reads numbers and names from YAML, passing over the rest, and keeps what can be read of a name", async () => {
    const path = await file(
      "classes.yaml",
      "# COCO\ntrain:\n  masks: here\nclasses:\n  0: unlabeled\n  1: person\n  10: traffic light\n  187: sky-other-merged\n",
    );
    const { names, values } = await loadClasses(path);
    expect(names).toEqual(["person", "traffic light", "sky"]);
    expect([...values!]).toEqual([
      [0, UNLABELLED],
      [1, 0],
      [10, 1],
      [187, 2],
    ]);
  });

  it("reads JSON with or without numbers, and lines", async () => {
    const numbered = await loadClasses(await file("a.json", '{"3": "dog", "7": "void"}'));
    expect([...numbered.values!]).toEqual([
      [3, 0],
      [7, UNLABELLED],
    ]);
    expect(await loadClasses(await file("b.json", '["dog", "cat"]'))).toEqual({
      names: ["dog", "cat"],
      values: null,
    });
    expect(await loadClasses(await file("c.txt", "dog\r\n\ncat\n"))).toEqual({
      names: ["dog", "cat"],
      values: null,
    });
  });

  it.each([
    ["no.json", '{"a": "dog"}'],
    ["no2.json", "[1]"],
    ["no.txt", "\n\n"],
    ["no.yaml", "classes: none"],
  ])("refuses %s", async (name, text) => {
    await expect(loadClasses(await file(name, text))).rejects.toMatchObject({ code: "JSON_INVALID" });
  });
});

describe("fillTemplate", () => {
  it("puts the name in, with the article that it asks for", () => {
    expect(fillTemplate("a photo of a {}.", "apple")).toBe("a photo of an apple.");
    expect(fillTemplate("a {} or the {}", "dog")).toBe("a dog or the dog");
    expect(fillTemplate("{}", "$& cost")).toBe("$& cost");
  });
});

describe("pairMasks", () => {
  it("pairs by name, reads numbers, and names what has no partner", async () => {
    for (const name of ["i/a.jpg", "i/b.jpg", "m/a.png", "m/c.png"]) await file(name);
    const list = { names: ["dog"], values: new Map([[4, 0]]) };
    const { images, unmatched, classes } = await pairMasks(join(folder, "i"), join(folder, "m"), list, [
      "a {}",
    ]);
    expect(classes).toEqual([{ name: "dog", texts: ["a dog"] }]);
    expect(images.map(({ name }) => name)).toEqual(["a.jpg"]);
    expect([4, 0, 255, 9].map(images[0].classOf)).toEqual([0, NO_CLASS, UNLABELLED, undefined]);
    expect(unmatched).toEqual([join(folder, "i/b.jpg"), join(folder, "m/c.png")]);
  });

  it("takes a binary mask's class from its image's folder, or from a list of one", async () => {
    for (const name of ["f/dog/1.jpg", "f/cat/2.jpg", "f/fish/3.jpg", "g/1.png", "g/2.png", "g/3.png"])
      await file(name);
    const names = ["cat", "Dog"];
    const { images } = await pairMasks(join(folder, "f"), join(folder, "g"), { names, values: null }, ["{}"]);
    expect(images.map(({ name, classOf }) => [name, classOf(1), classOf(255), classOf(0)])).toEqual([
      ["cat/2.jpg", 0, 0, NO_CLASS],
      ["dog/1.jpg", 1, 1, NO_CLASS],
    ]);
    const one = await pairMasks(join(folder, "i"), join(folder, "m"), { names: ["cow"], values: null }, [
      "{}",
    ]);
    expect(one.images[0].classOf(255)).toBe(0);
  });

  it("refuses folders of which nothing fits", async () => {
    const list = { names: ["dog"], values: new Map() };
    await file("z/q.jpg");
    await expect(pairMasks(join(folder, "z"), join(folder, "m"), list, ["{}"])).rejects.toMatchObject({
      code: "MASKS_INVALID",
    });
  });
});
