import { useCallback, useMemo, useState } from "react";
import { captionOf, titleOf } from "../../../src/views/atlas/words.ts";
import { atlasExports } from "../exports/atlas.ts";
import { atlasCommand } from "../exports/command.ts";
import { Said } from "../plots/said.tsx";
import type { AtlasResult } from "../state/api.ts";
import { BY_PLACE, chosenHeads, knownMetrics, metricOf } from "../state/atlas.ts";
import { useCorpora, useKnowing } from "../state/queries.ts";
import { formatAddress } from "../state/url.ts";
import { Exports } from "./exports.tsx";
import { Glance } from "./overview/glance.tsx";
import { HeadCard } from "./overview/head-card.tsx";
import { MetricNotes } from "./overview/metric-notes.tsx";
import { WhichHeads } from "./overview/which-heads.tsx";
import { ProblemNote } from "./problem.tsx";
import type { ViewProps } from "./view.ts";

/** Cards that are shown at once: those of a large model are a long way to scroll. */
const FEW = 24;

interface Props extends ViewProps {
  readonly atlas: AtlasResult;
}

/** Every head at a glance: as squares, as points over two metrics, and as cards in any order. */
export function HeadsOverview({ state, go, model, atlas }: Props) {
  const { corpus, knows } = state;
  const metrics = knownMetrics(atlas);
  const { data: corpora } = useCorpora(model.name);
  const knowing = useKnowing(model.name, corpus, knows, knows !== null);
  const sort = sortOf(state.sort, metrics, knows !== null);
  const coloured = metricOf(metrics, sort, "selectivity", "norm");
  const x = metricOf(metrics, state.x, "explained", "norm");
  const y = metricOf(metrics, state.y, "sign", "selectivity", "norm");
  const chosen = useMemo(
    () => chosenHeads(atlas, state, sort, knowing.data),
    [atlas, state, sort, knowing.data],
  );
  const shown = useMemo(() => new Set(chosen.map(({ name }) => name)), [chosen]);
  const [pointed, setPointed] = useState<string | null>(null);
  const href = useCallback((head: string) => formatAddress({ ...state, head }), [state]);
  const open = useCallback((head: string) => go({ head }), [go]);
  const links = { shown, pointed, onPoint: setPointed, href, onOpen: open };
  const ids = useMemo(() => new Map(atlas.pictures.map((one) => [one.row, one])), [atlas]);
  const known = useMemo(() => new Map(knowing.data?.heads.map((one) => [one.name, one])), [knowing.data]);
  return (
    <div className="atlas">
      <header>
        <h2>{titleOf(atlas)}</h2>
        <p className="muted">{captionOf(atlas)}</p>
      </header>
      {coloured && x && y && <Glance {...{ atlas, x, y, links, go }} metric={coloured} />}
      <WhichHeads {...{ state, go, metrics, sort }} isAsking={knowing.isFetching} />
      {knowing.error && <ProblemNote error={knowing.error} />}
      <section aria-label="Heads">
        <h2 aria-live="polite">
          {chosen.length === atlas.heads.length
            ? `All ${chosen.length} heads`
            : `${chosen.length} of ${atlas.heads.length} heads`}
          {knows !== null && (
            <>
              , those that know <Said text={knows} /> best first
            </>
          )}
        </h2>
        {chosen.length === 0 && (
          <div className="empty">
            <p>No head passes all of that.</p>
            <button type="button" onClick={() => go({ find: "", only: null, least: null, most: null })}>
              Show all heads
            </button>
          </div>
        )}
        <ol className="head-cards">
          {(state.all ? chosen : chosen.slice(0, FEW)).map((head) => (
            <HeadCard
              key={head.name}
              head={head}
              metric={coloured}
              knowing={known.get(head.name)}
              images={head.groups.flatMap((row) => {
                const picture = ids.get(row);
                return picture ? [`${corpus}:${picture.id}`] : [];
              })}
              {...{ href, onOpen: open, onPoint: setPointed }}
              isPointed={head.name === pointed}
            />
          ))}
        </ol>
        {chosen.length > FEW && (
          <button
            type="button"
            className="all-heads"
            aria-expanded={state.all}
            onClick={() => go({ all: !state.all }, { replace: true })}
          >
            {state.all ? `Show the first ${FEW} alone` : `Show the other ${chosen.length - FEW} heads`}
          </button>
        )}
      </section>
      <MetricNotes atlas={atlas} />
      {coloured && x && y && (
        <Exports
          name={`heads-${corpus}`}
          state={state}
          command={atlasCommand(
            state,
            atlas.origin.pool?.name ?? null,
            corpora?.corpora.find(({ name }) => name === corpus)?.images ?? null,
          )}
          make={() => atlasExports(atlas, chosen, { metric: coloured, x, y }, knowing.data)}
        />
      )}
    </div>
  );
}

/** What the list is ordered by. */
function sortOf(named: string | null, metrics: AtlasResult["metrics"], asksText: boolean) {
  if (named === BY_PLACE) return BY_PLACE;
  if (asksText && (named === null || named === "knows")) return "knows";
  return metricOf(metrics, named, "selectivity", "norm")?.key ?? BY_PLACE;
}
