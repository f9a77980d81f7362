import type { FormEvent } from "react";
import type { AtlasResult } from "../../state/api.ts";
import { BY_PLACE, metricOf, scaleOf } from "../../state/atlas.ts";
import type { ViewProps } from "../view.ts";

interface Props extends Pick<ViewProps, "state" | "go"> {
  readonly metrics: AtlasResult["metrics"];
  readonly sort: string;
  /** Whether it is still asked which heads know the text. */
  readonly isAsking: boolean;
}

/** Which heads are listed, and in which order. */
export function WhichHeads({ state, go, metrics, sort, isAsking }: Props) {
  const { knows } = state;
  return (
    <section aria-label="Which heads" className="controls atlas-controls" role="search">
      <KnowsForm
        key={knows ?? ""}
        text={knows}
        isAsking={isAsking}
        onAsk={(text) => go({ knows: text, sort: null })}
      />
      <label>
        in labels, texts and factors
        <input
          type="search"
          value={state.find}
          maxLength={200}
          placeholder="background"
          onChange={(event) => go({ find: event.target.value }, { replace: true })}
        />
      </label>
      <label>
        sort by
        <select value={sort} onChange={(event) => go({ sort: event.target.value })}>
          {knows !== null && <option value="knows">knowing the text</option>}
          {metrics.map(({ key, name }) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
          <option value={BY_PLACE}>layer and head</option>
        </select>
      </label>
      <button type="button" aria-pressed={state.up} onClick={() => go({ up: !state.up })}>
        {state.up ? "lowest first ↑" : "highest first ↓"}
      </button>
      <Bounds {...{ state, go, metrics }} />
    </section>
  );
}

/** “Which heads know red?” */
function KnowsForm(props: { text: string | null; isAsking: boolean; onAsk: (text: string | null) => void }) {
  const { text, isAsking, onAsk } = props;
  const ask = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const asked = String(new FormData(event.currentTarget).get("knows") ?? "").trim();
    onAsk(asked === "" ? null : asked);
  };
  return (
    <form className="knows" onSubmit={ask}>
      <label>
        which heads know
        <input
          name="knows"
          defaultValue={text ?? ""}
          dir="auto"
          maxLength={300}
          placeholder="a red background"
        />
      </label>
      <button type="submit" className="primary">
        {isAsking ? "Asking…" : "Ask"}
      </button>
      {text !== null && (
        <button type="button" onClick={() => onAsk(null)} aria-label={`No longer ask for “${text}”`}>
          ×
        </button>
      )}
    </form>
  );
}

/** Only heads with a metric in some bounds. */
function Bounds({ state, go, metrics }: Omit<Props, "sort" | "isAsking">) {
  const metric = metricOf(metrics, state.only);
  if (!metric) return null;
  const isShare = scaleOf(metric) === 100;
  const bound = (name: "least" | "most", words: string) => (
    <label>
      {words}
      <span>
        <input
          type="number"
          step="any"
          value={state[name] ?? ""}
          onChange={(event) => {
            const value = event.target.value === "" ? null : Number(event.target.value);
            go({ only: metric.key, [name]: value }, { replace: true });
          }}
        />
        {isShare && " %"}
      </span>
    </label>
  );
  return (
    <div className="bounds">
      <label>
        only with
        <select
          value={metric.key}
          onChange={(event) => go({ only: event.target.value, least: null, most: null })}
        >
          {metrics.map(({ key, name }) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {bound("least", "at least")}
      {bound("most", "at most")}
    </div>
  );
}
