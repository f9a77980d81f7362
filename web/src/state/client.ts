import type { JobView, Problem } from "../../../src/results/app.ts";
import type { Fetching, KeptModels } from "../../../src/tab/models.ts";
import type { View } from "./views.ts";

/** What is heard of jobs. */
export interface JobsHeard {
  job(job: JobView): void;
  /** Whoever works on them does not answer. */
  gone(): void;
  /** It answers again, or for the first time. */
  there(): void;
}

/** Who answers the page: a server, or a thread of the tab itself. */
export interface Client {
  /** Whether it takes every kind of job: the atlas of any model, reports, names for heads, folders of its own disk. */
  readonly hasJobs: boolean;
  /** Whether a folder of files can be handed to it. */
  readonly takesFolders: boolean;
  /** What it can answer. */
  readonly views: readonly View[];
  /** The computer's GPU, where the tab computes by itself. */
  readonly gpu?: GpuChoice;
  /** Models that the tab fetches and keeps by itself; a server has jobs for that. */
  readonly fetched?: FetchedModels;
  /**
   * Asks one question of the API.
   * @param body JSON data, or a file
   * @returns what the answer holds
   */
  ask(method: string, path: `/${string}`, body?: unknown, signal?: AbortSignal): Promise<unknown>;
  /** Tells of its work, as long as the page lives. @returns what ends that */
  listen(hear: JobsHeard): () => void;
  /** Where a picture is shown from: within a square, or exactly in a size where whoever answers can bring it to that. */
  pictureUrl(image: string, size: number | { readonly width: number; readonly height: number }): string;
  /** Where the file of an image is, as it was given. */
  fileUrl(image: string): string;
}

/** Whether models are computed on a GPU; remembered for the next visit. */
export interface GpuChoice {
  /** Whether the browser has one to offer. */
  offered(): Promise<boolean>;
  isOn(): boolean;
  /** @throws `MODEL_BUSY` */
  choose(on: boolean): Promise<void>;
  /** Why it is not used for a model, though it was chosen. */
  problem(model: string): Problem | undefined;
  /** Hears of choices and problems. @returns what ends that */
  listen(hear: () => void): () => void;
}

/** Models that are fetched into this browser. */
export interface FetchedModels {
  /** Lets one be fetched, by a hub's id or its address. @returns what it is called */
  allow(typed: string): Promise<string>;
  kept(): Promise<KeptModels>;
  forget(name: string): Promise<void>;
  /** Stops what is being fetched. */
  stop(): Promise<void>;
  /** Hears how far it is. @returns what ends that */
  listen(hear: (fetching: Fetching) => void): () => void;
}
