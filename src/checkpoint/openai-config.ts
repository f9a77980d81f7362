import type { WeightTensors } from "./weight-files.ts";

/** Numbers that OpenAI's models keep among their weights, and no other library does. */
const MARKS = ["input_resolution", "context_length", "vocab_size"];
/** Width of a head in every model of OpenAI's. */
const HEAD_WIDTH = 64;

/**
 * The config of a ViT as OpenAI published it, as an `open_clip_config.json` says it: its files have none, and OpenAI's own code
 * takes it from the tensors' shapes, and QuickGELU. Undefined where the weights are not OpenAI's.
 */
export function openAiConfig({
  tensors,
  leftOut,
  prefix,
}: WeightTensors): { readonly model_cfg: Record<string, unknown> } | undefined {
  if (!MARKS.every((name) => leftOut.has(`${prefix}${name}`))) return undefined;
  const shape = (name: string): readonly number[] => tensors.get(name)?.shape ?? [];
  const tower = (prefix: string) => {
    const resblocks = `${prefix}transformer.resblocks`;
    const layer = new RegExp(`^${resblocks.replaceAll(".", "\\.")}\\.(\\d+)\\.`);
    const found = [...tensors.keys()].flatMap((name) => layer.exec(name)?.[1] ?? []);
    const [hidden = 0, width = 1] = shape(`${resblocks}.0.mlp.c_fc.weight`);
    return { layers: new Set(found).size, width, mlp_ratio: hidden / width };
  };
  const image = tower("visual.");
  const text = tower("");
  const patch = shape("visual.conv1.weight")[2] ?? 0;
  const grid = Math.round(Math.sqrt((shape("visual.positional_embedding")[0] ?? 1) - 1));
  return {
    model_cfg: {
      embed_dim: shape("text_projection")[1],
      quick_gelu: true,
      vision_cfg: { ...image, head_width: HEAD_WIDTH, patch_size: patch, image_size: grid * patch },
      text_cfg: {
        ...{ ...text, heads: text.width / HEAD_WIDTH },
        context_length: shape("positional_embedding")[0],
        vocab_size: shape("token_embedding.weight")[0],
      },
    },
  };
}
