import { type Transferable, Worker } from "node:worker_threads";

/**
 * {@link startThread} of `src/support/thread.ts` for tests where `dist/` is as new as the sources: a thread of compiled code
 * starts in a third of the time, as nothing is translated in it.
 */
export function startThread(
  from: string,
  name: string,
  workerData: unknown,
  transferList: Transferable[] = [],
): Worker {
  const source = new URL(`./${name}.js`, from).href;
  const root = new URL("../../", import.meta.url).href;
  const url = new URL(source.replace(`${root}src/`, `${root}dist/`));
  return new Worker(url, { workerData, transferList, execArgv: [] });
}
