import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ModelConfig } from "../checkpoint/model-config.ts";
import { parseComponents } from "../model/components.ts";
import { loadProperties } from "./properties.ts";

const scratch = mkdtempSync(join(tmpdir(), "properties-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const model = (name: string, layers: number, heads: number) => ({
  name,
  config: { vision: { layers, heads } } as ModelConfig,
});
const file = (json: unknown) => {
  const path = join(scratch, "labels.json");
  writeFileSync(path, typeof json === "string" ? json : JSON.stringify(json));
  return path;
};

describe("properties", () => {
  it("of the paper's models are the published labels, with every head of the last four layers", async () => {
    const properties = await loadProperties(model("ViT-B-32/openai", 12, 12));
    const heads = Object.values(properties).flat();
    expect(heads.length).toBe(48);
    expect(new Set(heads).size).toBe(48);
    const [label, named] = Object.entries(properties)[0];
    const { heads: parsed } = parseComponents(label.toUpperCase(), { layers: 12, heads: 12 }, properties);
    expect(parsed.map(({ layer, head }) => `L${layer}.H${head}`).sort()).toEqual([...named].sort());
  });

  it("of another model, or of one of another shape, are none", async () => {
    expect(await loadProperties(model("emoji-4x128-p8", 4, 4))).toEqual({});
    expect(await loadProperties(model("ViT-B-32/openai", 4, 4))).toEqual({});
  });

  it("come from labels, from several models' labels, and from a user's own list", async () => {
    const small = model("mine", 4, 4);
    const labels = { model: "mine", heads: { "L1.H0": { label: "red" }, "L1.H1": { label: "red" } } };
    expect(await loadProperties(small, file(labels))).toEqual({ red: ["L1.H0", "L1.H1"] });
    const several = {
      models: { mine: { heads: { "L0.H0": "blue" } }, other: { heads: { "L0.H1": "green" } } },
    };
    expect(await loadProperties(small, file(several))).toEqual({ blue: ["L0.H0"] });
    expect(await loadProperties(small, file({ warm: ["L0.H2"] }))).toEqual({ warm: ["L0.H2"] });
  });

  it.each([
    ["labels of other models", { models: { other: { heads: { "L0.H1": "green" } } } }],
    ["heads that are not written as heads", { warm: ["head 3"] }],
    ["something else", [1, 2]],
    ["no JSON", "red: L0.H1"],
  ])("say what is wrong with %s", async (_, json) => {
    await expect(loadProperties(model("mine", 4, 4), file(json))).rejects.toMatchObject({
      code: "JSON_INVALID",
    });
  });
});
