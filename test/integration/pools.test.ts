import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { emojiTexts } from "../../scripts/pools/emoji.ts";
import { countTable, MAKERS, poolFile } from "../../scripts/pools/pools.ts";
import { normalize } from "../../src/image/show.ts";
import { cosine, rowsOf } from "../../src/math/linear.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { locateModel } from "../../src/model/registry.ts";
import { loadTokenizer } from "../../src/text/load-tokenizer.ts";
import { loadPool, POOLS } from "../../src/text/pool.ts";
import { planCorpus } from "../../src/world/corpus.ts";
import { PROPERTY_FACTORS } from "../../src/world/properties.ts";
import { render } from "../../src/world/render.ts";
import { Sprites } from "../../src/world/sprites.ts";
import { goldenPath } from "../support/goldens.ts";

const repository = new URL("../../", import.meta.url);
const countBy = (values: readonly (string | null)[]) => {
  const counts = new Map<string | null, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};

describe.each(POOLS)("the pool %s", (name) => {
  it("is what its vocabularies make, and the page of pools counts it right", () => {
    const texts = MAKERS[name]();
    expect(readFileSync(new URL(`assets/pools/${name}.jsonl`, repository), "utf8")).toBe(poolFile(texts));
    expect(readFileSync(new URL("docs/pools.md", repository), "utf8")).toContain(countTable(texts));
  });

  it("holds no text twice, each with one property, and reads as English", async () => {
    const { texts } = await loadPool(name, { report: ({ type }) => expect(type).not.toBe("warning") });
    expect(texts).toEqual(MAKERS[name]());
    for (const { text, property } of texts) {
      expect(property, text).toMatch(/^[a-z]+( [a-z]+)*$/);
      // Nothing of a template or a list is left over, and articles fit what follows.
      expect(text).not.toMatch(/[{}~>#=]| {2}|^ | $|\ba (a|an|the)\b|\ban? (an?|two|three)\b/);
      expect(text).not.toMatch(/\ba (?!euro|uni|uk)[aeiouAEIOU]|\ban (?![aeiouAEIOU]|hour|X-ray|MRI)/);
    }
  });
});

describe("the pool of photographs", () => {
  it("has at least 3,000 texts over many properties, none of them with more than a tenth", async () => {
    const { texts } = await loadPool("photographs");
    expect(texts.length).toBeGreaterThanOrEqual(3000);
    const counts = countBy(texts.map(({ property }) => property));
    expect(counts.size).toBeGreaterThanOrEqual(40);
    for (const [property, count] of counts) {
      expect(count, property ?? "").toBeLessThanOrEqual(texts.length / 10);
      expect(count, property ?? "").toBeGreaterThanOrEqual(20);
    }
  });

  it("is never cut off by CLIP's tokenizer", async () => {
    const tokenizer = await loadTokenizer(goldenPath("tokenizer/tokenizer.json"), 77);
    for (const { text } of (await loadPool("photographs")).texts) {
      expect(tokenizer.encode(text).truncated, text).toBe(false);
    }
  });
});

describe("the pool of the generated world", () => {
  it("speaks of the factors that a corpus records, by their names", async () => {
    const plan = await planCorpus({ split: "demo", indices: [0], size: 64 });
    const recorded = [...Object.keys(JSON.parse(plan.lines).factors), "label"];
    expect(Object.values(PROPERTY_FACTORS).flat()).toEqual(
      expect.arrayContaining(recorded.filter((factor) => factor !== "arrangement")),
    );
    for (const factor of Object.values(PROPERTY_FACTORS).flat()) expect(recorded).toContain(factor);
    const properties = new Set((await loadPool("emoji")).texts.map(({ property }) => property));
    expect([...properties].sort()).toEqual(Object.keys(PROPERTY_FACTORS).sort());
  });
});

const measured = z.object({ accuracy: z.number() });
const evaluationSchema = z.object({
  compositions: z.object(
    Object.fromEntries(Object.keys(PROPERTY_FACTORS).map((property) => [property, measured])),
  ),
});

/** Scenes of the demo split, drawn at the models' own size, with what is true of them. */
const IMAGES = 400;
async function drawScenes() {
  const indices = Array.from({ length: IMAGES }, (_, i) => i);
  const { scenes, lines } = await planCorpus({ split: "demo", indices, size: 64 });
  const sprites = await Sprites.forScenes(scenes, 64);
  const factors: Record<string, string | number | null>[] = lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).factors);
  return scenes.map((scene, i) => ({ factors: factors[i], rgb: render(scene, 64, sprites).rgb.slice() }));
}

describe("the embedded models and the pool of their world", () => {
  const texts = emojiTexts();
  let scenes: Awaited<ReturnType<typeof drawScenes>>;
  beforeAll(async () => {
    scenes = await drawScenes();
  });

  /** How often, of all texts that speak of a property, the one nearest to a scene is true of it. */
  function accuracyOf(property: string, textRows: readonly Float32Array[], images: readonly Float32Array[]) {
    const own = texts.flatMap((text, t) =>
      text.property === property ? [{ ...text, row: textRows[t] }] : [],
    );
    let [right, asked] = [0, 0];
    for (const [i, { factors }] of scenes.entries()) {
      if (factors[property] === null || (property === "concept" && factors.other !== null)) continue;
      const scores = own.map(({ row }) => cosine(row, images[i]));
      right += Number(own[scores.indexOf(Math.max(...scores))].value === factors[property]);
      asked++;
    }
    return right / asked;
  }

  // One of each shape of patch; embedded-models.test.ts holds every model against its card.
  it.each(["emoji-4x128-p8", "emoji-4x128-p16"])(
    "%s reads its texts whole, and the nearest text is true",
    async (name) => {
      const model = await loadClipModel((await locateModel(name)).folder, name);
      const { preprocess, embedDim } = model.config;
      const tokenizer = await model.tokenizer();
      for (const { text } of texts) expect(tokenizer.encode(text).truncated, text).toBe(false);
      const textRows = rowsOf(await model.encodeTexts(texts.map(({ text }) => text)), embedDim);
      const BATCH = 50;
      const pixels = new Float32Array(BATCH * 3 * preprocess.size ** 2);
      const images: Float32Array[] = [];
      for (let start = 0; start < IMAGES; start += BATCH) {
        for (let i = 0; i < BATCH; i++) {
          normalize(scenes[start + i].rgb, preprocess, pixels, (i * pixels.length) / BATCH);
        }
        images.push(...rowsOf((await model.decompose(pixels)).embedding, embedDim));
      }
      await model.release();
      // What the card measured on other scenes, with the mean of several texts a value; 0.08 is three standard errors here.
      const card = readFileSync(new URL(`models/${name}/evaluation.json`, repository), "utf8");
      const { compositions } = evaluationSchema.parse(JSON.parse(card));
      for (const [property, { accuracy }] of Object.entries(compositions)) {
        expect(accuracyOf(property, textRows, images), property).toBeGreaterThan(accuracy - 0.08);
      }
    },
  );
});
