import type { ReactNode } from "react";
import { ApiError, type Problem } from "../state/api.ts";

/** What a request that fits no schema is called: which rule it broke says nothing to a reader. */
const NOT_TAKEN: Problem = {
  code: "REQUEST_INVALID",
  message: "This page asked for something that the server does not take.",
  hint: "The address may have been changed by hand, or be of another version.",
};

const problemIn = (error: unknown): Problem => {
  if (!(error instanceof ApiError))
    return { code: "PAGE", message: "This page failed to show something.", hint: "Reload it." };
  return error.problem.code === NOT_TAKEN.code ? NOT_TAKEN : error.problem;
};

/** What went wrong and what to do about it. */
export function ProblemNote({ error, children }: { error: unknown; children?: ReactNode }) {
  const { code, message, hint } = problemIn(error);
  return (
    <div className="problem" role="alert">
      <p>
        <strong>{message}</strong>
      </p>
      <p>{hint}</p>
      {children && <div className="buttons">{children}</div>}
      <p className="code">{code}</p>
    </div>
  );
}

/** What the address names and the server does not have, with the way back. */
export function Missing({ what, children }: { what: ReactNode; children: ReactNode }) {
  return (
    <div className="problem" role="alert">
      <p>
        <strong>{what}</strong>
      </p>
      <div className="buttons">{children}</div>
    </div>
  );
}
