import { z } from "zod";
import { componentSetSchema, count, share } from "./shapes.ts";

/* How well images are classified, and what that is compared with: shared by every result of an ablation. */

/** What takes the place of a direct effect: its mean over images, or nothing. */
export const REPLACEMENTS = ["mean", "zero"] as const;
export const replacementSchema = z.enum(REPLACEMENTS).describe("what takes the place of a direct effect");
export type Replacement = z.infer<typeof replacementSchema>;

/**
 * What takes a head's place inside the network: its mean at each token position, one mean over all tokens (all that an
 * edited checkpoint can hold, `model/export-checkpoint.ts`), or nothing.
 */
export const INNER_REPLACEMENTS = ["position", "tokens", "nothing"] as const;
export type InnerReplacement = (typeof INNER_REPLACEMENTS)[number];

/** A share of n with Wilson's 95 % interval. */
export const shareSchema = z.strictObject({ share, low: share, high: share, n: count });
export type Share = z.infer<typeof shareSchema>;
/** A share of a class or group. */
export const namedShareSchema = z.strictObject({ name: z.string(), ...shareSchema.shape });
export type NamedShare = z.infer<typeof namedShareSchema>;
/** The group of lowest accuracy; its interval is that of the lowest accuracy of all groups (`math/minimum.ts`). */
export const worstShareSchema = namedShareSchema.describe(
  "the group of lowest accuracy, with a 95 % interval for the lowest true accuracy of all groups",
);

/** Where a value lies among those of controls. */
export const bandSchema = z
  .strictObject({
    draws: count,
    exhaustive: z.boolean().describe("whether these are all the sets there are"),
    mean: share,
    low: share.describe("2.5th percentile"),
    high: share.describe("97.5th percentile"),
    least: share,
    most: share,
    atMost: share.describe("share of the draws that are at most as high as the set's own value"),
    atLeast: share.describe("share of the draws that are at least as high"),
  })
  .describe("the same with random heads instead");
export type ControlBand = z.infer<typeof bandSchema>;

/** Accuracy of some images, and of the group of lowest accuracy where there are groups. */
export const outcomeShape = { accuracy: shareSchema, worst: worstShareSchema.nullable() };
const outcomeSchema = z.strictObject(outcomeShape);
export type Outcome = z.infer<typeof outcomeSchema>;

/** Sets of heads taken away inside the network. */
export const forwardSchema = z
  .strictObject({
    replacement: z
      .enum(INNER_REPLACEMENTS)
      .describe(
        "what takes a head's place: its mean at each token position, one mean over all tokens, nothing",
      ),
    images: count,
    calibration: count.describe("images that means were taken over; 0 where nothing takes a head's place"),
    whole: outcomeSchema,
    rows: z.array(
      z.strictObject({
        components: componentSetSchema,
        ...outcomeShape,
        direct: outcomeSchema.describe("without the direct effects alone, on the same images"),
        random: bandSchema.nullable(),
        randomWorst: bandSchema.nullable(),
      }),
    ),
  })
  .describe("heads taken away inside the network, at every token");
export type ForwardStudy = z.infer<typeof forwardSchema>;
