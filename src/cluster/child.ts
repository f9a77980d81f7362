/** Parts in a process of their own: the encoder blocks its thread, and an image may take the whole process with it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Part } from "../corpus/parts.ts";
import type { ProgressEvent, Report } from "../support/progress.ts";
import type { Run } from "./run.ts";

/** The program itself; this folder and src/cluster/ are equally deep. */
const MAIN = fileURLToPath(new URL("../cli/main.js", import.meta.url));

const doneSchema = z.object({
  images: z.int(),
  rejected: z.int(),
  missing: z.array(z.int()),
});

/** What became of a part. */
export type PartEnd =
  | { readonly end: "done"; readonly images: number; readonly rejected: number; readonly missing: number }
  | { readonly end: "failed"; readonly code: string; readonly message: string }
  /** It was stopped by us. */
  | { readonly end: "stopped" }
  /** Its process died without a word: a signal, or memory. */
  | { readonly end: "died"; readonly message: string };

/** How a part is computed. */
interface PartOptions {
  readonly report: Report;
  /** Stops it where it can go on later. */
  readonly signal: AbortSignal;
}

/** A process that has loaded the model of a run, and computes its parts one after another. */
export interface Child {
  readonly run: Run;
  /** Whether it takes another part: whatever ends a part but its own end, ends the process. */
  isAlive(): boolean;
  /** Computes a part; one at a time. Never rejects. */
  compute(part: Part, options: PartOptions): Promise<PartEnd>;
  /** Ends it after the part that it has; it is waited for. */
  end(): Promise<void>;
}

/** How long a child that is stopped may take to the end of its batch, in milliseconds. */
const STOP = 20_000;

/** The line that computes parts of a run, whose numbers it reads, but for the program's name. */
export function lineOf(run: Run, threads: number): string[] {
  const { store, model, precision, device, activation, exif, shardSize, maxPixels } = run;
  return [
    ...["index", "--out", store, "--planned", "--json"],
    ...["--model", model, "--precision", precision, "--device", device, "--threads", `${threads}`],
    ...(activation === undefined ? [] : ["--activation", activation]),
    ...(exif ? [] : ["--no-exif"]),
    ...(shardSize === undefined ? [] : ["--shard-size", `${shardSize}`]),
    ...(maxPixels === undefined ? [] : ["--max-pixels", `${maxPixels}`]),
  ];
}

/** Starts a process for parts of a run. */
export function startChild(run: Run, threads: number): Child {
  const child = spawn(process.execPath, [MAIN, ...lineOf(run, threads)], {
    stdio: ["pipe", "pipe", "pipe", "ipc"],
    // Ctrl-C reaches a whole group: this process says when its child stops.
    detached: true,
  });
  /** What hears of the part in hand. */
  let hearing: { readonly report: Report; readonly done: (line: string) => void } | undefined;
  let [said, last, ended]: [unknown, string, string | undefined] = [undefined, "", undefined];
  let code: number | null = null;
  child.on("message", (event: ProgressEvent) => hearing?.report(event));
  child.on("error", (error) => (ended ??= error.message));
  // A process that ended reads no more; how it ended is seen below.
  child.stdin!.on("error", () => {});
  createInterface({ input: child.stdout! }).on("line", (line) => hearing?.done(line));
  createInterface({ input: child.stderr! }).on("line", (line) => {
    last = line.slice(0, 1000);
    said = errorOf(line) ?? said;
  });
  const closed = new Promise<void>((resolve) =>
    child.once("close", (exit, signal) => {
      code = exit;
      ended ??= `ended with ${signal ?? `exit code ${exit}`}`;
      resolve();
    }),
  );
  const stop = () => {
    child.kill("SIGTERM");
    const kill = setTimeout(() => child.kill("SIGKILL"), STOP);
    void closed.then(() => clearTimeout(kill));
  };
  return {
    run,
    isAlive: () => ended === undefined,
    async compute({ number, of }, { report, signal }) {
      if (signal.aborted) return { end: "stopped" };
      signal.addEventListener("abort", stop, { once: true });
      const line = await Promise.race([
        closed,
        new Promise<string>((resolve) => {
          hearing = { report, done: resolve };
          child.stdin!.write(`${number}/${of}\n`);
        }),
      ]);
      signal.removeEventListener("abort", stop);
      hearing = undefined;
      if (line !== undefined) {
        const { missing, ...counts } = doneSchema.parse(JSON.parse(line));
        return { end: "done", ...counts, missing: missing.length };
      }
      if (signal.aborted) return { end: "stopped" };
      if (said !== undefined && code !== null) return { end: "failed", ...errorSchema.parse(said) };
      return { end: "died", message: last === "" ? ended! : `${ended}; it last said: ${last}` };
    },
    async end() {
      child.stdin!.end();
      const kill = setTimeout(stop, STOP);
      await closed;
      clearTimeout(kill);
    },
  };
}

const errorSchema = z.object({ code: z.string(), message: z.string() });

/** The error of a line of standard error, if it is one. */
function errorOf(line: string): unknown {
  try {
    return (JSON.parse(line) as { error?: unknown }).error;
  } catch {
    return undefined;
  }
}
