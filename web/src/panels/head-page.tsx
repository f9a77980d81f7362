import { useEffect } from "react";
import { labelledBy } from "../../../src/views/atlas/words.ts";
import { counted } from "../../../src/views/kit/text.ts";
import { headCommand } from "../exports/command.ts";
import { type AtlasResult, client } from "../state/api.ts";
import { expectAtlasHead, useAtlasHead, useCorpora } from "../state/queries.ts";
import { formatAddress } from "../state/url.ts";
import { Exports } from "./exports.tsx";
import { FirstDirection, OtherDirections } from "./head/directions.tsx";
import { Effects } from "./head/effects.tsx";
import { Facts } from "./head/facts.tsx";
import { Groups } from "./head/groups.tsx";
import { Knows } from "./head/knows.tsx";
import { Nearest } from "./head/nearest.tsx";
import type { LinkTo, PageProps } from "./head/page-props.ts";
import { Texts } from "./head/texts.tsx";
import { useTurning } from "./head/turning.ts";
import { HeadLabel } from "./head-label.tsx";
import { MetricNotes } from "./overview/metric-notes.tsx";
import { Missing, ProblemNote } from "./problem.tsx";
import type { ViewProps } from "./view.ts";

interface Props extends ViewProps {
  readonly atlas: AtlasResult;
  readonly head: string;
}

/** The page of one head. */
export function HeadPage({ state, go, model, atlas, head }: Props) {
  const { corpus } = state;
  const at = atlas.heads.findIndex(({ name }) => name === head);
  const { data: page, error } = useAtlasHead(model.name, corpus, head, at >= 0);
  const { data: corpora } = useCorpora(model.name);
  const [previous, next] = [atlas.heads[at - 1]?.name, atlas.heads[at + 1]?.name];
  useEffect(() => {
    if (page) for (const one of [next, previous]) if (one) expectAtlasHead(model.name, corpus, one);
  }, [page, next, previous, model.name, corpus]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another head is another page
  useEffect(() => {
    // What it returns, a promise in newer browsers, is no clean-up.
    void window.scrollTo(0, 0);
  }, [head]);
  useTurning(previous, next, go);
  if (at < 0) {
    return (
      <Missing what={`${model.name} has no head ${head}.`}>
        <button type="button" onClick={() => go({ head: null })}>
          All heads
        </button>
      </Missing>
    );
  }
  const entry = atlas.heads[at];
  const linkTo: LinkTo = (change) => ({
    href: formatAddress({ ...state, ...change }),
    onClick: (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      go(change);
    },
  });
  return (
    <article className="head-page" aria-label={`Head ${head}`}>
      <nav className="heads-nav" aria-label="Heads">
        <a {...linkTo({ head: null })}>All heads</a>
        <span className="turn">
          {previous ? (
            <a rel="prev" {...linkTo({ head: previous })}>{`← ${previous}`}</a>
          ) : (
            <span className="muted">first head</span>
          )}
          <kbd title="The arrow keys lead to the previous and the next head">←</kbd>
          <kbd title="The arrow keys lead to the previous and the next head">→</kbd>
          {next ? (
            <a rel="next" {...linkTo({ head: next })}>{`${next} →`}</a>
          ) : (
            <span className="muted">last head</span>
          )}
        </span>
      </nav>
      <header>
        <h2 aria-live="polite">
          {head}
          {entry.label && (
            <>
              {" · "}
              <bdi>{entry.label.label}</bdi>
            </>
          )}
        </h2>
        <div className="buttons">
          <a className="button primary" {...linkTo({ view: "look", heads: head, head: null })}>
            Look through this head
          </a>
          <a className="button" {...linkTo({ view: "neighbors", by: "image", heads: head, head: null })}>
            Neighbours through it
          </a>
        </div>
      </header>
      <p className="muted about-label">
        {entry.label
          ? `Label ${labelledBy(entry.label)}${entry.label.date ? `, ${entry.label.date.slice(0, 10)}` : ""}. `
          : "No label yet. "}
        Attention head {entry.head} of layer {entry.layer}, both counted from 0, over{" "}
        {counted(atlas.images, "image")}.
      </p>
      {client.hasJobs && <HeadLabel model={model.name} head={head} label={entry.label} />}
      <Facts entry={entry} metrics={atlas.metrics} />
      <MetricNotes atlas={atlas} />
      {error && <ProblemNote error={error} />}
      {!page && !error && <p className="empty page-place">Opening the page of {head}…</p>}
      {page && <Page {...{ state, go, page, linkTo }} steps={atlas.steps} />}
      {page && (
        <Exports
          name={`head-${head}`}
          state={state}
          command={headCommand(
            state,
            head,
            atlas.origin.pool?.name ?? null,
            corpora?.corpora.find(({ name }) => name === corpus)?.images ?? null,
          )}
        />
      )}
    </article>
  );
}

function Page(props: PageProps) {
  const { page } = props;
  return (
    <>
      <FirstDirection {...props} />
      <Groups {...props} />
      <OtherDirections {...props} />
      <Texts {...props} />
      <div className="pair">
        <Knows page={page} />
        <Effects page={page} />
      </div>
      <Nearest {...props} />
    </>
  );
}
