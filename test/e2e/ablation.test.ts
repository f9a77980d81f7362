import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { debiasResultSchema } from "../../src/results/debias.ts";
import { zeroShotResultSchema } from "../../src/results/zero-shot.ts";
import { readCorpus } from "../../src/world/corpus.ts";
import { runHere } from "../support/run-cli.ts";
import { expectError, runOk, sharedFolder } from "./cli.ts";

const shared = sharedFolder();
let index: string;
let classes: string;
let env: Record<string, string>;

/** Scenes of the planted bias as a list of a user's own: birds become cats, the place is the colour. */
beforeAll(async () => {
  env = { CLIP_INTERPRET_CACHE: shared("cache") };
  const corpus = shared("corpus");
  await runOk(["demo", "--split", "balanced", "--scenes", "240", "--size", "64", "--out", corpus], {
    timeout: 120_000,
  });
  const rows = (await readCorpus(corpus)).map(({ path, label, factors }, i) =>
    [path, label, factors.background ?? "", i % 2 === 0 ? "val" : "test"].join(),
  );
  const list = join(corpus, "list.csv");
  await writeFile(list, ["path,label,place,split", ...rows].join("\n"));
  index = shared("index");
  await runOk(["index", list, "--out", index, "--quiet"], { timeout: 120_000 });
  classes = shared("classes.json");
  const pairs = [
    ["tiger", "leopard"],
    ["sheep", "goat"],
    ["motorcycle", "scooter"],
  ];
  const named = pairs.flatMap((pair) => pair.map((name) => ({ name, contest: pair[0] })));
  await writeFile(classes, JSON.stringify({ templates: ["{}", "a {}"], classes: named }));
}, 240_000);

describe("evaluate zero-shot", () => {
  it("tells accuracy with and without components, by group, beside random heads, and draws it", async () => {
    const png = shared("zero-shot.png");
    const args = ["evaluate", "zero-shot", "--index", index, "--classes", classes, "--groups", "place"];
    const more = ["--ablate", "L0.H1", "--random", "10", "--out", png, "--json"];
    const json = zeroShotResultSchema.parse(JSON.parse(await runOk([...args, ...more], { env })));
    expect(json.classes).toBe(6);
    expect(json.images + json.leftOut).toBe(240);
    expect(json.whole.groups).toHaveLength(12);
    const head = { layer: 0, head: 1, name: "L0.H1", weight: 1 };
    expect(json.rows[0]).toMatchObject({
      kind: "set",
      components: { set: "L0.H1", heads: [head], mlps: [] },
    });
    // Each image is asked about the two classes of its contest.
    expect(json.chance).toBeCloseTo(0.5, 9);
    expect(json.origin.index).toMatchObject({ name: "index", images: 240 });
    expect(json.rows[0].random?.draws).toBe(10);
    expect((await sharp(png).metadata()).width).toBeGreaterThan(1000);
  });

  it("holds heads of high consistency against heads of low, and takes them away inside the network", async () => {
    const labels = shared("labels.json");
    const head = (consistent: boolean[]) => ({ label: "x", descriptions: [], consistent });
    const heads = {
      "L3.H1": head([true, true, true, true, true]),
      "L2.H0": head([false, false, true, false, false]),
    };
    await writeFile(labels, JSON.stringify({ heads }));
    const args = ["evaluate", "zero-shot", "--index", index, "--classes", classes, "--labels", labels];
    const more = ["--no-layers", "--full-forward", "--forward-images", "20", "--random", "2"];
    const text = await runOk([...args, ...more], { env });
    for (const part of ["CCS 5", "CCS ≤ 1", "inside the network"]) expect(text).toContain(part);
  });

  it.each([
    ["classes of no image", ["--factor", "place", "--classes"], "CLASSES_INVALID"],
    ["a factor that is not there", ["--factor", "mood"], "FACTORS_MISSING"],
    ["a group that is not there", ["--groups", "mood"], "FACTORS_MISSING"],
    ["single MLPs that are not stored", ["--ablate", "L1.MLP"], "HEADS_INVALID"],
    ["nothing to take away inside", ["--full-forward"], "USAGE"],
  ])("refuses %s", async (_, args, code) => {
    const own = args.at(-1) === "--classes" ? [...args, classes] : args;
    expectError(await runHere("evaluate", "zero-shot", "--index", index, ...own), code);
  });
});

describe("debias", () => {
  it("takes a user's index with its own halves, and exports an encoder and a model", async () => {
    const [onnx, folder, html] = [shared("e.onnx"), shared("edited"), shared("debias.html")];
    const args = ["debias", "--index", index, "--classes", classes, "--cue", "place", "--split", "split"];
    const more = ["--heads", "L0.H1,L1.H0", "--random", "5", "--forward-images", "20", "--json"];
    const out = ["--export", onnx, "--export", folder, "--out", html];
    const json = debiasResultSchema.parse(JSON.parse(await runOk([...args, ...more, ...out], { env })));
    const used = json.selections[json.used];
    expect([used.selection, ...used.chosen.map(({ name }) => name)]).toEqual(["given", "L0.H1", "L1.H0"]);
    expect(json.forward.map(({ replacement }) => replacement)).toEqual(["tokens"]);
    expect(json.exported).toEqual([onnx, folder]);
    expect(await readFile(join(folder, "README.md"), "utf8")).toContain("L0.H1, L1.H0");
    expect(await readFile(html, "utf8")).not.toMatch(/(src|href)="https?:/);
  });

  it("shows the planted bias when nothing is named", async () => {
    const text = await runOk(["debias", "--scenes", "240", "--random", "5", "--max-heads", "3"], {
      env,
      timeout: 120_000,
    });
    const words = text.replace(/\s+/g, " ");
    for (const part of ["worst-group accuracy goes from", "selectivity *", "held-out"])
      expect(words).toContain(part);
  });

  it.each([
    ["an index without a cue", () => ["--index", index], "USAGE"],
    ["a cue without an index", () => ["--cue", "place"], "USAGE"],
    ["a cue that is not there", () => ["--index", index, "--cue", "mood"], "FACTORS_MISSING"],
    [
      "halves that are not there",
      () => ["--index", index, "--cue", "place", "--split", "label"],
      "FACTORS_MISSING",
    ],
    ["an export of no known kind", () => ["--export", "x.pb"], "USAGE"],
    ["MLPs as heads", () => ["--index", index, "--cue", "place", "--heads", "mlps"], "HEADS_INVALID"],
  ])("refuses %s", async (_, args, code) => {
    expectError(await runHere("debias", ...args()), code);
  });
});
