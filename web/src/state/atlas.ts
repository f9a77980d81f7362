import { headName } from "../../../src/model/components.ts";
import type { AtlasEntry, AtlasMetric, AtlasMetricWords, AtlasResult, KnowingHeads } from "./api.ts";
import type { ViewState } from "./url.ts";

type Metrics = AtlasResult["metrics"];

/** Metrics of which some head has a value. */
export const knownMetrics = ({ metrics }: Pick<AtlasResult, "metrics">): Metrics =>
  metrics.filter(({ why }) => why === null);

/** The metric that an address names, else the first that there is of some. */
export function metricOf(
  metrics: Metrics,
  named: string | null,
  ...otherwise: readonly AtlasMetric[]
): AtlasMetricWords | undefined {
  const find = (key: string | null) => metrics.find((one) => one.key === key);
  return find(named) ?? otherwise.map(find).find((one) => one !== undefined) ?? metrics[0];
}

/** What heads may be ordered by beside metrics. */
export const BY_PLACE = "place";

/** What a bound in the form is of: shares are written in per cent. */
export const scaleOf = ({ unit }: AtlasMetricWords): number =>
  unit === "share" || unit === "signed-share" ? 100 : 1;

type Asked = Pick<ViewState, "sort" | "up" | "find" | "only" | "least" | "most" | "knows">;

/**
 * The heads that pass what an address asks of them, in its order: those that know a text best first where one is asked
 * for and no other order is chosen, else by the metric.
 * @param knowing undefined as long as it is not known
 */
export function chosenHeads(
  { heads, metrics }: Pick<AtlasResult, "heads" | "metrics">,
  asked: Asked,
  sort: AtlasMetric | typeof BY_PLACE | "knows",
  knowing: KnowingHeads | undefined,
): AtlasEntry[] {
  const { up, only, least, most } = asked;
  const words = asked.find.toLowerCase().split(/\s+/).filter(Boolean);
  const bounded = metrics.find(({ key }) => key === only);
  const scale = bounded ? scaleOf(bounded) : 1;
  const kept = heads.filter((head) => {
    const said = wordsOf(head);
    if (!words.every((word) => said.includes(word))) return false;
    if (!bounded || (least === null && most === null)) return true;
    const value = head.metrics[bounded.key];
    return value !== null && value * scale >= (least ?? -Infinity) && value * scale <= (most ?? Infinity);
  });
  if (sort === BY_PLACE) return up ? kept : kept.reverse();
  const places = new Map(knowing?.heads.map(({ name }, i) => [name, -i]));
  const rankOf = (head: AtlasEntry) =>
    sort === "knows" ? (places.get(head.name) ?? null) : head.metrics[sort];
  return kept
    .map((head) => ({ head, value: rankOf(head) }))
    .sort((a, b) => {
      // Those without a value come last, whichever way.
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
      return up ? a.value - b.value : b.value - a.value;
    })
    .map(({ head }) => head);
}

const wordsOf = ({ name, label, strongest, texts }: AtlasEntry) =>
  [name, label?.label, strongest?.factor, ...texts].join(" ").toLowerCase();

/** `L10.H4 · animals`, for a head by its place. */
export const calledUnit = (unit: number, heads: number, labels: ReadonlyMap<string, string>): string => {
  const name = headName(Math.floor(unit / heads), unit % heads);
  return calledHead(name, labels.get(name));
};

/** `L10.H4 · animals`, or the name alone where a head has no label. */
export const calledHead = (name: string, label: string | null | undefined): string =>
  label ? `${name} · ${label}` : name;
