import { z } from "zod";

const size = z.int().min(1).max(1_000_000);

/**
 * What a name of timm's stands for: the facts of an image tower that its weights do not say. `vision_cfg.timm_tower` of an
 * OpenCLIP config may give any of them, for a tower that timm has no name for or a name that is not known here.
 */
export const timmTowerSchema = z.strictObject({
  pool: z.string().describe("the `timm_pool` that it is used with"),
  pooling: z.enum(["cls", "mean-norm", "norm-mean", "attention"]),
  width: size,
  layers: size,
  heads: size,
  mlpWidth: size,
  imageSize: size,
  patchSize: size.describe("pixels of a token's side, with whatever stem comes first"),
  prefix: z.union([z.literal(0), z.literal(1)]).describe("tokens before the patches: a CLS token or none"),
  positions: z.enum(["all", "patches", "none"]).describe("which tokens a learnt position is added to"),
  epsilon: z.number().positive(),
  activation: z.enum(["gelu", "gelu_tanh", "silu"]),
  mlp: z.enum(["plain", "swiglu", "geglu"]),
  lnPre: z.boolean().optional(),
  attentionNorm: z.boolean().optional().describe("a norm between the heads and their output matrix"),
  mlpNorm: z.boolean().optional().describe("a norm inside the MLP"),
  postNorm: z.boolean().optional().describe("norms after attention and MLP, none before"),
  lastNorm: z.string().optional().describe("the last norm's name where it is not `norm`"),
  rotary: z
    .strictObject({
      referenceGrid: size.nullable(),
      offset: z.number(),
      first: z.enum(["row", "column"]),
    })
    .optional(),
  layerScale: z.boolean().optional(),
  relativeWidth: size
    .optional()
    .describe("width of the MLPs that relative positions go through, where there are any"),
  poolHeads: size.optional(),
  poolMlpWidth: size.optional(),
  stem: z.enum(["convolutions", "inverted-bottlenecks"]).optional(),
  stemWidths: z.tuple([size, size, size]).optional(),
  stemDepths: z.tuple([size, size]).optional(),
});
/** One tower of timm's. */
export type TimmTower = z.infer<typeof timmTowerSchema>;
