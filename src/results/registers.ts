import { z } from "zod";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, share } from "./shapes.ts";

const layerSchema = z.strictObject({
  layer: z.string().describe("embed: before the first layer; L3: behind it"),
  median: z.number().describe("of the patches' norms"),
  high: z.number().describe("above it lies one patch in a hundred"),
  most: z.number(),
  cls: z.number().describe("mean of the CLS token's norm"),
  outliers: z
    .number()
    .nullable()
    .describe(
      "of the patches that are outliers behind the last layer, the mean of norm over the image's median here; null without any",
    ),
});
const normsSchema = z.strictObject({
  layers: z.array(layerSchema),
  withOutliers: count.describe(
    "images with a patch whose norm behind the last layer is at least `ratio` times the median patch's",
  ),
  outliers: z.number().describe("such patches an image, on average"),
  attention: share.describe("of the last layer's attention from CLS to patches, what goes to them"),
});
/** How long tokens are, layer by layer. */
export type TokenNorms = z.infer<typeof normsSchema>;

/** Which patches act as registers, and what moves them aside: what `registers --json` prints. */
export const registersResultSchema = z.strictObject({
  origin: originSchema("model"),
  source: z.string(),
  images: count,
  ratio: z.number().describe("a patch is an outlier from so many times the median norm on"),
  norms: normsSchema,
  emerge: z
    .string()
    .nullable()
    .describe("the first layer behind which the outliers are ones; null without any"),
  neurons: z
    .array(
      z.strictObject({
        name: z.string().describe("L3.N17: layer and number in the MLP's hidden layer"),
        layer: count,
        neuron: count,
        atOutliers: z.number().describe("mean size of its activation there"),
        elsewhere: z.number().describe("at the other patches"),
        writes: z.number().describe("how much longer what it writes is at outliers than elsewhere"),
      }),
    )
    .describe("that write most more at outliers, of the layers up to where they emerge; largest first"),
  moved: z
    .strictObject({
      neurons: z.array(z.string()),
      norms: normsSchema,
      register: z.number().describe("mean norm of the register behind the last layer"),
      cosine: z.number().describe("mean cosine of an image's embedding with that of the network as it is"),
    })
    .nullable()
    .describe("the same with a register that takes what these neurons write; null without outliers"),
  rejected: z.array(z.strictObject({ path: z.string(), code: z.string(), message: z.string() })),
});
/** Which patches act as registers, and what moves them aside. */
export type RegistersResult = z.infer<typeof registersResultSchema>;

export const registersResult = resultBuilder(registersResultSchema);
