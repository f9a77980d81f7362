import { z } from "zod";
import { precisionSchema } from "./precision.ts";

const share = z.number().min(0).max(1);
const count = z.int().min(0);
const head = z.string();

/** A share of n with Wilson's 95 % interval. */
const shareOf = z.strictObject({ share, low: share, high: share, n: count });
const namedShare = z.strictObject({ name: z.string(), ...shareOf.shape });
const band = z
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
const accuracy = z.strictObject({
  all: shareOf,
  classes: z.array(namedShare),
  groups: z.array(namedShare).describe("class × value of the factors of --groups"),
  worst: namedShare.nullable(),
});
const outcome = { accuracy: shareOf, worst: namedShare.nullable() };
const mode = z.enum(["mean", "zero"]);

const forward = z
  .strictObject({
    replacement: z
      .enum(["position", "tokens", "nothing"])
      .describe(
        "what takes a head's place: its mean at each token position, one mean over all tokens, nothing",
      ),
    images: count,
    calibration: count.describe("images that means were taken over"),
    whole: z.strictObject(outcome),
    rows: z.array(
      z.strictObject({
        name: z.string(),
        heads: z.array(head),
        ...outcome,
        direct: z.strictObject(outcome).describe("without the direct effects alone, on the same images"),
        random: band.nullable(),
        randomWorst: band.nullable(),
      }),
    ),
  })
  .describe("heads taken away inside the network, at every token");

const source = {
  model: z.string(),
  precision: precisionSchema,
  index: z.string(),
};

/** What `evaluate zero-shot --json` prints. */
export const zeroShotResultSchema = z.strictObject({
  ...source,
  factor: z.string(),
  classes: count,
  images: count,
  leftOut: count.describe("images of the index that show no class or have no group, or are beyond --images"),
  mode,
  whole: accuracy,
  rows: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(["set", "all", "layer", "up-to", "kept"]),
      at: z.int().nullable(),
      heads: z.array(head),
      mlps: count.describe("MLP terms that are ablated too, `embed` among them"),
      ...outcome,
      random: band.nullable(),
    }),
  ),
  forward: forward.nullable(),
});

const robustness = z.strictObject({ average: shareOf, worst: namedShare });
const halves = { validation: robustness, test: robustness };

/** What `debias --json` prints. */
export const debiasResultSchema = z.strictObject({
  ...source,
  cue: z.string(),
  factor: z.string(),
  mode,
  images: z.strictObject({ validation: count, test: count, leftOut: count }),
  before: z.strictObject(halves),
  gap: z
    .strictObject({ heads: z.array(z.number()), mlps: z.number(), whole: z.number() })
    .describe(
      "what each component adds to the margin of classes where the cue is on their side; sums to the whole",
    ),
  selections: z.array(
    z.strictObject({
      selection: z.enum(["given", "selectivity", "texts", "gap", "greedy"]),
      order: z.array(z.strictObject({ head, value: z.number() })),
      steps: z.array(z.strictObject({ heads: z.array(head), ...halves })),
      chosen: z.array(head),
      outcome: z.strictObject(halves),
      controls: z.array(
        z.strictObject({ from: z.enum(["same layers", "all layers"]), average: band, worst: band }),
      ),
    }),
  ),
  used: count.describe("position among the selections"),
  groups: z.array(
    z.strictObject({ name: z.string(), before: namedShare, after: namedShare, random: band.nullable() }),
  ),
  randomSteps: z.array(z.strictObject({ average: band, worst: band }).nullable()),
  forward: z.array(forward),
  exported: z.array(z.string()),
});
