import type { AtlasResult } from "../../state/api.ts";

/** What each metric of an atlas says. */
export function MetricNotes({ atlas: { metrics, steps, rotations } }: { atlas: AtlasResult }) {
  return (
    <details className="notes">
      <summary>What the metrics say</summary>
      <dl>
        {metrics.map(({ key, name, words, why }) => (
          <div key={key}>
            <dt>{name}</dt>
            <dd>
              {words}.{why !== null && <em> Not known here: {why}.</em>}
            </dd>
          </div>
        ))}
      </dl>
      {rotations > 0 && (
        <p>
          Texts: the first {steps} of each head; {rotations} random rotations.
        </p>
      )}
    </details>
  );
}
