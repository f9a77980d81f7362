import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { segmentResultSchema } from "../../src/results/segment.ts";
import { segmentationEvaluationSchema } from "../../src/results/segmentation-evaluation.ts";
import { readNpy } from "../../src/support/npy.ts";
import { expectError, repositoryPath, runCli, runOk, testFolder } from "./cli.ts";

const SCENES = repositoryPath("examples/scenes");
const MONKEY = join(SCENES, "images/0067-monkey.png");
/** A page of pictures takes a while on a busy machine. */
const patient = { timeout: 120_000 };
const parse = (stdout: string) => segmentResultSchema.parse(JSON.parse(stdout));

describe("segment", () => {
  it("prints, draws and stores one and the same map", async () => {
    const folder = await testFolder();
    const [png, svg, html, npy] = ["m.png", "m.svg", "m.html", "m.npy"].map((name) => join(folder, name));
    const outs = [png, svg, html, npy].flatMap((path) => ["--out", path]);
    const args = [
      "segment",
      MONKEY,
      "--text",
      "a monkey",
      "--heads",
      "last2",
      "--token",
      "2,4",
      "--baselines",
    ];
    const json = parse(await runOk([...args, ...outs, "--json"]));
    const [text] = json.texts;
    expect(json).toMatchObject({ grid: { rows: 8, columns: 8 }, original: { width: 256, height: 256 } });
    expect(json.placement).toEqual({ x: 0, y: 0, width: 256, height: 256 });
    expect(json.components).toMatchObject({ set: "last2", heads: { length: 8 } });
    expect(json).toMatchObject({ scale: "common", origin: { image: { name: MONKEY } } });
    expect(text.values.flat().reduce((sum, value) => sum + value, 0)).toBeCloseTo(text.patches, 12);
    expect(text.patches + (text.cls ?? Number.NaN)).toBeCloseTo(text.sum, 12);
    expect(text.error).toBeLessThan(1e-4);
    expect(text.token?.value).toBe(text.values[2][4]);
    expect(text.token?.heads).toHaveLength(8);
    expect(json.baselines?.map(({ name }) => name)).toEqual([
      ...["attention", "rollout", "cosine", "maskclip"],
      ...["sclip", "clearclip", "naclip", "gem", "legrad", "grad-eclip"],
    ]);
    const { shape, data } = await readNpy(npy);
    expect(shape).toEqual([1, 8, 8]);
    expect([...data].map(Number)).toEqual(text.values.flat().map(Math.fround));
    expect((await sharp(png).metadata()).width).toBeGreaterThan(1000);
    expect(await readFile(svg, "utf8")).toContain("“a monkey”");
    expect(await readFile(html, "utf8")).not.toMatch(/(src|href)="https?:/);
  });

  it("sets texts against each other, for people too", async () => {
    const args = [
      "segment",
      MONKEY,
      "--text",
      "a monkey",
      "--text",
      "a purple background",
      "--mode",
      "contrast",
    ];
    const { texts, winners } = parse(await runOk([...args, "--json"]));
    expect(texts[1].values[3][3]).toBeCloseTo(-texts[0].values[3][3], 10);
    expect(winners?.counts.reduce((a, b) => a + b, 0)).toBe(64);
    expect(winners?.text[1][4]).toBe(0);
    const text = await runOk(args);
    for (const part of ["against the mean of the others", "which text leads where", "CLS token", "error"])
      expect(text).toContain(part);
  });

  it("lays the map where the model looked: the middle of a wide picture, upright by its EXIF orientation", async () => {
    const folder = await testFolder();
    const wide = join(folder, "wide.jpg");
    await sharp(MONKEY)
      .resize(400, 100, { fit: "fill" })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(wide);
    const turned = parse(await runOk(["segment", wide, "--text", "a monkey", "--json"]));
    expect(turned.original).toEqual({ width: 100, height: 400 });
    expect(turned.placement).toEqual({ x: 0, y: 150, width: 100, height: 100 });
    const stored = parse(await runOk(["segment", wide, "--text", "a monkey", "--json", "--no-exif"]));
    expect(stored.placement).toEqual({ x: 150, y: 0, width: 100, height: 100 });
  });

  it("takes properties as heads", async () => {
    const folder = await testFolder();
    const labels = join(folder, "labels.json");
    await writeFile(labels, '{"things": ["L3.H2", "L2.H0"]}');
    const args = ["segment", MONKEY, "--text", "a monkey", "--heads", "things", "--labels", labels, "--json"];
    const { components } = parse(await runOk(args));
    expect(components.set).toBe("things");
    expect(components.heads.map(({ name }) => name)).toEqual(["L2.H0", "L3.H2"]);
  });

  it.each([
    ["no text", [], "TEXTS_EMPTY"],
    ["a blank text", ["--text", " "], "TEXTS_EMPTY"],
    ["a contrast of one text", ["--text", "x", "--mode", "contrast"], "USAGE"],
    ["MLPs", ["--text", "x", "--heads", "all,mlps"], "HEADS_INVALID"],
    ["a head that is not there", ["--text", "x", "--heads", "L9.H0"], "HEADS_INVALID"],
    ["a patch outside the grid", ["--text", "x", "--token", "8,0"], "USAGE"],
    ["an output of no known kind", ["--text", "x", "--out", "map.doc"], "USAGE"],
    ["an output over its input", ["--text", "x", "--out", MONKEY], "USAGE"],
  ])("refuses %s", async (_, args, code) => {
    expectError(await runCli(["segment", MONKEY, ...args]), code);
  });
});

describe("evaluate segmentation", () => {
  it("measures a corpus, draws a sheet, and says what the model does not know", async () => {
    const folder = await testFolder();
    const [png, html] = [join(folder, "sheet.png"), join(folder, "sheet.html")];
    const args = ["evaluate", "segmentation", "--corpus", SCENES, "--limit", "4", "--bootstrap", "20"];
    const drawn = ["--heads", "last2", "--heads", "L0", "--out", png, "--out", html, "--json"];
    const stdout = await runOk([...args, ...drawn], patient);
    const json = segmentationEvaluationSchema.parse(JSON.parse(stdout));
    expect(json).toMatchObject({ images: 4, size: 64, draws: 20, rejected: [] });
    expect(json.methods.slice(0, 2).map(({ name }) => name)).toEqual(["last2", "L0"]);
    expect(json.origin.model.notice).toContain("small model");
    expect(json).toMatchObject({ foreign: false, source: "scenes" });
    expect(new Set(json.answers.map(({ rank }) => rank))).toEqual(new Set(["best", "middle", "worst"]));
    expect((await sharp(png).metadata()).width).toBeGreaterThan(1000);
    expect(await readFile(html, "utf8")).toContain("attention rollout");
    const text = await runOk(args, patient);
    for (const part of ["true classes", "MaskCLIP", "mIoU", "patches shuffled"]) expect(text).toContain(part);
  }, 240_000);

  it("takes folders of images, masks and names, and says that they are outside the embedded model's world", async () => {
    const folder = await testFolder();
    for (const part of ["images", "masks"]) await mkdir(join(folder, part));
    const circle = Buffer.from(
      '<svg width="90" height="60"><circle cx="45" cy="30" r="20" fill="#fff"/></svg>',
    );
    const picture = sharp({ create: { width: 90, height: 60, channels: 3, background: "#222" } });
    await picture
      .composite([{ input: circle }])
      .jpeg()
      .toFile(join(folder, "images/one.jpg"));
    const values = Uint8Array.from({ length: 90 * 60 }, (_, i) =>
      Math.hypot((i % 90) - 45, Math.floor(i / 90) - 30) < 20 ? 7 : 0,
    );
    const mask = sharp(values, { raw: { width: 90, height: 60, channels: 1 } }).toColourspace("b-w");
    await mask.png().toFile(join(folder, "masks/one.png"));
    const classes = join(folder, "classes.json");
    await writeFile(classes, '{"7": "moon", "8": "dog"}');
    const where = [
      "--images",
      join(folder, "images"),
      "--masks",
      join(folder, "masks"),
      "--classes",
      classes,
    ];
    const args = ["evaluate", "segmentation", ...where, "--bootstrap", "10"];
    const json = segmentationEvaluationSchema.parse(JSON.parse(await runOk([...args, "--json"])));
    expect(json).toMatchObject({ images: 1, classes: 2, occurring: 1 });
    expect(json.foreign).toBe(true);
    expect(await runOk(args)).toMatch(/not of\s+its\s+world/);
  });

  it.each([
    ["images without masks", ["--images", SCENES], "USAGE"],
    ["a corpus and images", ["--corpus", SCENES, "--images", SCENES], "USAGE"],
    ["a folder that is no corpus", ["--corpus", repositoryPath("docs")], "INPUT_NOT_FOUND"],
  ])("refuses %s", async (_, args, code) => {
    expectError(await runCli(["evaluate", "segmentation", ...args]), code);
  });
});
