/** Labels beside heads: whose, and what they make of the overview. They change without anything being measured again. */

import { type HeadLabel, listedLabels } from "../../labels/labels-file.ts";
import { findPublished } from "../../labels/published.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import type { AtlasEntry, AtlasHeadResult, AtlasLabel, AtlasResult } from "../../results/atlas.ts";
import { METRICS } from "./metrics.ts";

/** What heads are called, by their names: `L3.H1`. */
export type AtlasLabels = Readonly<Record<string, AtlasLabel>>;

/**
 * What a model's heads are called: by a file of labels, or else by what was published about it. A head that is under
 * several properties has them all.
 * @throws `INPUT_NOT_FOUND`, `INPUT_UNREADABLE`, `JSON_INVALID`
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { openModel } from "clip-interpret";
 * import { loadAtlasLabels } from "clip-interpret/labeling";
 *
 * await writeFile("by-hand.json", JSON.stringify({ colors: ["L1.H0"], places: ["L3.H3", "L2.H1"] }));
 * const labels = await loadAtlasLabels(await openModel("emoji-4x128-p8"), "by-hand.json");
 * console.log(labels["L3.H3"].label, labels["L3.H3"].by); // → places by-hand.json
 * ```
 */
export async function loadAtlasLabels(
  model: Pick<ClipModel, "name" | "config">,
  file?: string,
): Promise<AtlasLabels> {
  if (file === undefined) {
    const published = await findPublished(model.name, model.config);
    const by = published?.source ?? "";
    return Object.fromEntries(
      (published?.heads ?? []).map(({ head, label }) => [
        head,
        { label, kind: "published", by, date: null, ccs: null } as const,
      ]),
    );
  }
  const labels: Record<string, AtlasLabel> = {};
  for (const [name, entry] of (await listedLabels(file, model.name)).heads) {
    const known = labels[name];
    const one = atlasLabel(entry);
    labels[name] = known ? { ...known, label: `${known.label}, ${one.label}` } : one;
  }
  return labels;
}

/** One label as the atlas shows it. */
export function atlasLabel({ label, consistent, labeller }: HeadLabel): AtlasLabel {
  const fitting = consistent.filter(Boolean).length;
  return {
    ...{ label, kind: labeller.kind, by: labeller.by, date: labeller.date },
    // Of five descriptions this is the count; of another number the same share.
    ccs: consistent.length === 0 ? null : Math.round((5 * fitting) / consistent.length),
  };
}

/** An overview with labels; its origin is that of the labels too. */
export function labelAtlas<T extends Pick<AtlasResult, "heads" | "metrics">>(
  atlas: T,
  labels: AtlasLabels,
): T {
  const heads = atlas.heads.map((entry) => labelEntry(entry, labels));
  const judged = heads.some(({ metrics }) => metrics.ccs !== null);
  const metrics = atlas.metrics.map((metric) =>
    metric.key === "ccs" ? { ...metric, why: judged ? null : METRICS.ccs.absent } : metric,
  );
  return { ...atlas, heads, metrics };
}

/** A page with labels: the head's, and those of the heads nearest to it. */
export function labelPage(page: AtlasHeadResult, labels: AtlasLabels): AtlasHeadResult {
  return {
    ...page,
    entry: labelEntry(page.entry, labels),
    nearest: page.nearest.map((head) => ({ ...head, label: labels[head.name]?.label ?? null })),
  };
}

function labelEntry(entry: AtlasEntry, labels: AtlasLabels): AtlasEntry {
  const label = labels[entry.name] ?? null;
  return { ...entry, label, metrics: { ...entry.metrics, ccs: label?.ccs ?? null } };
}
