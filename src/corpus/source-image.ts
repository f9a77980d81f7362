/** What a source is, however it was named. */
import type { SeenFile } from "./file-kinds.ts";

/** The value of a factor of an image; null where it has none. */
export type FactorValue = string | number | null;

/** The factors of images of which nothing is said: one object for millions of them. */
export const NO_FACTORS: Readonly<Record<string, FactorValue>> = Object.freeze({});

/** One image of a source. */
export interface SourceImage extends SeenFile {
  /** Relative to the source's root, with forward slashes. */
  readonly path: string;
  /** Whether a list names it, so that it may be missing for good. */
  readonly listed?: boolean;
  readonly label: string | null;
  readonly factors: Readonly<Record<string, FactorValue>>;
}

/** Images below one root folder, each path once. */
export interface Source {
  readonly root: string;
  readonly images: readonly SourceImage[];
  /** Folders below the root that could not be read: nothing is known of what lies in them. */
  readonly unseen?: readonly string[];
  /** What lies there too, and is no image. */
  readonly passed?: PassedOver;
}

/** What lies in a source and was not taken for an image. */
export interface PassedOver {
  /** Files and folders that are hidden, or that other programs keep for themselves; a folder counts once. */
  hidden: number;
  /** Files that are no pictures, by extension. */
  readonly others: Record<string, number>;
}
