import { z } from "zod";
import { endSchema } from "./from-weights.ts";
import { originSchema } from "./origin.ts";
import { resultBuilder } from "./result.ts";
import { count, headShape } from "./shapes.ts";

// Rounding may take a share a little past 1.
const share = z.number().min(0).max(1.000001);

const changeShape = {
  change: z
    .number()
    .min(0)
    .describe("‖C′ − C‖ / ‖C‖ of the head's map C before and C′ after: 0 where nothing changed"),
  reweighted: share.describe(
    "of the squared change: what reads and writes along the base's own pairs of directions, stronger or weaker than before",
  ),
  mixed: share.describe("what reads along one of the base's directions and writes along another"),
  new: share.describe("what reads or writes outside of all of the base's directions"),
};

const tunedHeadSchema = z.strictObject({
  ...headShape,
  ...changeShape,
  strength: z.number().min(0).describe("‖C′‖ / ‖C‖"),
  outside: share.describe(
    "of what the fine-tune can write (its squared singular values): outside of the base's directions",
  ),
  ratios: z
    .array(z.number())
    .describe(
      "for each direction of the base, strongest first: u·C′·v / σ, how strongly it reads and writes along it now; 1: as before",
    ),
  directions: z
    .array(
      z.strictObject({
        singularValue: z.number().min(0),
        share: share.describe("of the squared change"),
        ends: z.tuple([endSchema, endSchema]),
      }),
    )
    .describe(
      "singular directions of the change itself, in texts; none where no pool was used or nothing changed",
    ),
});
/** What a fine-tune did to a head. */
export type TunedHead = z.infer<typeof tunedHeadSchema>;

/** What `compare --base --json` prints: a model beside the one that it was fine-tuned from, head by head from their weights. */
export const fineTuneResultSchema = z.strictObject({
  origin: originSchema("model").describe("the fine-tune"),
  base: originSchema("model").shape.model,
  pool: originSchema("pool")
    .shape.pool.nullable()
    .describe("texts of the fine-tune's text tower; null without"),
  changed: count.describe("heads that changed at all"),
  heads: z.array(tunedHeadSchema).describe("in the order of the model"),
});
/** A fine-tune beside its base. */
export type FineTuneResult = z.infer<typeof fineTuneResultSchema>;
export const fineTuneResult = resultBuilder(fineTuneResultSchema);
