/**
 * What of a request a server takes, beside the question. All is sent at first; what a server refuses by its name is left
 * out from then on, so that servers without structured output and models that reason can be asked too.
 */

/** Which optional parts are sent. */
export interface Manner {
  /** Temperature 0; else the model's own. */
  readonly temperature: boolean;
  /** The name of the most tokens that an answer may have; none is sent without. */
  readonly limit: Limit;
  /** The JSON schema of the answer. */
  readonly structured: boolean;
}

/** In the order in which they are tried. */
export const LIMITS = ["max_tokens", "max_completion_tokens", "none"] as const;
type Limit = (typeof LIMITS)[number];

/** Statuses of servers that do not take a part of a request; 5xx is what some say of a schema. */
const OF_REQUESTS = new Set([400, 415, 422, 500, 501]);

/**
 * The manner without what a server's answer refuses; undefined if it refuses nothing that could be left out. It always
 * has less in it, so asking again ends.
 * @param said the server's own words
 */
export function simplerManner(manner: Manner, status: number, said: string): Manner | undefined {
  if (!OF_REQUESTS.has(status)) return undefined;
  if (manner.structured && /response_format|json_schema|structured|json mode|grammar/i.test(said)) {
    return { ...manner, structured: false };
  }
  if (status >= 500) return undefined;
  if (manner.limit === "max_tokens" && /max_completion_tokens/i.test(said)) {
    return { ...manner, limit: "max_completion_tokens" };
  }
  if (manner.limit !== "none" && /max_(completion_|output_)?tokens/i.test(said)) {
    return { ...manner, limit: "none" };
  }
  if (manner.temperature && /temperature/i.test(said)) return { ...manner, temperature: false };
  return undefined;
}

/** What both take: of requests that were refused side by side. */
export const simplestOf = (a: Manner, b: Manner): Manner => ({
  temperature: a.temperature && b.temperature,
  limit: LIMITS[Math.max(LIMITS.indexOf(a.limit), LIMITS.indexOf(b.limit))],
  structured: a.structured && b.structured,
});
