/** What a source is, however it was named. */
import { folderOf } from "../support/paths.ts";
import type { SeenFile } from "./picture-names.ts";

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

/** Most kinds that are told apart: names can be anything. */
const MOST_KINDS = 50;

/** Counts a file that is no picture. */
export function countOther({ others }: PassedOver, kind: string): void {
  const known = Object.hasOwn(others, kind) || Object.keys(others).length < MOST_KINDS;
  const counted = known ? kind : "other";
  others[counted] = (others[counted] ?? 0) + 1;
}

/** Images in the order of their paths, with labels from folders where images lie in at least two. */
export function labelled(files: readonly SourceImage[], unseen: readonly string[]): SourceImage[] {
  const folders = new Set(unseen);
  for (const { path, refused } of files) if (!refused) folders.add(folderOf(path));
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (folders.size < 2) return sorted;
  // A folder's name is in memory once, however many images have it for a label.
  const labels = new Map([...folders].map((folder) => [folder, folder]));
  for (const [i, file] of sorted.entries()) {
    const folder = folderOf(file.path);
    if (folder !== ".") sorted[i] = { ...file, label: labels.get(folder) ?? folder };
  }
  return sorted;
}
