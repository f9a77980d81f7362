import { type ComponentProps, Fragment } from "react";
import { factorInWords } from "../../../../src/views/atlas/words.ts";
import { HeadMap } from "../../plots/head-map.tsx";
import { HeadScatter } from "../../plots/head-scatter.tsx";
import { Said } from "../../plots/said.tsx";
import type { AtlasMetric, AtlasMetricWords, AtlasResult } from "../../state/api.ts";
import { calledHead, knownMetrics } from "../../state/atlas.ts";
import type { ViewProps } from "../view.ts";

interface Props {
  readonly atlas: AtlasResult;
  /** What colours the squares, and the points' axes. */
  readonly metric: AtlasMetricWords;
  readonly x: AtlasMetricWords;
  readonly y: AtlasMetricWords;
  readonly links: Omit<ComponentProps<typeof HeadMap>, "atlas" | "metric">;
  readonly go: ViewProps["go"];
}

/** Every head as a square of its layer and as a point over two metrics. */
export function Glance({ atlas, metric, x, y, links, go }: Props) {
  const entry = atlas.heads.find(({ name }) => name === links.pointed);
  return (
    <section className="glance" aria-label="At a glance">
      <div>
        <h3>
          By layer <small>{metric.name}</small>
        </h3>
        <HeadMap {...{ atlas, metric }} {...links} />
        <p className="pointed" aria-live="polite">
          {entry ? (
            // Words of another head are others, not the same ones that moved.
            <span key={entry.name}>
              <strong>{calledHead(entry.name, entry.label?.label)}</strong>{" "}
              {entry.strongest && `knows ${factorInWords(entry.strongest)}. `}
              {entry.texts.slice(0, 2).map((text, i) => (
                <Fragment key={text}>
                  {i > 0 && ", "}
                  <Said text={text} />
                </Fragment>
              ))}
            </span>
          ) : (
            "Each square and each point is a head: it leads to the head’s page."
          )}
        </p>
      </div>
      <div>
        <h3 className="axes">
          <MetricChoice
            name="upwards"
            metrics={knownMetrics(atlas)}
            chosen={y.key}
            onChoose={(key) => go({ y: key })}
          />
          <MetricChoice
            name="across"
            metrics={knownMetrics(atlas)}
            chosen={x.key}
            onChoose={(key) => go({ x: key })}
          />
        </h3>
        <HeadScatter heads={atlas.heads} {...{ x, y }} {...links} />
      </div>
    </section>
  );
}

function MetricChoice(props: {
  name: string;
  metrics: AtlasResult["metrics"];
  chosen: AtlasMetric;
  onChoose: (key: AtlasMetric) => void;
}) {
  const { name, metrics, chosen, onChoose } = props;
  return (
    <label>
      {name}{" "}
      <select value={chosen} onChange={(event) => onChoose(event.target.value as AtlasMetric)}>
        {metrics.map((one) => (
          <option key={one.key} value={one.key}>
            {one.name}
          </option>
        ))}
      </select>
    </label>
  );
}
