import type { View } from "./views.ts";

/** Who answers the page: a server, or a thread of the tab itself. */
export interface Client {
  /** Whether it works by itself on what takes long: jobs, of which it tells. */
  readonly hasJobs: boolean;
  /** What it can answer. */
  readonly views: readonly View[];
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
