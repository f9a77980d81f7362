import { basename } from "node:path";
import { z } from "zod";
import { describedHeadSchema, type TextspanResult, textspanResultSchema } from "../results/textspan.ts";
import { ClipInterpretError } from "../support/errors.ts";
import { readJson } from "../support/files.ts";
import { reasonOf } from "../support/reason.ts";
import type { Described } from "./labeller.ts";

/** What of `textspan --json` labels are made from. */
const fileSchema = z.object({
  origin: textspanResultSchema.shape.origin,
  heads: z.array(
    describedHeadSchema.pick({ layer: true, head: true, name: true, descriptions: true }).strip(),
  ),
});

/** Heads in words, and where these come from. */
export interface DescribedHeads {
  readonly origin: TextspanResult["origin"];
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
    const why = `${path} is not what \`textspan --index … --json\` prints: ${reasonOf(error)}`;
    throw new ClipInterpretError("JSON_INVALID", why);
  }
  const { origin, heads } = data;
  return {
    origin,
    heads: heads.map((head) => ({ ...head, descriptions: head.descriptions.slice(0, most) })),
  };
}

/** What descriptions come from, in words. @param most descriptions of a head */
export function sourceOf({ model, index, pool }: TextspanResult["origin"], most: number): string {
  const approximate = model.precision === "fp32" ? "" : `, ${model.precision} approximation`;
  return `TEXTSPAN, the first ${most} texts a head of the pool ${basename(pool.name)} (SHA-256 ${pool.sha256}), over ${index.images.toLocaleString("en")} images of ${index.name}${approximate}`;
}
