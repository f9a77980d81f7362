import { ERRORS } from "../src/support/errors.ts";

/** The page that documents every error code. */
export function errorPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { means, hint }]) => `| \`${code}\` | ${means} | ${hint} |`,
  );
  return [
    "# Errors",
    "",
    "Every error is one line on standard error, `error CODE: what happened. What to do.` Codes are stable. The exit code is",
    "1 for a mistake in what was asked or given, 2 for a fault of this program (`INTERNAL`, `SUM_MISMATCH`), 130 after Ctrl-C and",
    "143 after SIGTERM; `serve` and `worker`, which run until they are stopped, then end with 0. `--debug` adds the stack trace.",
    "This page is written from `src/support/errors.ts` by `npm run docs:errors`.",
    "",
    "| code | what it means | what to do |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
