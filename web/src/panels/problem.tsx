import type { ReactNode } from "react";
import { ApiError } from "../state/api.ts";

/** What went wrong and what to do about it. */
export function ProblemNote({ error, children }: { error: unknown; children?: ReactNode }) {
  const problem =
    error instanceof ApiError
      ? error.problem
      : { code: "PAGE", message: "This page failed to show something.", hint: "Reload it." };
  return (
    <div className="problem" role="alert">
      <p>
        <strong>{problem.message}</strong>
      </p>
      <p>{problem.hint}</p>
      {children}
      <p className="code">{problem.code}</p>
    </div>
  );
}
