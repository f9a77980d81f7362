import { useMemo } from "react";
import type { CorpusImage, ModelDetail } from "../state/api.ts";
import { inWords, textAbout, type TourStop, tourStops, valueOf } from "../state/know.ts";
import { isUnderWay, shareOf, useJobs } from "../state/jobs.ts";
import { useCorpusImages, useInsights } from "../state/queries.ts";
import type { Navigate, ViewState } from "../state/url.ts";
import { progressInWords } from "./jobs-tray.tsx";

interface Props {
  readonly state: ViewState;
  readonly go: Navigate;
  readonly model: ModelDetail;
  readonly ready: boolean;
}

/** The demo corpus, on which the tour is. */
const CORPUS = "demo";

/** The first minute: what heads are, then three of them that clearly do one thing each. */
export function Tour({ state, go, model, ready }: Props) {
  const { data: insights } = useInsights(model.name, CORPUS, ready && state.corpus === CORPUS);
  const stops = useMemo(() => (insights ? tourStops(insights) : []), [insights]);
  const { data: images } = useCorpusImages(CORPUS, 0, 200, ready && stops.length > 0);
  const { jobs } = useJobs();
  const job = jobs.find(({ kind, subject }) => kind === "prepare" && subject === CORPUS);
  const visit = (step: number) => {
    const stop = stops[step - 1];
    const image = stop && chooseImage(images?.images ?? [], stop);
    if (!stop || !image) return;
    go({
      ...{ view: "look", image: image.image, corpus: CORPUS, heads: stop.head, tour: step },
      texts: [textAbout(stop.factor, image)],
      on: 0,
    });
  };
  const stop = state.tour > 0 ? stops[state.tour - 1] : undefined;
  const canStart = stops.length > 0 && images !== undefined;
  if (stop) {
    return (
      <section className="tour" aria-label="Tour" data-testid="tour">
        <p className="step">
          Head {state.tour} of {stops.length}
        </p>
        <h2>
          {stop.head} looks at {inWords(stop.factor)}.
        </h2>
        <p>
          Nobody told it to. But of the {stop.k} pictures that this head finds most alike, on average{" "}
          <strong>{(stop.hits * stop.k).toFixed(1)}</strong> share the {stop.factor}; by chance it would be{" "}
          {(stop.chance * stop.k).toFixed(1)}. See for yourself in <a href="#nearest">the pictures below</a>: they differ in
          everything else. Then move over the other squares of the matrix: other heads look elsewhere.
        </p>
        <div className="buttons">
          {state.tour > 1 && (
            <button type="button" onClick={() => visit(state.tour - 1)}>
              ← Back
            </button>
          )}
          {state.tour < stops.length && (
            <button type="button" className="primary" onClick={() => visit(state.tour + 1)}>
              Next head →
            </button>
          )}
          <button type="button" onClick={() => go({ tour: 0 })}>
            {state.tour < stops.length ? "Leave the tour" : "Done: try your own"}
          </button>
        </div>
      </section>
    );
  }
  return (
    <section className="tour start" aria-label="What this is">
      <p>
        <strong>CLIP scores how well a text fits a picture.</strong> Inside are small parts called attention heads. Each
        reads the picture in its own way, and the score is exactly the sum of what they all say. Here you see which head
        says what, where it looks, and what else it finds alike.
      </p>
      {model.embedded &&
        (canStart ? (
          <button type="button" className="primary" onClick={() => visit(1)}>
            Meet three heads (one minute)
          </button>
        ) : (
          <p className="waiting">
            {job && isUnderWay(job) ? (
              <>
                A one-minute tour opens when the scenes are ready ({progressInWords(job)}).{" "}
                <progress max={1} value={shareOf(job) ?? 0} aria-label="The tour gets ready" />
              </>
            ) : (
              "A one-minute tour opens when the demo scenes are ready."
            )}
          </p>
        ))}
    </section>
  );
}

/** An early scene of which the factor is known, with one thing in it where there is one: the plainest example. */
function chooseImage(images: readonly CorpusImage[], { factor }: TourStop): CorpusImage | undefined {
  const known = images.filter((image) => {
    const value = valueOf(image, factor);
    return value !== null && value !== "none";
  });
  return known.find(({ factors }) => factors.count === 1 && factors.effect === "none") ?? known[0];
}
