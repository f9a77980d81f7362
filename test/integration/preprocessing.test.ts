import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { explainImage } from "../../src/analysis/explain/explain.ts";
import { loadClipModel } from "../../src/model/load-model.ts";
import { goldenPath } from "../support/goldens.ts";

/*
 * A model is shown what its own library shows it. The right values are transformers' (CLIPModel with CLIPImageProcessor), and
 * OpenCLIP's with the same weights, of the tiny CLIP.
 */

const TEXTS = ["a monkey", "a palm tree"];
const TOKENIZER = fileURLToPath(new URL("../../models/emoji-4x128-p8/tokenizer.json", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "preprocessing-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

/** The tiny model in a layout, with some more files. */
function modelWith(layout: "transformers" | "open_clip", files: Record<string, unknown> = {}): string {
  const model = join(folder, String(count++));
  cpSync(goldenPath(`tiny/${layout}`), model, { recursive: true });
  cpSync(TOKENIZER, join(model, "tokenizer.json"));
  for (const [name, json] of Object.entries(files)) writeFileSync(join(model, name), JSON.stringify(json));
  return model;
}

async function similarities(model: string, picture = goldenPath("tiny/a.png")): Promise<number[]> {
  const loaded = await loadClipModel(model, undefined, { threads: 1 });
  try {
    return (await explainImage(loaded, picture, TEXTS)).texts.map(({ similarity }) => similarity);
  } finally {
    await loaded.release();
  }
}

const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5));

const USUAL = {
  ...{ do_convert_rgb: true, do_resize: true, size: { shortest_edge: 32 }, resample: 3 },
  ...{ do_center_crop: true, crop_size: { height: 32, width: 32 }, do_rescale: true },
  ...{ rescale_factor: 0.00392156862745098, do_normalize: true },
  ...{ image_mean: [0.48145466, 0.4578275, 0.40821073], image_std: [0.26862954, 0.26130258, 0.27577711] },
};

describe("a model in transformers' files is shown what transformers shows it", () => {
  it.each<[string, object, number[]]>([
    ["resize and crop of other sizes", { size: { shortest_edge: 37 } }, [0.009117, -0.104539]],
    ["do_normalize false", { do_normalize: false }, [-0.243281, -0.399999]],
    ["another rescale_factor", { rescale_factor: 0.00784313725490196 }, [-0.167438, -0.302018]],
    ["do_resize false", { do_resize: false }, [-0.202766, -0.200528]],
  ])("%s", async (_, changed, expected) => {
    const model = modelWith("transformers", { "preprocessor_config.json": { ...USUAL, ...changed } });
    expect(await similarities(model)).toEqual(near(expected));
  });

  it("transformers 5's processor_config.json", async () => {
    const halves = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
    const processor = { image_processor: { ...USUAL, ...halves }, processor_class: "CLIPProcessor" };
    const model = modelWith("transformers", { "processor_config.json": processor });
    expect(await similarities(model)).toEqual(near([0.201206, 0.216819]));
  });
});

describe("pictures that are not plain RGB", () => {
  // RGB first, then resized; or resized first, in the picture's own mode.
  it.each<[string, number[], number[]]>([
    ["soft-alpha.png", [0.149444, 0.157014], [0.219835, 0.398215]],
    ["palette.png", [0.010245, -0.078055], [0.045146, -0.057918]],
    ["one-bit.png", [0.154151, 0.395904], [0.160645, 0.292674]],
  ])("%s in either order", async (name, transformers, openClip) => {
    const picture = goldenPath(`tiny/pictures/${name}`);
    expect(await similarities(modelWith("transformers"), picture)).toEqual(near(transformers));
    expect(await similarities(modelWith("open_clip"), picture)).toEqual(near(openClip));
  });
});
