import { type Transferable, Worker } from "node:worker_threads";

/**
 * Starts a thread from a file beside `from`: `name.ts`, or `name.js` once compiled. What lets the main thread run TypeScript
 * (tsx, vitest) does not reach into a thread, and tsx's `--import` skips threads: from sources it registers
 * itself there first.
 * @param from `import.meta.url` of the caller
 * @param transfer what of the data is moved
 */
export function startThread(
  from: string,
  name: string,
  workerData: unknown,
  transferList: Transferable[] = [],
): Worker {
  const compiled = !from.endsWith(".ts");
  const url = new URL(`./${name}${compiled ? ".js" : ".ts"}`, from);
  // The process's own flags are not for threads: some (--input-type) keep them from starting.
  const options = { workerData, transferList, execArgv: [] };
  if (compiled) return new Worker(url, options);
  const code = `import("${import.meta.resolve("tsx/esm/api")}").then(({ register }) => { register(); return import("${url}"); })`;
  return new Worker(code, { ...options, eval: true });
}
