import type { z } from "zod";
import { ClipInterpretError } from "../support/errors.ts";
import { reasonOf } from "../support/reason.ts";

/** The schema of a result: its origin, and whatever else answers the question. */
type ResultSchema = z.ZodObject<{ origin: z.ZodObject }>;

/**
 * The one function that builds a result: what an analysis found, with where it comes from, checked against the schema
 * that is also the contract of `--json` and of the HTTP API: every number in it is finite.
 * @throws `INTERNAL`
 */
export const resultBuilder =
  <S extends ResultSchema>(schema: S) =>
  (origin: z.input<S>["origin"], found: Omit<z.input<S>, "origin">): z.output<S> => {
    const parsed = schema.safeParse({ origin, ...found });
    if (parsed.success) return parsed.data;
    throw new ClipInterpretError("INTERNAL", `a result is not as it should be: ${reasonOf(parsed.error)}`);
  };
