/** The labels file: what each head of a model was said to look for, by whom, from what, when. */
import { basename, dirname } from "node:path";
import { z } from "zod";
import { folderStore } from "../corpus/store.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";

/** How a label came about. */
export const LABELLER_KINDS = ["tags", "llm", "published", "manual"] as const;
export type LabellerKind = (typeof LABELLER_KINDS)[number];

/** `L10.H3`, as a file must write it. */
export const headNameSchema = z.string().regex(/^L\d+\.H\d+$/, "heads are written L10.H3");
const nonBlank = z.string().regex(/\S/, "must not be blank");

/** Fields of who made a label. */
export const makerShape = {
  kind: z.enum(LABELLER_KINDS),
  by: z.string().default("").describe("in words: a model at a server, a pool's tags, a paper, a file"),
  model: z.string().nullable().default(null).describe("the language model; null without one"),
  promptHash: z.string().nullable().default(null).describe("SHA-256 of instructions and examples"),
  date: z.string().nullable().default(null).describe("ISO 8601; null where nobody said"),
};

/** Fields of who judged. */
export const judgeShape = {
  kind: z.enum(["tags", "llm", "manual"]),
  by: z.string().default(""),
  promptHash: z.string().nullable().default(null),
  date: z.string().nullable().default(null),
  votes: z
    .array(z.strictObject({ by: z.string(), consistent: z.array(z.boolean()) }))
    .default([])
    .describe("each judge's verdicts, where there are several"),
};
const makerSchema = z.object(makerShape);
const judgeSchema = z.object(judgeShape);

/** Fields of one head's label. Arrays have one entry a description; `consistent` is empty where nobody judged. */
export const headLabelShape = {
  label: nonBlank,
  descriptions: z.array(z.string()).default([]).describe("the texts that TEXTSPAN chose, in its order"),
  tags: z.array(z.string().nullable()).default([]).describe("each description's property in its pool"),
  explainedVariance: z
    .array(z.number())
    .default([])
    .describe("share of the head's variance, per description"),
  consistent: z.array(z.boolean()).default([]).describe("whether each description fits the label"),
};

const headLabelSchema = z
  .object({ ...headLabelShape, labeller: makerSchema, judge: judgeSchema.nullable().default(null) })
  .superRefine((head, context) => {
    const { descriptions, judge } = head;
    const lists: [string, readonly unknown[]][] = [
      ["tags", head.tags],
      ["explainedVariance", head.explainedVariance],
      ["consistent", head.consistent],
      ...(judge?.votes ?? []).map(({ consistent }): [string, boolean[]] => ["votes", consistent]),
    ];
    for (const [name, { length }] of lists) {
      if (length === 0 || length === descriptions.length) continue;
      const message = `${name} has ${length} entries for ${descriptions.length} descriptions`;
      context.addIssue({ code: "custom", message, path: [name] });
    }
  });

const labelsSchema = z.object({
  model: z.string(),
  source: z.string().describe("what the descriptions come from"),
  heads: z.record(headNameSchema, headLabelSchema),
});

/** Who made a label. */
export type Maker = z.infer<typeof makerSchema>;
/** Who said whether descriptions fit it. */
export type JudgeRecord = z.infer<typeof judgeSchema>;
/** One head's label with what it was made from. */
export type HeadLabel = z.infer<typeof headLabelSchema>;
/** A model's labels, by head (`L3.H1`). */
export type Labels = z.infer<typeof labelsSchema>;

/** What people write: a label alone, or as much of an entry as they know. */
const looseSchema = z.object({
  model: z.string().optional(),
  source: z.string().optional(),
  heads: z.record(headNameSchema, z.union([nonBlank, z.looseObject({ label: nonBlank })])),
});
const severalSchema = z.object({
  source: z.string(),
  models: z.record(z.string(), z.object({ heads: z.record(headNameSchema, nonBlank) })),
});
const byPropertySchema = z.record(nonBlank, z.array(headNameSchema));

/**
 * Reads labels: what {@link writeLabels} wrote; labels by hand (`{"heads": {"L3.H1": "colour"}}`, or with more of the
 * fields; `{"colour": ["L3.H1", "L2.H0"]}`); or a file of several models' labels, as they were published.
 * What does not say who made it counts as made by hand, in this file.
 * @param model whose labels; needed for a file of several models, and what a file that names no model is of
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID` naming the head and field
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { readLabels } from "clip-interpret/labeling";
 *
 * await writeFile("by-hand.json", JSON.stringify({ colors: ["L1.H0"], places: ["L3.H3", "L2.H1"] }));
 * const { heads } = await readLabels("by-hand.json");
 * console.log(heads["L3.H3"].label); // → places
 * ```
 */
export async function readLabels(path: string, model?: string): Promise<Labels> {
  const json = await readJson(path);
  const invalid = (why: string) => new ClipInterpretError("JSON_INVALID", `${path}: ${why}`);
  const byHand = { kind: "manual", by: basename(path) };
  const parse = (labels: unknown): Labels => {
    const { success, data, error } = labelsSchema.safeParse(labels);
    if (success) return data;
    throw invalid(firstIssue(error));
  };
  const several = severalSchema.safeParse(json);
  if (several.success) {
    const { source, models } = several.data;
    const own = model === undefined ? undefined : models[model];
    const known = Object.keys(models).join(", ");
    if (!own) throw invalid(`it has labels for ${known}, not for ${model ?? "a model that was not named"}`);
    const labeller = { kind: "published", by: source };
    const heads = Object.entries(own.heads).map(([head, label]) => [head, { label, labeller }]);
    return parse({ model, source, heads: Object.fromEntries(heads) });
  }
  const loose = looseSchema.safeParse(json);
  if (loose.success) {
    const { heads, source = basename(path) } = loose.data;
    const whole = Object.entries(heads).map(([head, entry]) => [
      head,
      { labeller: byHand, ...(typeof entry === "string" ? { label: entry } : entry) },
    ]);
    return parse({ model: loose.data.model ?? model ?? "", source, heads: Object.fromEntries(whole) });
  }
  const lists = byPropertySchema.safeParse(json);
  if (!lists.success) {
    throw invalid(`it holds neither labels nor {property: [heads]}; ${firstIssue(loose.error)}`);
  }
  const heads: Record<string, unknown> = {};
  for (const [label, names] of Object.entries(lists.data)) {
    for (const head of names) {
      if (head in heads) throw invalid(`${head} stands under a second property, "${label}"`);
      heads[head] = { label, labeller: byHand };
    }
  }
  return parse({ model: model ?? "", source: basename(path), heads });
}

/** Where a file is not what it should be, and why, in the words of the innermost rule. */
export function firstIssue(error: z.ZodError): string {
  let [issue] = error.issues;
  const at = issue.path.map(String);
  while ((issue.code === "invalid_key" || issue.code === "invalid_union") && innerOf(issue)) {
    issue = innerOf(issue) as typeof issue;
  }
  return at.length === 0 ? issue.message : `${at.join(" → ")}: ${issue.message}`;
}

const innerOf = (issue: z.core.$ZodIssueInvalidKey | z.core.$ZodIssueInvalidUnion) =>
  issue.code === "invalid_key" ? issue.issues[0] : issue.errors[0]?.[0];

/**
 * Writes a labels file; it appears whole or not at all. Its heads stand in order.
 * @throws `OUTPUT_UNWRITABLE`, `DISK_FULL`
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { readLabels, writeLabels } from "clip-interpret/labeling";
 *
 * await writeFile("by-hand.json", JSON.stringify({ colors: ["L1.H0"], places: ["L3.H3", "L2.H1"] }));
 * await writeLabels("labels.json", await readLabels("by-hand.json", "emoji-4x128-p8"));
 * console.log(Object.keys((await readLabels("labels.json")).heads)); // → [ 'L1.H0', 'L2.H1', 'L3.H3' ]
 * ```
 */
export async function writeLabels(path: string, labels: Labels): Promise<void> {
  const text = `${JSON.stringify(sortHeads(labels), null, 2)}\n`;
  await folderStore(dirname(path)).put(basename(path), [Buffer.from(text)]);
}

/** The same labels, first layers and heads first. */
export function sortHeads(labels: Labels): Labels {
  const rank = (name: string) => (name.match(/\d+/g) ?? []).map(Number);
  const heads = Object.entries(labels.heads).sort(([a], [b]) => {
    const [x, y] = [rank(a), rank(b)];
    return x[0] - y[0] || x[1] - y[1];
  });
  return { ...labels, heads: Object.fromEntries(heads) };
}
