import { defaultScoring } from "../../../src/results/scoring.ts";
import { Thumbs } from "../plots/thumbs.tsx";
import type { ImageInfo, Insights, ModelDetail } from "../state/api.ts";
import { orAll } from "../state/heads.ts";
import { inWords as factorInWords, type InCommon, inCommon, tourStops } from "../state/know.ts";
import { useNeighbors, useRowsOf } from "../state/queries.ts";
import { formatAddress, type Navigate, type ViewState } from "../state/url.ts";
import { PrepareCorpus } from "./prepare.tsx";
import { ProblemNote } from "./problem.tsx";
import { thumbsOf } from "./thumbs-of.ts";

interface Props {
  readonly state: ViewState;
  readonly go: Navigate;
  readonly model: ModelDetail;
  readonly image: string;
  readonly known: ImageInfo | undefined;
  readonly ready: boolean;
  readonly heads: string;
  readonly inWords: string;
  readonly insights: Insights | undefined;
}

/** The other pictures in which the chosen heads wrote most alike: what those heads see. */
export function NearestOfHeads({ state, go, model, image, known, ready, heads, inWords, insights }: Props) {
  const { corpus } = state;
  const asked =
    known && ready
      ? {
          corpus,
          query: { image },
          heads: orAll(heads),
          k: 8,
          scoring: defaultScoring("image"),
          seed: state.seed,
        }
      : undefined;
  const { data, error } = useNeighbors(model.name, asked);
  const { data: rows } = useRowsOf(corpus, data?.neighbors.map(({ id }) => id) ?? []);
  const hrefOf = (other: string) => formatAddress({ ...state, image: other, tour: 0 });
  const open = (other: string) => go({ image: other, tour: 0 });
  const chanceOf = (factor: string) =>
    insights?.retrieval.factors.find(({ name }) => name === factor)?.chance;
  // What is shared far more often than by chance, most first.
  const lift = ({ factor, count, of }: InCommon) => {
    const chance = chanceOf(factor) ?? 0.2;
    return (count / of - chance) / (1 - chance);
  };
  const shared = (rows ? inCommon(rows.images) : [])
    .filter((one) => one.count >= 4 && lift(one) >= 0.25)
    .sort((a, b) => lift(b) - lift(a));
  // On the tour what the head is shown for comes first.
  const shownFor = insights && state.tour > 0 ? tourStops(insights)[state.tour - 1]?.factor : undefined;
  shared.sort((a, b) => Number(b.factor === shownFor) - Number(a.factor === shownFor));
  return (
    <section className="nearest" id="nearest" aria-label="Nearest pictures">
      <h2>
        Pictures that {inWords}{" "}
        {heads === "" || heads === "all" ? "find" : inWords.startsWith("head ") ? "finds" : "find"} most like
        this one
      </h2>
      {!ready && <PrepareCorpus corpus={corpus} model={model.name} />}
      {error && <ProblemNote error={error} />}
      {data && (
        <>
          {shared.length > 0 && (
            <p className="in-common" data-testid="in-common">
              {shared.slice(0, 3).map(({ factor, value, count, of }, i) => {
                const chance = chanceOf(factor);
                return (
                  <span key={factor}>
                    {i > 0 ? " · " : ""}
                    <strong>
                      {count} of {of}
                    </strong>{" "}
                    have {factor} <b>{value}</b>{" "}
                    <small>
                      ({factorInWords(factor)}
                      {chance !== undefined && `; ${(chance * of).toFixed(1)} by chance`})
                    </small>
                  </span>
                );
              })}
            </p>
          )}
          <Thumbs
            title="most alike"
            explanation="to these heads, not to you: look for what they share"
            items={thumbsOf(corpus, data, data.neighbors)}
            query={image}
            hrefOf={hrefOf}
            onOpen={open}
          />
          <Thumbs
            title="random"
            explanation="for comparison"
            items={thumbsOf(corpus, data, data.random)}
            hrefOf={hrefOf}
            onOpen={open}
          />
        </>
      )}
    </section>
  );
}
