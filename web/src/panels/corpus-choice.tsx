import { useCorpora } from "../state/queries.ts";
import type { ViewProps } from "./view.ts";

/** In which pictures is searched. */
export function CorpusChoice({ state, go, model }: Pick<ViewProps, "state" | "go" | "model">) {
  const { data } = useCorpora(model.name);
  return (
    <label>
      in{" "}
      <select
        className="corpora"
        value={state.corpus}
        onChange={(event) => go({ corpus: event.target.value })}
      >
        {data?.corpora.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
