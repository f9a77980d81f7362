/** Labels beside heads: whose, and what they make of the overview. They change without anything being measured again. */

import type { HeadLabel, Labels } from "../../labels/labels-file.ts";
import type { AtlasEntry, AtlasHeadResult, AtlasLabel, AtlasResult } from "../../results/atlas.ts";
import { METRICS } from "./metrics.ts";

/** What heads are called, by their names: `L3.H1`. */
export type AtlasLabels = Readonly<Record<string, AtlasLabel>>;

/** Labels of a file as the atlas shows them. */
export const atlasLabels = ({ heads }: Pick<Labels, "heads">): AtlasLabels =>
  Object.fromEntries(Object.entries(heads).map(([name, label]) => [name, atlasLabel(label)]));

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
