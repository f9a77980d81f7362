/** One part in a process of its own: the encoder blocks its thread, and an image may take the whole process with it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { ProgressEvent, Report } from "../support/progress.ts";
import type { PartJob } from "./run.ts";

/** The program itself; this folder and src/cluster/ are equally deep. */
const MAIN = fileURLToPath(new URL("../cli/main.js", import.meta.url));

const doneSchema = z.object({
  images: z.int(),
  rejected: z.int(),
  missing: z.array(z.int()),
});

/** What became of a child. */
export type ChildEnd =
  | { readonly end: "done"; readonly images: number; readonly rejected: number; readonly missing: number }
  | { readonly end: "failed"; readonly code: string; readonly message: string }
  /** It was stopped by us. */
  | { readonly end: "stopped" }
  /** It died without a word: a signal, or memory. */
  | { readonly end: "died"; readonly message: string };

/** How a child runs. */
export interface ChildOptions {
  readonly threads: number;
  readonly report: Report;
  /** Stops it where it can go on later. */
  readonly signal: AbortSignal;
}

/** How long a child that is stopped may take to the end of its batch, in milliseconds. */
const STOP = 20_000;

/** The line that computes a part, but for the program's name. */
export function lineOf({ run, part }: PartJob, threads: number): string[] {
  const { store, model, precision, device, activation, exif, shardSize, maxPixels } = run;
  return [
    ...["index", "--out", store, "--part", `${part.number}/${part.of}`, "--planned", "--json"],
    ...["--model", model, "--precision", precision, "--device", device, "--threads", `${threads}`],
    ...(activation === undefined ? [] : ["--activation", activation]),
    ...(exif ? [] : ["--no-exif"]),
    ...(shardSize === undefined ? [] : ["--shard-size", `${shardSize}`]),
    ...(maxPixels === undefined ? [] : ["--max-pixels", `${maxPixels}`]),
  ];
}

/** Computes a part. Never rejects. */
export function computePart(job: PartJob, { threads, report, signal }: ChildOptions): Promise<ChildEnd> {
  if (signal.aborted) return Promise.resolve({ end: "stopped" });
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...lineOf(job, threads)], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // Ctrl-C reaches a whole group: this process says when its child stops.
      detached: true,
    });
    let out = "";
    let said: unknown;
    let last = "";
    let kill: NodeJS.Timeout | undefined;
    const stop = () => {
      child.kill("SIGTERM");
      kill = setTimeout(() => child.kill("SIGKILL"), STOP);
    };
    signal.addEventListener("abort", stop, { once: true });
    child.on("message", (event: ProgressEvent) => report(event));
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      out = (out + text).slice(-100_000);
    });
    createInterface({ input: child.stderr! }).on("line", (line) => {
      last = line.slice(0, 1000);
      said = errorOf(line) ?? said;
    });
    let spawnError: Error | undefined;
    child.on("error", (error) => {
      spawnError ??= error;
    });
    child.on("close", (code, killed) => {
      signal.removeEventListener("abort", stop);
      clearTimeout(kill);
      if (code === 0) {
        const { missing, ...counts } = doneSchema.parse(JSON.parse(out));
        resolve({ end: "done", ...counts, missing: missing.length });
      } else if (signal.aborted) resolve({ end: "stopped" });
      else if (said !== undefined && code !== null) resolve({ end: "failed", ...errorSchema.parse(said) });
      else {
        const message = spawnError?.message ?? `ended with ${killed ?? `exit code ${code}`}`;
        resolve({ end: "died", message: last === "" ? message : `${message}; it last said: ${last}` });
      }
    });
  });
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
