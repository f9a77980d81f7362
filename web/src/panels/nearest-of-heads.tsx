import { defaultScoring } from "../../../src/results/scoring.ts";
import { Thumbs } from "../plots/thumbs.tsx";
import type { ImageInfo, Insights, ModelDetail } from "../state/api.ts";
import { type Chosen, formatHeads, headsInWords, orAll } from "../state/heads.ts";
import { commonest, inWords as factorInWords, tourStops } from "../state/know.ts";
import { type Labels, useNeighbors, useRowsOf } from "../state/queries.ts";
import { formatAddress, type Settled } from "../state/url.ts";
import { PrepareCorpus } from "./prepare.tsx";
import { ProblemNote } from "./problem.tsx";
import { thumbsOf } from "./thumbs-of.ts";

interface Props {
  readonly state: Settled;
  readonly model: ModelDetail;
  readonly pick: (image: string) => void;
  readonly known: ImageInfo | undefined;
  readonly ready: boolean;
  readonly chosen: Chosen;
  readonly labels: Labels;
  readonly insights: Insights | undefined;
  /** Whether everything but the chosen heads is asked. */
  readonly isTakenOut: boolean;
}

const NEAREST = 8;

/** The other pictures in which the chosen heads wrote most alike: what those heads see. */
export function NearestOfHeads(props: Props) {
  const { state, model, pick, known, ready, chosen, labels, insights, isTakenOut } = props;
  const { corpus, image } = state;
  const heads = isTakenOut ? everythingBut(chosen, model) : orAll(formatHeads(chosen, model));
  const inWords = headsInWords(chosen, model, [], labels);
  const asked =
    known && ready && heads !== ""
      ? { corpus, query: { image }, heads, k: NEAREST, scoring: defaultScoring("image"), seed: state.seed }
      : undefined;
  const { data, error, isPlaceholderData } = useNeighbors(model.name, asked);
  const hrefOf = (other: string) => formatAddress({ ...state, image: other, tour: 0 });
  const open = pick;
  const of = data?.neighbors.length ?? 0;
  const common = data?.common?.neighbors.map(({ share, overall, ...value }) => ({
    ...{ ...value, count: Math.round(share * of), chance: overall * of },
  }));
  // The tour says beforehand which property to look at, so that chance has one try alone: its commonest value is counted, certain or not.
  const stop = insights && state.tour > 0 ? tourStops(insights)[state.tour - 1] : undefined;
  const rows = useRowsOf(corpus, stop && data ? data.neighbors.map(({ id }) => id) : []).data;
  const told = stop && insights && rows && commonest(rows.images, stop.factor);
  const chance = insights?.retrieval.factors.find(({ name }) => name === stop?.factor)?.chance ?? 0;
  const shared = [
    ...(told ? [{ ...told, chance: chance * of }] : []),
    ...(common ?? []).filter(({ factor }) => factor !== told?.factor),
  ];
  return (
    <section className="nearest" id="nearest" aria-label="Nearest pictures">
      <h2>
        {isTakenOut
          ? `Pictures found most like this one without ${inWords}`
          : `Pictures that ${inWords} ${chosen.size === 1 ? "finds" : "find"} most like this one`}
      </h2>
      {!ready && <PrepareCorpus corpus={corpus} model={model.name} />}
      {error && <ProblemNote error={error} />}
      {ready && !error && (
        <div className={isPlaceholderData ? "found stale" : "found"}>
          <p className="in-common" {...(shared.length > 0 && { "data-testid": "in-common" })}>
            {shared.map(({ factor, value, count, chance }, i) => (
              <span key={`${factor} ${value}`}>
                {i > 0 ? " · " : ""}
                <strong>
                  {count} of {of}
                </strong>{" "}
                have {factor} <b>{value}</b>{" "}
                <small>
                  ({factorInWords(factor)}; {chance.toFixed(1)} by chance)
                </small>
              </span>
            ))}
            {common && shared.length === 0 && (
              <small>
                What is known of these pictures is not more frequent among them than chance allows.
              </small>
            )}
          </p>
          <Thumbs
            title="most alike"
            explanation={`to ${isTakenOut ? "what is left" : "these heads"}, not to you: look for what they share`}
            items={data && thumbsOf(corpus, data, data.neighbors)}
            expected={NEAREST}
            query={image}
            hrefOf={hrefOf}
            onOpen={open}
          />
          <Thumbs
            title="random"
            explanation="for comparison"
            items={data && thumbsOf(corpus, data, data.random)}
            expected={NEAREST}
            hrefOf={hrefOf}
            onOpen={open}
          />
        </div>
      )}
    </section>
  );
}

/** Every component but the chosen heads: what is left of the embedding without them. */
function everythingBut(chosen: Chosen, model: ModelDetail): string {
  if (chosen.size === 0) return "mlps";
  const left = new Map<number, number>();
  for (let unit = 0; unit < model.layers * model.heads; unit++) {
    const weight = 1 - (chosen.get(unit) ?? 0);
    if (weight !== 0) left.set(unit, weight);
  }
  return [formatHeads(left, model), "mlps"].filter(Boolean).join();
}
