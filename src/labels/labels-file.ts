/** The labels file: what each head of a model was said to look for, by whom, from what, when. All forms are read here. */

import { basename } from "node:path";
import { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { readInput, writeWhole } from "../support/files.ts";
import { sha256Of } from "../support/hash.ts";
import { parseJson } from "../support/json.ts";
import { reasonOf } from "../support/reason.ts";
import { LABELLER_KINDS } from "./kinds.ts";

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
      // Of a file that leaves the descriptions out, the verdicts may still be counted.
      if (length === 0 || descriptions.length === 0 || length === descriptions.length) continue;
      const message = `${name} has ${length} entries for ${descriptions.length} descriptions`;
      context.addIssue({ code: "custom", message, path: [name] });
    }
  });

/** Who made a label. */
export type Maker = z.infer<typeof makerSchema>;
/** Who said whether descriptions fit it. */
export type JudgeRecord = z.infer<typeof judgeSchema>;
/** One head's label with what it was made from. */
export type HeadLabel = z.infer<typeof headLabelSchema>;
/** A model's labels. */
export interface Labels {
  /** Whose heads; empty where nobody said. */
  readonly model: string;
  /** What the descriptions come from. */
  readonly source: string;
  /** By head: `L3.H1`. */
  readonly heads: Readonly<Record<string, HeadLabel>>;
}

/** What people write: a label alone, or as much of an entry as they know. */
const looseSchema = z.object({
  model: z.string().optional(),
  source: z.string().optional(),
  heads: z.record(headNameSchema, z.union([nonBlank, z.looseObject({ label: nonBlank })])),
});
const severalSchema = z.object({
  source: z.string().optional(),
  models: z.record(z.string(), z.object({ heads: z.record(headNameSchema, nonBlank) })),
});
const weightedHeadSchema = z
  .string()
  .regex(/^L\d+\.H\d+(\*-?\d+(\.\d+)?)?$/, "heads are written L10.H3, or with a weight L10.H3*-1");
const byPropertySchema = z.record(nonBlank, z.array(weightedHeadSchema));
const entrySchema = z.object({ heads: z.record(headNameSchema, headLabelSchema) });

/**
 * One model's labels as a file lists them: a head may be there more than once, under several properties, and with a weight
 * in each of them.
 */
export interface ListedLabels extends Omit<Labels, "heads"> {
  readonly heads: readonly (readonly [head: string, label: HeadLabel, weight?: number])[];
}

/** A file of labels, in whatever form: what an origin says of it, and the labels of each model in it. */
export interface LabelsFile {
  readonly name: string;
  /** Of its bytes. */
  readonly sha256: string;
  /** Whether it holds several models' labels, so that a model must be asked for by its name. */
  readonly several: boolean;
  readonly models: readonly ListedLabels[];
}

/**
 * Reads labels: what {@link writeLabels} wrote; labels by hand (`{"heads": {"L3.H1": "colour"}}`, or with more of the
 * fields); heads by property (`{"colour": ["L3.H1", "L2.H0*-1"]}`); or several models' labels, as they were published.
 * What does not say who made it counts as made by hand, in this file.
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
export async function readLabelsFile(path: string): Promise<LabelsFile> {
  const bytes = await readInput(path);
  const json = parseJson(bytes, path);
  const name = basename(path);
  const file = (models: ListedLabels[], many = false): LabelsFile => ({
    ...hashed(name, bytes),
    ...{ several: many, models },
  });
  const byHand = { kind: "manual", by: name };
  const listed = (heads: readonly (readonly [string, object])[]): ListedLabels["heads"] =>
    heads.map(([written, entry]) => {
      const [head, weight] = written.split("*");
      const { success, data, error } = entrySchema.safeParse({ heads: { [head]: entry } });
      if (!success) throw invalid(path, reasonOf(error));
      return [head, data.heads[head], weight === undefined ? 1 : Number(weight)] as const;
    });
  const several = severalSchema.safeParse(json);
  if (several.success) {
    const { source = name, models } = several.data;
    const labeller = { kind: "published", by: source };
    return file(
      Object.entries(models).map(([model, { heads }]) => ({
        model,
        source,
        heads: listed(Object.entries(heads).map(([head, label]) => [head, { label, labeller }])),
      })),
      true,
    );
  }
  const loose = looseSchema.safeParse(json);
  if (loose.success) {
    const { heads, model = "", source = name } = loose.data;
    const entries = Object.entries(heads).map(([head, entry]) => {
      return [head, { labeller: byHand, ...(typeof entry === "string" ? { label: entry } : entry) }] as const;
    });
    return file([{ model, source, heads: listed(entries) }]);
  }
  const lists = byPropertySchema.safeParse(json);
  if (!lists.success) {
    const isObject = typeof json === "object" && json !== null && "heads" in json;
    const why = isObject ? ` (${reasonOf(loose.error)})` : "";
    throw invalid(path, `it holds neither labels, as \`label\` writes them, nor {property: [heads]}${why}`);
  }
  const entries = Object.entries(lists.data).flatMap(([label, names]) =>
    names.map((head) => [head, { label, labeller: byHand }] as const),
  );
  return file([{ model: "", source: name, heads: listed(entries) }]);
}

/**
 * The labels of one model in a file, which need not name it unless it holds several models' labels.
 * @throws `JSON_INVALID` for several models' labels without this one's
 */
export async function listedLabels(path: string, model?: string): Promise<ListedLabels> {
  const { several, models } = await readLabelsFile(path);
  const own = several ? models.find((labels) => labels.model === model) : models[0];
  if (own) return { ...own, model: own.model || (model ?? "") };
  const known = models.map((labels) => labels.model).join(", ");
  throw invalid(path, `it has labels for ${known}, not for ${model ?? "a model that was not named"}`);
}

/**
 * Reads a model's labels where every head may have one only.
 * @param model whose labels; needed for a file of several models, and what a file that names no model is of
 * @throws as `readLabelsFile`; `JSON_INVALID` for a head under two properties
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
export const readLabels = async (path: string, model?: string): Promise<Labels> =>
  oneLabelEach(await listedLabels(path, model), path);

/** Labels that give every head one. @throws `JSON_INVALID` */
export function oneLabelEach({ heads, ...about }: ListedLabels, path: string): Labels {
  const one = new Map<string, HeadLabel>();
  for (const [head, label] of heads) {
    if (one.has(head)) throw invalid(path, `${head} is under a second property, "${label.label}"`);
    one.set(head, label);
  }
  return { ...about, heads: Object.fromEntries(one) };
}

/** What an origin says of a labels file. @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE` */
export const labelsOrigin = async (path: string): Promise<Pick<LabelsFile, "name" | "sha256">> =>
  hashed(basename(path), await readInput(path));

const hashed = (name: string, bytes: Buffer) => ({
  name,
  sha256: sha256Of(bytes),
});
const invalid = (path: string, why: string) => new ClipInterpretError("JSON_INVALID", `${path}: ${why}`);

/**
 * Writes a labels file; it appears whole or not at all. Its heads are in order.
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
  await writeWhole(path, `${JSON.stringify(sortHeads(labels), null, 2)}\n`);
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
