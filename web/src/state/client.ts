import type { Fetching, KeptModels } from "../../../src/tab/models.ts";
import type { View } from "./views.ts";

/** Who answers the page: a server, or a thread of the tab itself. */
export interface Client {
  /** Whether it works by itself on what takes long: jobs, of which it tells. */
  readonly hasJobs: boolean;
  /** What it can answer. */
  readonly views: readonly View[];
  /** Models that the tab fetches and keeps by itself; a server has jobs for that. */
  readonly fetched?: FetchedModels;
  /**
   * Asks one question of the API.
   * @param body JSON data, or a file
   * @returns what the answer holds
   */
  ask(method: string, path: `/${string}`, body?: unknown, signal?: AbortSignal): Promise<unknown>;
  /** Where a picture is shown from: within a square, or exactly in a size where whoever answers can bring it to that. */
  pictureUrl(image: string, size: number | { readonly width: number; readonly height: number }): string;
  /** Where the file of an image is, as it was given. */
  fileUrl(image: string): string;
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
