import { basename } from "node:path";
import { z } from "zod";
import { firstIssue, headNameSchema } from "../labels/labels-file.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";
import type { Described } from "./labeller.ts";

const fileSchema = z.object({
  model: z.string(),
  precision: z.string().optional(),
  index: z.string().optional(),
  images: z.int().optional(),
  pool: z.object({ name: z.string(), hash: z.string() }).optional(),
  heads: z.array(
    z.object({
      head: headNameSchema,
      descriptions: z.array(
        z.object({
          text: z.string(),
          property: z.string().nullable().default(null),
          explainedVariance: z.number().default(0),
        }),
      ),
    }),
  ),
});

/** Heads in words, and what they come from. */
export interface DescribedHeads {
  readonly model: string;
  /** In words. */
  readonly source: string;
  readonly heads: readonly Described[];
}

/**
 * Reads what `textspan --index … --json` printed.
 * @param most descriptions of a head that are kept
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`
 */
export async function readDescribed(path: string, most: number): Promise<DescribedHeads> {
  const { data, error } = fileSchema.safeParse(await readJson(path));
  if (error) {
    const why = `${path} is not what \`textspan --index … --json\` prints: ${firstIssue(error)}`;
    throw new ClipInterpretError("JSON_INVALID", why);
  }
  const { model, pool, images, index, precision } = data;
  return {
    model,
    source: sourceOf({ pool, images, precision, index: index ?? basename(path) }, most),
    heads: data.heads.map(({ head, descriptions }) => ({ head, descriptions: descriptions.slice(0, most) })),
  };
}

/** What descriptions come from, in words. */
export function sourceOf(
  from: {
    readonly pool: { readonly name: string; readonly hash: string } | undefined;
    readonly images: number | undefined;
    /** Said where it is not float32. */
    readonly precision: string | undefined;
    readonly index: string;
  },
  most: number,
): string {
  const { pool, images, index, precision = "fp32" } = from;
  const texts = pool ? ` of the pool ${basename(pool.name)} (SHA-256 ${pool.hash})` : "";
  const over = images === undefined ? "" : `${images.toLocaleString("en")} images of `;
  return `TEXTSPAN, the first ${most} texts a head${texts}, over ${over}${basename(index)}${precision === "fp32" ? "" : `, ${precision} approximation`}`;
}
