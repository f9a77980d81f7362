import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findGroupings } from "../../src/analysis/selectivity/groupings.ts";
import { readIndex } from "../../src/corpus/open-index.ts";
import { scanSource } from "../../src/corpus/source.ts";
import { encodePng } from "../../src/image/encode.ts";
import { runHere } from "../support/run-cli.ts";

const HEADER = "img_id,img_filename,y,split,place,place_filename";
const ROWS = [
  "1,001.Albatross/a.png,1,0,1,/o/ocean/00000042.jpg",
  "2,001.Albatross/b.png,1,1,0,/b/bamboo_forest/00000001.jpg",
  "3,054.Bluebird/c.png,0,0,0,/f/forest/broadleaf/00000007.jpg",
  "4,054.Bluebird/d.png,0,2,1,/l/lake/natural/00000009.jpg",
];

let scratch: string;
let folder: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "waterbirds-"));
  folder = join(scratch, "waterbird_complete95_forest2water2");
  for (const [i, row] of ROWS.entries()) {
    const path = join(folder, row.split(",")[1]);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, await encodePng(new Uint8Array(3 * 70 * 80).fill(40 * i), 70, 80));
  }
  await writeFile(join(folder, "metadata.csv"), `${[HEADER, ...ROWS].join("\n")}\n`);
});
afterAll(() => rm(scratch, { recursive: true }));

const write = async (name: string, ...lines: string[]) => {
  const path = join(folder, name);
  await writeFile(path, lines.join("\n"));
  return path;
};

describe("a folder in the layout of Waterbirds", () => {
  it("is its list: bird as the label; place, split and scene as factors", async () => {
    const { images } = await scanSource(folder);
    expect(images.map(({ path, label, factors }) => [path, label, factors])).toEqual([
      ["001.Albatross/a.png", "waterbird", { place: "water", split: "train", scene: "ocean" }],
      ["001.Albatross/b.png", "waterbird", { place: "land", split: "val", scene: "bamboo_forest" }],
      ["054.Bluebird/c.png", "landbird", { place: "land", split: "train", scene: "forest/broadleaf" }],
      ["054.Bluebird/d.png", "landbird", { place: "water", split: "test", scene: "lake/natural" }],
    ]);
  });

  it("may be named by its list, in which places are not needed", async () => {
    const list = await write("some.csv", "img_filename,y,split,place", "001.Albatross/a.png,1,0,1");
    expect((await scanSource(list)).images).toMatchObject([
      { path: "001.Albatross/a.png", label: "waterbird", factors: { place: "water", split: "train" } },
    ]);
  });

  it("is indexed with what its list says", async () => {
    const out = join(scratch, "index");
    expect((await runHere("index", folder, "--out", out)).code).toBe(0);
    const index = await readIndex(out);
    expect(index.images.map(({ label }) => label)).toEqual([
      "waterbird",
      "waterbird",
      "landbird",
      "landbird",
    ]);
    expect(findGroupings(index).map(({ name, values }) => [name, values.length])).toEqual([
      ["label", 2],
      ["place", 2],
      ["split", 3],
    ]);
  });

  it.each([
    ["y is 2", "1,a.png,2,0,1,", /row 1: y is "2", none of 0 \(landbird\), 1 \(waterbird\)/],
    ["place is no number", "1,a.png,1,0,sea,", /row 1: place is "sea"/],
    ["split is empty", "1,a.png,1,,1,", /row 1: split is ""/],
    ["no file", "1,,1,0,1,", /row 1: no img_filename/],
    ["a path leads out of the folder", "1,../a.png,1,0,1,", /does not lie in/],
  ])("is refused where %s", async (_, row, message) => {
    const list = await write("bad.csv", HEADER, row);
    await expect(scanSource(list)).rejects.toMatchObject({
      code: "LIST_INVALID",
      message: expect.stringMatching(message),
    });
  });

  it("is not seen in a metadata.csv of something else", async () => {
    const other = join(scratch, "other");
    await mkdir(join(other, "cats"), { recursive: true });
    await writeFile(join(other, "metadata.csv"), "file,camera\ncats/a.png,X100\n");
    await writeFile(join(other, "cats", "a.png"), "");
    expect((await scanSource(other)).images).toMatchObject([{ path: "cats/a.png", label: null }]);
  });
});
