import { describe, expect, it } from "vitest";
import { findHubModel, isHubId, KNOWN_MODELS, knownActivation, suggestModels } from "./known-models.ts";

/** Parameters of a CLIP ViT: what every block has, and what is around the blocks. */
function parameters(
  layers: number,
  width: number,
  patch: number,
  size: number,
  text: number,
  textLayers: number,
): number {
  const blocks = (count: number, w: number) => count * (12 * w * w + 13 * w);
  const joint = { 768: 512, 1024: 768, 1280: 1024 }[width] ?? 0;
  const positions = Math.floor(size / patch) ** 2 + 1;
  const image = blocks(layers, width) + 3 * patch * patch * width + width * (positions + 1 + 4 + joint);
  return image + blocks(textLayers, text) + text * (49408 + 77 + 2 + joint) + 1;
}

describe("the known models", () => {
  it("have the size that their architecture gives, in float32", () => {
    for (const { name, layers, patch, imageSize, approximateMegabytes } of KNOWN_MODELS) {
      const [width, text, textLayers] =
        { 12: [768, 512, 12], 24: [1024, 768, 12], 32: [1280, 1024, 24] }[layers] ?? [];
      const bytes = 4 * parameters(layers, width ?? 0, patch, imageSize, text ?? 0, textLayers ?? 0);
      expect([name, Math.abs(bytes / 1e6 - approximateMegabytes) < 1]).toEqual([name, true]);
    }
    // OpenAI's ViT-B/32, as everyone counts it.
    expect(parameters(12, 768, 32, 224, 512, 12)).toBe(151_277_313);
  });

  it("are six of the paper and others, each named once, architecture and patch in the name", () => {
    expect(KNOWN_MODELS.filter(({ paper }) => paper)).toHaveLength(6);
    for (const key of ["name", "hubId"] as const) {
      expect(new Set(KNOWN_MODELS.map((model) => model[key].toLowerCase())).size).toBe(KNOWN_MODELS.length);
    }
    for (const { name, hubId, patch, imageSize } of KNOWN_MODELS) {
      expect(name).toContain(`-${patch}`);
      expect(name.includes("336")).toBe(imageSize === 336);
      expect(isHubId(hubId)).toBe(true);
      if (hubId.includes("openai")) expect(name).toContain("openai");
    }
  });

  it("are found by name and by hub id; any other hub id is a model too", () => {
    const { name, hubId } = KNOWN_MODELS[0];
    for (const text of [name, name.replace("/", ":"), hubId, `hf-hub:${hubId}`, hubId.toUpperCase()]) {
      expect(findHubModel(text)).toMatchObject({ name, hubId });
    }
    expect(findHubModel("someone/else")).toEqual({ name: "someone/else", hubId: "someone/else" });
  });

  it.each([
    ["ViT-B/32", "ViT-B-32/openai"],
    ["vit-l/14@336PX", "ViT-L-14-336/openai"],
    ["ViT-B-32::openai", "ViT-B-32/openai"],
    ["ViT-B-32__laion2b_s34b_b79k", "ViT-B-32/laion2b_s34b_b79k"],
    ["ViT-B-32-quickgelu/openai", "ViT-B-32/openai"],
    ["ViT-L-14::dfn2b", "ViT-L-14-quickgelu/dfn2b"],
    ["ViT-B-16/dfn2b", "ViT-B-16/dfn2b"],
    ["openai/ViT-B-32", "ViT-B-32/openai"],
    ["CLIP-ViT-B-32-laion2B-s34B-b79K", "ViT-B-32/laion2b_s34b_b79k"],
    ["https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K/tree/main", "ViT-B-32/laion2b_s34b_b79k"],
    ["https://huggingface.co/openai/clip-vit-base-patch32", "openai/clip-vit-base-patch32"],
    ["hf.co/someone/else?x=1", "someone/else"],
    ["clip-vit-large-patch14-336", "openai/clip-vit-large-patch14-336"],
  ])("are found as others write them: %s", (text, name) => {
    expect(findHubModel(text)?.name).toBe(name);
  });

  it.each([
    ["ViT-B-32", ["openai", "datacomp_m_s128m_b4k", "laion2b_s34b_b79k", "datacomp_xl_s13b_b90k"]],
    ["vit_b_32", ["openai", "datacomp_m_s128m_b4k", "laion2b_s34b_b79k", "datacomp_xl_s13b_b90k"]],
    ["ViT-B-32-quickgelu", ["openai"]],
    ["ViT-B-32/laion2b_s34b_b79", ["laion2b_s34b_b79k"]],
    ["ViT-B32/openai", ["openai"]],
    ["someone/else", []],
    ["x".repeat(200), []],
  ])("or are named where several or none are meant: %s", (text, tags) => {
    expect(suggestModels(text).map(({ name }) => name)).toEqual(tags.map((tag) => `ViT-B-32/${tag}`));
    expect(findHubModel(text)?.known).toBeUndefined();
  });

  it("say which activation they need, under their exact names alone", () => {
    expect(knownActivation("ViT-B-32/openai")).toBe("quick_gelu");
    expect(knownActivation("timm/vit_base_patch16_clip_224.metaclip_400m")).toBe("quick_gelu");
    expect(knownActivation("laion/CLIP-ViT-B-32-laion2B-s34B-b79K")).toBe("gelu");
    for (const text of ["openai", "ViT-B-32-quickgelu", "someone/clip.openai"])
      expect(knownActivation(text)).toBeUndefined();
  });

  it("nothing becomes part of a path that could leave it", () => {
    for (const text of [
      "",
      "a",
      "../a",
      "a/..",
      "a/b/c",
      "/a/b",
      "a/b?c",
      "a/b#c",
      "a--b/c",
      "a/b c",
      ".a/b",
      "a\\b/c",
      "a/b.git",
    ]) {
      expect([text, findHubModel(text)]).toEqual([text, undefined]);
    }
  });
});
