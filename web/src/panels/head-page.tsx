import { useEffect, useMemo } from "react";
import { factorBars, histogram, lookMap, textCurve } from "../../../src/views/atlas/drawings.ts";
import {
  directionName,
  explainedInWords,
  factorInWords,
  labelledBy,
  metricValue,
  percent,
  signedPercent,
} from "../../../src/views/atlas/words.ts";
import { counted, formatSigned } from "../../../src/views/kit/text.ts";
import { Drawn } from "../plots/drawn.tsx";
import { MapThumb } from "../plots/map-thumb.tsx";
import type {
  AtlasDirection,
  AtlasHeadResult,
  AtlasMetricWords,
  AtlasResult,
  AtlasShown,
} from "../state/api.ts";
import { calledHead } from "../state/atlas.ts";
import { expectAtlasHead, useAtlasHead, useModels } from "../state/queries.ts";
import { formatAddress, type ViewState } from "../state/url.ts";
import { HeadLabel } from "./head-label.tsx";
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
  const [previous, next] = [atlas.heads[at - 1]?.name, atlas.heads[at + 1]?.name];
  useEffect(() => {
    if (page) for (const one of [next, previous]) if (one) expectAtlasHead(model.name, corpus, one);
  }, [page, next, previous, model.name, corpus]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another head is another page
  useEffect(() => {
    // What it returns, a promise in newer browsers, is no clean-up.
    void window.scrollTo(0, 0);
  }, [head]);
  useEffect(() => {
    const turn = (event: KeyboardEvent) => {
      const to = { ArrowLeft: previous, ArrowRight: next }[event.key];
      if (to === undefined || isTaken(event)) return;
      event.preventDefault();
      go({ head: to });
    };
    window.addEventListener("keydown", turn);
    return () => window.removeEventListener("keydown", turn);
  }, [previous, next, go]);
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
  const linkTo = (change: Partial<ViewState>) => ({
    href: formatAddress({ ...state, ...change }),
    onClick: (event: React.MouseEvent) => {
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
      <HeadLabel model={model.name} head={head} label={entry.label} />
      <Facts entry={entry} metrics={atlas.metrics} />
      {error && <ProblemNote error={error} />}
      {!page && !error && <p className="empty page-place">Opening the page of {head}…</p>}
      {page && <Page {...{ state, go, page, linkTo }} steps={atlas.steps} />}
    </article>
  );
}

/** What is typed, or moved over, by the keys that turn pages. */
const isTaken = ({ target, altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent) =>
  altKey ||
  ctrlKey ||
  metaKey ||
  shiftKey ||
  (target instanceof Element &&
    target.closest("input:not([type=checkbox]), select, textarea, dialog, [tabindex='0']") !== null);

function Facts({
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

type LinkTo = (change: Partial<ViewState>) => { href: string; onClick: (event: React.MouseEvent) => void };

interface PageProps {
  readonly state: ViewProps["state"];
  readonly go: ViewProps["go"];
  readonly page: AtlasHeadResult;
  readonly steps: number;
  readonly linkTo: LinkTo;
}

function Page(props: PageProps) {
  const { page } = props;
  return (
    <>
      <Groups {...props} />
      <Directions {...props} />
      <Texts {...props} />
      <div className="pair">
        <Knows page={page} />
        <Looks page={page} />
      </div>
      <Effects page={page} />
      <Nearest {...props} />
    </>
  );
}

/** One picture of the page, which leads to Look. */
function usePictures({ state, page, linkTo }: PageProps) {
  const pictures = useMemo(() => new Map(page.pictures.map((one) => [one.row, one])), [page]);
  return (row: number, shown?: AtlasShown, text?: string) => {
    const picture = pictures.get(row);
    if (!picture) return null;
    const image = `${state.corpus}:${picture.id}`;
    const called = picture.label ?? picture.path.split("/").at(-1) ?? picture.path;
    const factors = Object.entries(picture.factors).flatMap(([name, value]) =>
      value === null ? [] : [`${name}: ${value}`],
    );
    const score = shown ? [`score ${formatSigned(shown.score, 3)}`] : [];
    return (
      <li key={row}>
        <a
          title={[called, ...score, ...factors].join(" · ")}
          {...linkTo({
            ...{ view: "look", image, heads: page.entry.name, head: null, on: 0, against: null },
            ...(text !== undefined && { texts: [text] }),
          })}
        >
          <MapThumb
            image={image}
            alt={called}
            covered={picture.covered}
            map={state.maps && shown ? shown.map : null}
            grid={page.grid}
            limit={page.mapLimit}
          />
          {shown && <span className="score">{formatSigned(shown.score, 3)}</span>}
        </a>
      </li>
    );
  };
}

function Groups(props: PageProps) {
  const { groups, images } = props.page;
  const picture = usePictures(props);
  if (groups.length === 0) return null;
  return (
    <section aria-labelledby="alike">
      <h3 id="alike">Images that it sees alike</h3>
      <p className="muted">
        All images, parted into {counted(groups.length, "group")} by what the head wrote into them (k-means),
        the largest group first. What the pictures of a group have in common, and groups do not share, is what
        the head tells apart.
      </p>
      <ol className="groups">
        {groups.map(({ size, images: rows, common }, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a group is its place
          <li key={i}>
            <h4>
              {percent(size / images)} <small>of the images</small>
            </h4>
            <ul className="map-thumbs">{rows.map((row) => picture(row))}</ul>
            {common.length > 0 && (
              <p>
                {common.map(({ factor, value, share, overall }, at) => (
                  <span key={factor}>
                    {at > 0 && "; "}
                    <bdi>{`${factor}: ${value}`}</bdi> {percent(share)}{" "}
                    <small>(of all {percent(overall)})</small>
                  </span>
                ))}
              </p>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Directions(props: PageProps) {
  const { state, go, page } = props;
  const { directions, withoutMaps } = page;
  if (directions.length === 0) return <p>Nothing varies in this head over these images.</p>;
  const isText = directions[0].kind === "text";
  const hasMaps = page.pictures.some(({ covered }) => covered !== null);
  return (
    <section aria-labelledby="along">
      <h3 id="along">Images along {isText ? "its texts" : "its principal directions"}</h3>
      <p className="muted">
        {isText && "Each text stands for a direction that the head writes along, less those before it. "}
        Scores are what the head wrote along the direction, less the mean over all images. A picture leads to
        Look.
      </p>
      {hasMaps && (
        <p className="maps-switch">
          <label>
            <input
              type="checkbox"
              checked={state.maps}
              onChange={(event) => go({ maps: event.target.checked }, { replace: true })}
            />{" "}
            maps on the pictures
          </label>{" "}
          <small>
            Red: the patch adds to the score; blue: it takes away.
            {withoutMaps > 0 && ` ${counted(withoutMaps, "image")} have no map.`}
          </small>
        </p>
      )}
      {directions.map((direction) => (
        <Direction key={direction.name} direction={direction} {...props} />
      ))}
    </section>
  );
}

function Direction({ direction, ...props }: PageProps & { direction: AtlasDirection }) {
  const { kind, most, least, deciles, explained, property } = direction;
  const picture = usePictures(props);
  const text = kind === "text" ? direction.name : undefined;
  const name = directionName(direction);
  const row = (title: string, shown: readonly AtlasShown[]) => (
    <div className="ends-of">
      <h5>{title}</h5>
      <ul className="map-thumbs">{shown.map((one) => picture(one.row, one, text))}</ul>
    </div>
  );
  return (
    <section className="direction" aria-label={`Along ${name}`}>
      <h4>
        <bdi>{name}</bdi>
        {property !== null && <small> {property}</small>} <small>adds {percent(explained)}</small>
      </h4>
      {row("most along it", most)}
      {row("least along it", least)}
      <div className="across">
        <h5>every tenth of all images, some drawn at random from it: the highest first</h5>
        <ol className="deciles">
          {deciles.map(({ images }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a tenth is its place
            <li key={i}>
              <span>{`${10 * i}–${10 * (i + 1)} %`}</span>
              <ul className="map-thumbs">{images.map((one) => picture(one.row, one, text))}</ul>
            </li>
          ))}
        </ol>
      </div>
      <div className="across">
        <h5>scores of all images</h5>
        <Drawn
          drawing={histogram(direction.histogram, 640, 64)}
          label={`Scores of all images along ${name}`}
        />
      </div>
    </section>
  );
}

function Texts({ page, steps }: PageProps) {
  const { texts, control } = page;
  const sentence = explainedInWords(page, steps);
  if (sentence === undefined) return null;
  const sums = texts.map((_, i) => texts.slice(0, i + 1).reduce((sum, { explained }) => sum + explained, 0));
  return (
    <section aria-labelledby="explained">
      <h3 id="explained">What its texts explain</h3>
      <p>{sentence}</p>
      <div className="pair">
        <section className="table-scroll" aria-label="Texts of the head">
          <table className="numbers">
            <thead>
              <tr>
                <th scope="col">#</th>
                <th scope="col">text</th>
                <th scope="col" className="n">
                  adds
                </th>
                <th scope="col" className="n">
                  together
                </th>
                {control && (
                  <th scope="col" className="n">
                    without meaning
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {texts.map(({ index, text, property, explained }, i) => (
                <tr key={index}>
                  <td>{i + 1}</td>
                  <th scope="row">
                    <bdi>{text}</bdi> {property !== null && <small>{property}</small>}
                  </th>
                  <td className="n">{percent(explained)}</td>
                  <td className="n">{percent(sums[i])}</td>
                  {control && <td className="n muted">{percent(control.mean[i])}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        {control && (
          <figure>
            <Drawn
              drawing={textCurve(page)}
              label="Share of the head’s variance that its texts explain together"
            />
            <figcaption className="muted">
              Blue: its texts together. Grey: the same choice without meaning (95 % of rotations). Dashes: the
              most that is possible.
            </figcaption>
          </figure>
        )}
      </div>
    </section>
  );
}

function Knows({ page: { factors } }: { page: AtlasHeadResult }) {
  if (factors.length === 0) return null;
  return (
    <section aria-labelledby="knows">
      <h3 id="knows">What it knows</h3>
      <p className="muted">
        Share of what varies in the head that each known factor explains beyond chance; red where it writes
        towards the text of the value that it sees, blue where away from it, grey where neither is certain.
      </p>
      <Drawn drawing={factorBars(factors)} label={`Selectivity: ${factors.map(factorInWords).join("; ")}`} />
    </section>
  );
}

function Looks({ page: { look, grid } }: { page: AtlasHeadResult }) {
  if (!look) return null;
  return (
    <section aria-labelledby="looks">
      <h3 id="looks">Where it looks</h3>
      <p className="muted">
        Mean over {counted(look.images, "image")} of the {look.words}
        {look.cls !== null && `; the token itself gets ${percent(look.cls)}`}.
      </p>
      <Drawn drawing={lookMap(look, grid)} label="Mean attention of each patch" />
    </section>
  );
}

function Effects({ page: { effects } }: { page: AtlasHeadResult }) {
  if (effects.length === 0) return null;
  return (
    <section aria-labelledby="without">
      <h3 id="without">What happens without it</h3>
      <p className="muted">
        Zero-shot accuracy with the head’s direct effect replaced by its mean over the images, and the share
        of the true value’s lead that the head brings.
      </p>
      <section className="table-scroll" aria-label="Effects of taking the head away">
        <table className="numbers">
          <thead>
            <tr>
              <th scope="col">factor</th>
              {["of the lead", "with it", "without", "heads missed less"].map((name) => (
                <th scope="col" className="n" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {effects.map(({ factor, classes, direct, whole, without, percentile }) => (
              <tr key={factor}>
                <th scope="row">
                  {factor} <small>{counted(classes, "value")}</small>
                </th>
                <td className="n">{signedPercent(direct)}</td>
                <td className="n">{(100 * whole).toFixed(1)} %</td>
                <td className="n">{(100 * without).toFixed(1)} %</td>
                <td className="n">{percent(percentile)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function Nearest({ page, linkTo }: PageProps) {
  const { nearest, elsewhere, entry } = page;
  // Another model's page can be opened where that model is served.
  const { data: models } = useModels(elsewhere.length > 0);
  if (nearest.length === 0 && elsewhere.length === 0) return null;
  const table = (
    caption: string,
    heads: AtlasHeadResult["nearest"],
    linked: ((head: string) => Partial<ViewState>) | null,
  ) => (
    <section className="table-scroll" key={caption} aria-label={caption}>
      <table className="numbers">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">head</th>
            <th scope="col" className="n">
              similarity
            </th>
            <th scope="col" className="n">
              by chance
            </th>
          </tr>
        </thead>
        <tbody>
          {heads.map(({ name, label, similarity, chance }) => (
            <tr key={name}>
              <th scope="row">
                {linked ? (
                  <a {...linkTo(linked(name))}>
                    <bdi>{calledHead(name, label)}</bdi>
                  </a>
                ) : (
                  <bdi>{calledHead(name, label)}</bdi>
                )}
              </th>
              <td className="n">{similarity.toFixed(2)}</td>
              <td className="n muted">{chance.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
  return (
    <section aria-labelledby="like">
      <h3 id="like">Heads that respond like {entry.name}</h3>
      <p className="muted">
        Linear CKA: 1 where two heads tell the same images apart in the same way, whatever they write.
      </p>
      <div className="pair">
        {table("in this model", nearest, (name) => ({ head: name }))}
        {elsewhere.map(({ model, index, images, heads }) =>
          table(
            `in ${model} (${index}), over ${counted(images, "shared image")}`,
            heads,
            models?.models.some((one) => one.name === model && one.present)
              ? (name) => ({ head: name, model })
              : null,
          ),
        )}
      </div>
    </section>
  );
}
