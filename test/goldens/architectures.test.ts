import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openClipOutcomes, withTables } from "../../scripts/model-tables.ts";
import { readsTexts } from "../../src/checkpoint/model-config.ts";
import { openClipFacts } from "../../src/checkpoint/open-clip-config.ts";
import type { TensorRef } from "../../src/checkpoint/safetensors.ts";
import { assembleWeights, tensorsIn } from "../../src/checkpoint/weights.ts";
import { KNOWN_MODELS, knownActivation } from "../../src/hub/known-models.ts";
import { goldenPath } from "../support/goldens.ts";

const json = (path: string) => JSON.parse(readFileSync(goldenPath(`open_clip/${path}`), "utf8"));
const configs: Record<string, Record<string, unknown>> = json("configs.json");
const { models, towers }: { models: Record<string, Towers>; towers: Record<string, Record<string, string>> } =
  json("tensors.json");
interface Towers {
  readonly visual: string;
  readonly text?: string;
}
const outcomes = openClipOutcomes();
const loading = outcomes.flatMap(({ name, config }) => (config ? [{ name, config }] : []));

/** A layer's number in a name. */
const LAYER = /((?:res)?blocks)\.0\./;
/** What no forward pass reads. */
const UNREAD = /num_batches_tracked|attn_mask/;

/** The tensors of an architecture under the names and in the shapes that its library gives them, without numbers. */
function tensorsOf(name: string, layers: { visual: number; text: number }): Map<string, TensorRef> {
  const found = new Map<string, TensorRef>();
  const add = (tensor: string, shape: readonly number[]) =>
    found.set(tensor, { name: tensor, file: "/none", offset: 0, dtype: "F32", shape: [...shape] });
  const custom = configs[name].custom_text === true ? "text." : "";
  for (const [part, prefix] of [["visual", "visual."], ["text", custom]] as const) {
    const tower = layers[part] > 0 ? models[name][part] : undefined;
    for (const [tensor, shape] of Object.entries(tower ? towers[tower] : {})) {
      const sizes = shape === "" ? [] : shape.split("x").map(Number);
      const count = LAYER.test(tensor) ? layers[part] : 1;
      for (let layer = 0; layer < count; layer++)
        add(`${prefix}${tensor}`.replace(LAYER, `$1.${layer}.`), sizes);
    }
  }
  add("logit_scale", []);
  return found;
}

describe("of OpenCLIP's architectures", () => {
  it("113 of 144 load, and the docs say which and why not the others (`npm run docs:models` writes it)", () => {
    expect([loading.length, outcomes.length]).toEqual([113, 144]);
    const page = readFileSync(new URL("../../docs/models.md", import.meta.url), "utf8");
    expect(page).toBe(withTables(page));
  });

  it.each(loading)("$name has every tensor that is read, in its shape, and none of its image tower is left unread", ({
    name,
    config,
  }) => {
    const { tower } = openClipFacts({ model_cfg: configs[name] }, name);
    const text = readsTexts(config.text) ? config.text.layers : 0;
    const tensors = tensorsOf(name, { visual: config.vision.layers, text });
    const read = tensorsIn(assembleWeights({ tensors, prefix: "", leftOut: new Map() }, "open_clip", config, tower));
    const names = new Set(read.map((tensor) => tensor.name.replace(/\[.*/, "")));
    const unread = [...tensors.keys()].filter((tensor) => !names.has(tensor) && !UNREAD.test(tensor));
    expect(unread).toEqual([]);
  });

  it("those that `models` lists have the activation that OpenCLIP's own table of weights says", () => {
    const pretrained: Record<string, { hub: string; quickGelu: boolean }> = json("pretrained.json");
    const different = KNOWN_MODELS.flatMap(({ name, hubId }) => {
      const entry = Object.entries(pretrained).find(
        ([key, { hub }]) => key === name || hub.toLowerCase() === hubId.toLowerCase(),
      );
      const expected = entry && (entry[1].quickGelu ? "quick_gelu" : "gelu");
      return expected === knownActivation(name) ? [] : [`${name}: ${knownActivation(name)}, OpenCLIP: ${expected}`];
    });
    expect(different).toEqual([]);
  });
});
