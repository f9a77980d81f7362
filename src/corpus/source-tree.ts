/** Files below a folder, as people keep them: with hidden ones, other programs' thumbnails, and what is no picture. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import type { Report } from "../support/progress.ts";
import { lookAt } from "./file-kinds.ts";
import { isOthers } from "./picture-names.ts";
import { countOther, NO_FACTORS, type PassedOver, type SourceImage } from "./source-image.ts";

/** How folders are walked. */
export interface WalkOptions {
  /** Take hidden files too. */
  readonly hidden?: boolean | undefined;
  readonly report?: Report | undefined;
}

/** A pattern of paths below a folder; without one everything counts. */
export interface Pattern {
  readonly fits: (path: string) => boolean;
  /** As many folders deep as a path may be that fits. */
  readonly depth: number;
}

/**
 * Adds every picture below `root` to `found`, with its path from there, each once. Links to files are followed, links to folders are
 * not. A folder that fits a pattern is taken with all that it holds, as a shell would hand it over.
 *
 * @returns folders that could not be read: nothing is known of what lies in them
 * @throws `INPUT_UNREADABLE` when `root` itself cannot be read
 */
export async function walk(
  root: string,
  found: SourceImage[],
  passed: PassedOver,
  { hidden = false, report }: WalkOptions,
  pattern?: Pattern,
): Promise<string[]> {
  const unseen: string[] = [];
  const pending = [{ folder: "", whole: pattern === undefined }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { folder, whole } = next;
    let entries: Dirent[];
    try {
      entries = await readdir(join(root, folder), { withFileTypes: true });
    } catch (cause) {
      const message = `cannot read the folder ${join(root, folder)}: ${messageOf(cause)}`;
      if (folder === "") throw new ClipInterpretError("INPUT_UNREADABLE", message, { cause });
      report?.({ type: "warning", code: "INPUT_UNREADABLE", message });
      unseen.push(folder);
      continue;
    }
    // An index beside its photos is none of them.
    if (folder !== "" && isIndex(entries)) continue;
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const fits = whole || pattern?.fits(path) === true;
      if (entry.isDirectory()) {
        const mayFit = fits || path.split("/").length < (pattern?.depth ?? 0);
        if (!hidden && isOthers(entry.name)) passed.hidden += mayFit ? 1 : 0;
        else if (mayFit) pending.push({ folder: path, whole: fits });
        continue;
      }
      if (!fits) continue;
      if (!hidden && isOthers(entry.name)) {
        passed.hidden++;
        continue;
      }
      const seen = await lookAt(join(root, path));
      if ("kind" in seen) countOther(passed, seen.kind);
      else found.push({ path, ...seen, label: null, factors: NO_FACTORS });
    }
  }
  return unseen;
}

const isIndex = (entries: readonly Dirent[]): boolean =>
  ["manifest.json", "shards"].every((name) => entries.some((entry) => entry.name === name));
