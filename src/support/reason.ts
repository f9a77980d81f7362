import { z } from "zod";
import { messageOf } from "./errors.ts";

/** Most characters of a reason: names in a file may be as long as the file. */
const MOST = 300;

/**
 * Why something could not be read, on one line: of what does not fit a schema the place and the rule, in the words of the
 * innermost rule, and how much else does not fit; of anything else its message.
 */
export function reasonOf(cause: unknown): string {
  const reason = cause instanceof z.ZodError ? firstIssue(cause) : messageOf(cause);
  const line = reason.replace(/\s+/g, " ").trim();
  return line.length > MOST ? `${line.slice(0, MOST)}…` : line;
}

function firstIssue(error: z.ZodError): string {
  let [issue] = error.issues;
  const at = issue.path.map(String);
  while ((issue.code === "invalid_key" || issue.code === "invalid_union") && innerOf(issue)) {
    issue = innerOf(issue) as typeof issue;
    if (issue.path.length > 0) at.push(...issue.path.map(String));
  }
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : "";
  return `${at.length === 0 ? "" : `${at.join(" → ")}: `}${issue.message}${more}`;
}

const innerOf = (issue: z.core.$ZodIssueInvalidKey | z.core.$ZodIssueInvalidUnion) =>
  issue.code === "invalid_key" ? issue.issues[0] : issue.errors[0]?.[0];
