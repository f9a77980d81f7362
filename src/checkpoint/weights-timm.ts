import type { ModelConfig } from "./model-config.ts";
import type { TimmTower } from "./timm-tower.ts";
import {
  type Block,
  type InvertedBottleneck,
  linear,
  norm,
  type Pool,
  parts,
  perhapsBiased,
  type Stem,
  type Take,
  type VisionWeights,
} from "./weight-roles.ts";

const TRUNK = "visual.trunk";

/** The image tower of an OpenCLIP model whose tower is timm's. */
export function timmVision(take: Take, { vision, embedDim }: ModelConfig, tower: TimmTower): VisionWeights {
  const { width, layers, grid, tokens, prefix } = vision;
  const positions = tower.positions === "all" ? tokens : grid * grid;
  const head = ["visual.head.proj", `${TRUNK}.head`].find((name) => take.has(`${name}.weight`));
  return {
    ...(prefix === 1 && { classEmbedding: take(`${TRUNK}.cls_token`, [1, 1, width]) }),
    stem: stem(take, tower),
    ...(tower.positions !== "none" && {
      positionalEmbedding: take(`${TRUNK}.pos_embed`, [1, positions, width]),
    }),
    ...(tower.lnPre && { lnPre: norm(take, `${TRUNK}.norm_pre`, width) }),
    blocks: Array.from({ length: layers }, (_, layer) => block(take, `${TRUNK}.blocks.${layer}`, tower)),
    lnPost: norm(take, `${TRUNK}.${tower.lastNorm ?? "norm"}`, width),
    ...(tower.pooling === "attention" && { pool: pool(take, tower) }),
    ...(head || width !== embedDim
      ? {
          projection: {
            ...perhapsBiased(take, head ?? `${TRUNK}.head`, [embedDim, width]),
            transposed: true,
          },
        }
      : {}),
  };
}

function block(take: Take, name: string, tower: TimmTower): Block {
  const { width, mlpWidth, heads, relativeWidth: relative } = tower;
  const [fc1, fc2, gate] = {
    plain: ["fc1", "fc2", ""],
    swiglu: ["fc1_x", "fc2", "fc1_g"],
    geglu: ["w1", "w2", "w0"],
  }[tower.mlp].map((part) => part && `${name}.mlp.${part}`);
  return {
    ln1: norm(take, `${name}.norm1`, width),
    ...queryKeyValue(take, `${name}.attn`, width),
    ...(tower.attentionNorm && { attentionNorm: norm(take, `${name}.attn.norm`, width) }),
    ...(relative && {
      relative: {
        fc1: linear(take, `${name}.attn.rel_pos.mlp.fc1`, relative, 2),
        fc2: linear(take, `${name}.attn.rel_pos.mlp.fc2`, heads, relative),
      },
    }),
    out: linear(take, `${name}.attn.proj`, width, width),
    ln2: norm(take, `${name}.norm2`, width),
    ...(tower.mlp === "geglu" && { mlpNorm: norm(take, `${name}.mlp.norm`, width) }),
    ...(gate && { gate: linear(take, gate, mlpWidth, width) }),
    fc1: linear(take, fc1, mlpWidth, width),
    ...(tower.mlpNorm && { hiddenNorm: norm(take, `${name}.mlp.norm`, mlpWidth) }),
    fc2: linear(take, fc2, width, mlpWidth),
    ...(tower.layerScale && {
      attentionScale: take(`${name}.ls1.gamma`, [width]),
      mlpScale: take(`${name}.ls2.gamma`, [width]),
    }),
    ...(tower.postNorm && { postNorm: true }),
  };
}

/** In one tensor or in three; EVA's keys have no bias. */
function queryKeyValue(take: Take, name: string, width: number): Pick<Block, "query" | "key" | "value"> {
  if (take.has(`${name}.q_proj.weight`)) {
    const [query, key, value] = ["q", "k", "v"].map((part) =>
      perhapsBiased(take, `${name}.${part}_proj`, [width, width]),
    );
    return { query, key, value };
  }
  const qkvBias = take.has(`${name}.qkv.bias`) ? `${name}.qkv.bias` : undefined;
  const [query, key, value] = parts(take, `${name}.qkv.weight`, qkvBias, 3, width);
  if (!take.has(`${name}.q_bias`)) return { query, key, value };
  return {
    query: { ...query, bias: take(`${name}.q_bias`, [width]) },
    key,
    value: { ...value, bias: take(`${name}.v_bias`, [width]) },
  };
}

function pool(take: Take, { width, poolMlpWidth }: TimmTower): Pool {
  const name = `${TRUNK}.attn_pool`;
  const [key, value] = parts(take, `${name}.kv.weight`, `${name}.kv.bias`, 2, width);
  return {
    latent: take(`${name}.latent`, [1, 1, width]),
    query: linear(take, `${name}.q`, width, width),
    ...{ key, value },
    out: linear(take, `${name}.proj`, width, width),
    ...(poolMlpWidth && {
      mlp: {
        norm: norm(take, `${name}.norm`, width),
        fc1: linear(take, `${name}.mlp.fc1`, poolMlpWidth, width),
        fc2: linear(take, `${name}.mlp.fc2`, width, poolMlpWidth),
      },
    }),
  };
}

function stem(take: Take, tower: TimmTower): Stem {
  const { width, patchSize } = tower;
  if (tower.stem === "convolutions") return convolutions(take, width);
  if (tower.stem === "inverted-bottlenecks") return invertedBottlenecks(take, tower);
  const name = `${TRUNK}.patch_embed.proj`;
  return { kind: "patches", convolution: perhapsBiased(take, name, [width, 3, patchSize, patchSize]) };
}

/** MobileCLIP's stem: strides of 4, 2 and 2 over channels that widen at the end. */
function convolutions(take: Take, width: number): Stem {
  const name = `${TRUNK}.patch_embed.backbone`;
  const inner = width / 4;
  const layers = [
    { size: 4, from: 3, to: inner },
    { size: 2, from: inner, to: inner },
    { size: 2, from: inner, to: width },
  ];
  return {
    kind: "convolutions",
    layers: layers.map(({ size, from, to }, index) => {
      const bn = `${name}.${index}.bn`;
      return {
        size,
        convolution: perhapsBiased(take, `${name}.${index}.conv`, [to, from, size, size]),
        ...(index < 2 && {
          batchNorm: {
            ...norm(take, bn, to),
            mean: take(`${bn}.running_mean`, [to]),
            variance: take(`${bn}.running_var`, [to]),
          },
        }),
      };
    }),
  };
}

/** ViTamin's stem. The width inside a block is four times that behind it. */
function invertedBottlenecks(
  take: Take,
  { width, stemWidths = [1, 1, 1], stemDepths = [1, 1] }: TimmTower,
): Stem {
  const name = `${TRUNK}.patch_embed.backbone`;
  const [first, ...stages] = stemWidths;
  const blocks = stages.flatMap((to, stage) =>
    Array.from({ length: stemDepths[stage] }, (_, index): InvertedBottleneck => {
      const block = `${name}.stages.${stage}.${index}`;
      const from = index === 0 ? stemWidths[stage] : to;
      const channels = 4 * to;
      return {
        stride: index === 0 ? 2 : 1,
        norm: norm(take, `${block}.pre_norm`, from),
        expand: perhapsBiased(take, `${block}.conv1_1x1`, [channels, from, 1, 1]),
        depthwise: perhapsBiased(take, `${block}.conv2_kxk`, [channels, 1, 3, 3]),
        channels,
        shrink: perhapsBiased(take, `${block}.conv3_1x1`, [to, channels, 1, 1]),
        ...(index === 0 && from !== to
          ? { shortcut: perhapsBiased(take, `${block}.shortcut.expand`, [to, from, 1, 1]) }
          : {}),
      };
    }),
  );
  const last = stemWidths[2];
  return {
    kind: "inverted-bottlenecks",
    weights: {
      first: perhapsBiased(take, `${name}.stem.conv1`, [first, 3, 3, 3]),
      firstNorm: norm(take, `${name}.stem.norm1`, first),
      second: perhapsBiased(take, `${name}.stem.conv2`, [first, first, 3, 3]),
      blocks,
      lastNorm: norm(take, `${name}.pool.norm`, last),
      last: perhapsBiased(take, `${name}.pool.proj`, [width, last, 3, 3]),
    },
  };
}
