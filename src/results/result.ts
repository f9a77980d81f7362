import type { z } from "zod";

/** The schema of a result: its origin, and whatever else answers the question. */
type ResultSchema = z.ZodObject<{ origin: z.ZodObject }>;

/**
 * The one function that builds a result: what an analysis found, with where it comes from, checked against the schema
 * that is also the contract of `--json` and of the HTTP API.
 */
export const resultBuilder =
  <S extends ResultSchema>(schema: S) =>
  (origin: z.input<S>["origin"], found: Omit<z.input<S>, "origin">): z.output<S> =>
    schema.parse({ origin, ...found });
