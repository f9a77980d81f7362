import { factorInWords, metricValue } from "../../../../src/views/atlas/words.ts";
import type { AtlasHeadResult, AtlasMetricWords } from "../../state/api.ts";

/** What is known of a head as one number each. */
export function Facts({
  entry,
  metrics,
}: {
  entry: AtlasHeadResult["entry"];
  metrics: readonly AtlasMetricWords[];
}) {
  // What texts explain stands in a sentence of its own, and selectivity beside its sign.
  const shown = metrics.filter(
    ({ key }) => entry.metrics[key] !== null && !["control", "p", "sign"].includes(key),
  );
  return (
    <dl className="head-facts">
      {shown.map(({ key, name, unit, words }) => (
        <div key={key} title={words}>
          <dt>{name}</dt>
          <dd>
            {metricValue(entry.metrics[key], unit)}
            {key === "selectivity" && entry.strongest && <small>{factorInWords(entry.strongest)}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
