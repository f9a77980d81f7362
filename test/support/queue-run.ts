import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { startCli } from "../e2e/cli.ts";

/** A process of the program whose standard error can be waited for. */
export interface Watched {
  readonly child: ChildProcess;
  readonly result: ReturnType<typeof startCli>["result"];
  /** What it has said until now. */
  said(): string;
  /** Waits until it says this. */
  says(words: string | RegExp): Promise<string>;
  /** Kills it and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a command and listens to it. */
export function watch(args: readonly string[], env: Record<string, string> = {}): Watched {
  const { child, result } = startCli(args, { timeout: 900_000, env });
  result.catch(() => {});
  let text = "";
  child.stderr!.on("data", (data: Buffer) => {
    text += data;
  });
  const says = async (words: string | RegExp) => {
    const found = () => (typeof words === "string" ? text.includes(words) : words.test(text));
    while (!found()) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`it ended, and said:\n${text}`);
      await Promise.race([once(child.stderr!, "data"), once(child, "close")]);
    }
    return text;
  };
  const kill = async (signal: NodeJS.Signals = "SIGKILL") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "close");
    child.kill(signal);
    await gone;
  };
  return { child, result, said: () => text, says, kill };
}

/** Starts a worker that loses its part after two seconds without a sign of life. */
export const startWorker = (url: string, more: readonly string[] = [], env: Record<string, string> = {}) =>
  watch(["worker", "--queue", url, "--lease", "2", ...more], env);

/** A process and those that it started. */
export function treeOf(pid: number): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", `${pid}`], { encoding: "utf8" });
  return [pid, ...stdout.split("\n").filter(Boolean).map(Number)];
}
