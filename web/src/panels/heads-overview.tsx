import { type FormEvent, Fragment, useCallback, useMemo, useState } from "react";
import { captionOf, factorInWords, metricValue, percent, titleOf } from "../../../src/views/atlas/words.ts";
import { atlasExports } from "../exports/atlas.ts";
import { atlasCommand } from "../exports/command.ts";
import { CorpusPicture } from "../plots/corpus-picture.tsx";
import { HeadMap } from "../plots/head-map.tsx";
import { HeadScatter } from "../plots/head-scatter.tsx";
import { Said } from "../plots/said.tsx";
import type { AtlasEntry, AtlasMetric, AtlasMetricWords, AtlasResult, KnowingHeads } from "../state/api.ts";
import { BY_PLACE, calledHead, chosenHeads, knownMetrics, metricOf, scaleOf } from "../state/atlas.ts";
import { useCorpora, useKnowing } from "../state/queries.ts";
import { formatAddress } from "../state/url.ts";
import { Exports } from "./exports.tsx";
import { ProblemNote } from "./problem.tsx";
import type { ViewProps } from "./view.ts";

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
  const entry = atlas.heads.find(({ name }) => name === pointed);
  return (
    <div className="atlas">
      <header>
        <h2>{titleOf(atlas)}</h2>
        <p className="muted">{captionOf(atlas)}</p>
      </header>
      {coloured && x && y && (
        <section className="glance" aria-label="At a glance">
          <div>
            <h3>
              By layer <small>{coloured.name}</small>
            </h3>
            <HeadMap {...{ atlas }} metric={coloured} {...links} />
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
                {...{ metrics }}
                chosen={y.key}
                onChoose={(key) => go({ y: key })}
              />
              <MetricChoice
                name="across"
                {...{ metrics }}
                chosen={x.key}
                onChoose={(key) => go({ x: key })}
              />
            </h3>
            <HeadScatter heads={atlas.heads} {...{ x, y }} {...links} />
          </div>
        </section>
      )}
      <section aria-label="Which heads" className="controls atlas-controls" role="search">
        <KnowsForm
          key={knows ?? ""}
          text={knows}
          isAsking={knowing.isFetching}
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
          {chosen.map((head) => (
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
function Bounds({ state, go, metrics }: Pick<Props, "state" | "go"> & { metrics: AtlasResult["metrics"] }) {
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

interface CardProps {
  readonly head: AtlasEntry;
  readonly metric: AtlasMetricWords | undefined;
  readonly knowing: KnowingHeads["heads"][number] | undefined;
  /** One of each group of images that it sees alike. */
  readonly images: readonly string[];
  readonly href: (head: string) => string;
  readonly onOpen: (head: string) => void;
  readonly onPoint: (head: string | null) => void;
  readonly isPointed: boolean;
}

function HeadCard({ head, metric, knowing, images, href, onOpen, onPoint, isPointed }: CardProps) {
  const { name, label, strongest, texts, metrics } = head;
  return (
    <li
      className={isPointed ? "head-card pointed" : "head-card"}
      data-head={name}
      onPointerEnter={(event) => event.pointerType !== "touch" && onPoint(name)}
      onPointerLeave={() => onPoint(null)}
    >
      <h3>
        <a
          href={href(name)}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            onOpen(name);
          }}
        >
          {name}
          {label && (
            <>
              {" · "}
              <bdi>{label.label}</bdi>
            </>
          )}
        </a>
        {metric && (
          <small title={metric.words}>
            {metric.name} <b>{metricValue(metrics[metric.key], metric.unit)}</b>
          </small>
        )}
      </h3>
      {knowing && (
        <p className="knowing">
          <b>{percent(knowing.share)}</b> of what varies in it lies along the text, more than along{" "}
          {percent(knowing.percentile)} of texts
          {knowing.agreement !== null && knowing.agreement < 0 && "; it speaks against it"}
        </p>
      )}
      {strongest && (
        <p className="strongest">
          <span>{factorInWords(strongest)}</span>
          <span className="bar" aria-hidden="true">
            <i
              className={strongest.sign === null ? "none" : strongest.sign > 0 ? "for" : "against"}
              style={{ width: `${100 * strongest.share}%` }}
            />
          </span>
        </p>
      )}
      <ul className="strip">
        {images.map((image) => (
          <li key={image}>
            <CorpusPicture image={image} side={64} lazy />
          </li>
        ))}
      </ul>
      {texts.length > 0 && (
        <ul className="head-texts">
          {texts.slice(0, 3).map((text) => (
            <li key={text}>
              <Said text={text} />
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function MetricNotes({ atlas: { metrics, steps, rotations } }: { atlas: AtlasResult }) {
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
