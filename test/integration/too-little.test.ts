import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runHere } from "../support/run-cli.ts";

/*
 * What is asked of too little, or of the wrong file, is refused or warned of in words that say what to do.
 */

const SCENES = fileURLToPath(new URL("../../examples/scenes/images/", import.meta.url));
let folder: string;
const at = (...names: string[]) => join(folder, ...names);

/** An index of the first scenes. */
async function indexOf(images: number): Promise<string> {
  const pictures = at(`${images}`);
  mkdirSync(pictures);
  const names = readdirSync(SCENES).slice(0, images);
  for (const name of names) cpSync(join(SCENES, name), join(pictures, name));
  const rows = names.map((path, i) => JSON.stringify({ path, label: ["dog", "cat"][i % 2] }));
  writeFileSync(at(`${images}`, "list.jsonl"), rows.join("\n"));
  const { code } = await runHere("index", at(`${images}`, "list.jsonl"), "--out", at(`${images}.index`));
  expect(code).toBe(0);
  return at(`${images}.index`);
}

let [one, three, ten] = ["", "", ""];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "little-"));
  writeFileSync(at("pool.txt"), "a dog\na cat\nsnow\n");
  [one, three, ten] = [await indexOf(1), await indexOf(3), await indexOf(10)];
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("too few images", () => {
  const describe1 = (index: string) =>
    runHere("textspan", "--index", index, "--texts", at("pool.txt"), "--heads", "L3.H1", "--iterations", "1");
  const classify = (index: string, ...more: string[]) =>
    runHere("evaluate", "zero-shot", "--index", index, "--no-layers", "--random", "0", ...more);

  it("are refused where one has no variance to describe, and warned of where several have little", async () => {
    expect(await describe1(one)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error FEW_IMAGES: only 1 image of .*; 2 are needed\./m),
    });
    const little = await describe1(three);
    expect(little).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^warning FEW_IMAGES: only 3 images/m),
    });
    expect((await describe1(ten)).stderr).not.toContain("FEW_IMAGES");
  });

  it("are warned of where they are classified", async () => {
    const classes = at("classes.txt");
    writeFileSync(classes, "dog\ncat\n");
    const found = await classify(three, "--classes", classes);
    expect(found).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^warning FEW_IMAGES: only 3 images/m),
    });
    expect((await classify(ten, "--classes", classes)).stderr).not.toContain("FEW_IMAGES");
  });

  it("and classes with nothing to choose from are refused", async () => {
    const alone = at("alone.json");
    const contests = [
      { name: "dog", texts: ["a dog"], contest: "animals" },
      { name: "cat", texts: ["a cat"], contest: "others" },
    ];
    writeFileSync(alone, JSON.stringify({ factor: "label", classes: contests }));
    const { code, stderr } = await classify(three, "--classes", alone);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/CLASSES_INVALID: the class "dog" is alone/)]);
  });
});

describe("the wrong file", () => {
  it.each([
    ["{}", "LABELS_MISSING", / labels no head\./],
    ["[1, 2]", "JSON_INVALID", /neither labels, as `label` writes them, nor \{property: \[heads\]\}\. /],
    ['{"heads": 3}', "JSON_INVALID", /neither labels, .*\(heads: /],
  ])("%s instead of labels is named as such", async (content, code, message) => {
    writeFileSync(at("labels.json"), content);
    const { stderr } = await runHere("metrics", "--labels", at("labels.json"));
    expect(stderr).toMatch(new RegExp(`^error ${code}: `));
    expect(stderr).toMatch(message);
  });

  it("a folder instead of a corpus is named as such", async () => {
    const { code, stderr } = await runHere("evaluate", "segmentation", "--corpus", at("3"));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/is no corpus: it holds no scenes\.jsonl.*`demo`/),
    ]);
  });

  it.each(["explain", "segment"])("two images are one too many for %s", async (command) => {
    const { code, stderr } = await runHere(command, "a.png", "b.png", "--text", "a dog");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        `^error USAGE: ${command} takes one image, and was given 2\\. .*\`index\` takes many`,
      ),
    ]);
  });
});
