import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readValueTexts, textsOfValues } from "./value-texts.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "value-texts-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("what says a value", () => {
  it("is the generated world's own text, a photo of a label, or the value; what is given goes first", () => {
    expect(textsOfValues("position", ["left"])).toEqual([
      { value: "left", texts: expect.arrayContaining(["on the left", "something on the left"]) },
    ]);
    expect(textsOfValues("other", ["cat"])).toEqual(textsOfValues("concept", ["cat"]));
    expect(textsOfValues("label", ["tabby", "cat"])).toEqual([
      { value: "tabby", texts: ["a photo of a tabby."] },
      { value: "cat", texts: ["a photo of a cat."] },
    ]);
    expect(textsOfValues("weather", ["rain", "snow"], { snow: ["a snowy day"] })).toEqual([
      { value: "rain", texts: ["rain"] },
      { value: "snow", texts: ["a snowy day"] },
    ]);
    expect(textsOfValues("weather", ["constructor"], {})).toEqual([
      { value: "constructor", texts: ["constructor"] },
    ]);
  });

  it("is read from a file with one text or several a value", async () => {
    const path = join(folder, "texts.json");
    await writeFile(path, JSON.stringify({ colour: { red: "a red car", blue: ["a blue car", "blue"] } }));
    expect(await readValueTexts(path)).toEqual({
      colour: { red: ["a red car"], blue: ["a blue car", "blue"] },
    });
    for (const wrong of [{ colour: "red" }, { colour: { red: [] } }, { colour: { red: " " } }, ["colour"]]) {
      await writeFile(path, JSON.stringify(wrong));
      await expect(readValueTexts(path)).rejects.toMatchObject({
        code: "JSON_INVALID",
        message: expect.stringContaining(path),
      });
    }
    await expect(readValueTexts(join(folder, "none.json"))).rejects.toMatchObject({
      code: "INPUT_NOT_FOUND",
    });
  });
});
