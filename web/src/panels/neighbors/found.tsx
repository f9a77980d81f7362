import { scoreFormat } from "../../../../src/views/neighbors/words.ts";
import { Spread } from "../../plots/spread.tsx";
import { Thumbs } from "../../plots/thumbs.tsx";
import type { NeighborsResult } from "../../state/api.ts";
import { thumbsOf } from "../thumbs-of.ts";
import type { ViewProps } from "../view.ts";

/** What was found: the most and the least similar, and random ones beside them. */
export function Found(props: {
  state: ViewProps["state"];
  /** Undefined while it is looked for. */
  data: NeighborsResult | undefined;
  /** Whether it answers the question before this one. */
  isStale: boolean;
  /** The picture that was asked about. */
  query: string | undefined;
  hrefOf: (image: string) => string;
  onOpen: (image: string) => void;
  onShuffle: () => void;
}) {
  const { state, data, isStale, query, onShuffle, ...links } = props;
  const row = (kind: "neighbors" | "least" | "random") => data && thumbsOf(state.corpus, data, data[kind]);
  const searched = data ? `${data.searched.toLocaleString("en")} pictures searched` : "searching";
  const expected = state.count;
  return (
    <div className={isStale ? "found stale" : "found"}>
      <Thumbs
        title="most similar"
        explanation={`${searched}${data && data.excluded > 0 ? "; this picture itself is left out" : ""}. Below each: its score, and the share of pictures that score lower.`}
        items={row("neighbors")}
        expected={expected}
        {...(query !== undefined && { query })}
        {...links}
      />
      {data && data.neighbors.length > 0 ? (
        <Spread
          {...data.distribution}
          marks={data.neighbors.map(({ score }) => score)}
          format={scoreFormat(data)}
        />
      ) : (
        <div className="spread place" />
      )}
      <Thumbs
        title="least similar"
        explanation="the lowest scores"
        items={row("least")}
        {...{ expected, ...links }}
      />
      <Thumbs
        title="random"
        explanation="against cherry-picking"
        items={row("random")}
        {...{ expected, ...links }}
      />
      <button type="button" onClick={onShuffle}>
        Other random ones
      </button>
    </div>
  );
}
