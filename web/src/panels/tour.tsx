import { useMemo, useState } from "react";
import {
  type CorpusImage,
  type CorpusImages,
  get,
  type ModelDetail,
  type NeighborsResult,
  post,
} from "../state/api.ts";
import { isUnderWay, shareOf, useJobs } from "../state/jobs.ts";
import { factorOf, inWords, type TourStop, textAbout, tourStops } from "../state/know.ts";
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
  const [busy, setBusy] = useState(false);
  const visit = async (step: number) => {
    const stop = stops[step - 1];
    setBusy(true);
    const image =
      stop && (await clearestImage(model.name, images?.images ?? [], stop).catch(() => undefined));
    setBusy(false);
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
          Nobody designed it to. But of the {stop.k} pictures that this head finds most alike, on average{" "}
          <strong>{(stop.hits * stop.k).toFixed(1)}</strong> share the {stop.factor}; by chance it would be{" "}
          {(stop.chance * stop.k).toFixed(1)}. See for yourself in <a href="#nearest">the pictures below</a>,
          for a picture on which it is plain to see. Then move over the other squares: other heads look at
          other things.
        </p>
        <div className="buttons">
          {state.tour > 1 && (
            <button type="button" disabled={busy} onClick={() => void visit(state.tour - 1)}>
              ← Back
            </button>
          )}
          {state.tour < stops.length && (
            <button
              type="button"
              className="primary"
              disabled={busy}
              onClick={() => void visit(state.tour + 1)}
            >
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
        <strong>CLIP scores how well a text fits a picture.</strong> Inside are small parts called attention
        heads. Each reads the picture in its own way, and the score is exactly the sum of what they all say.
        Here you see which head says what, where it looks, and what else it finds alike.
      </p>
      {model.embedded &&
        (canStart ? (
          <button type="button" className="primary" disabled={busy} onClick={() => void visit(1)}>
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

/** Pictures that are tried for one step. */
const TRIED = 8;

/**
 * Of some early, plain scenes of which the factor is known, the one through which the head shows it best: most of its
 * nearest pictures share the value. The tour says that it is a clear one; the average is beside it.
 */
async function clearestImage(
  model: string,
  images: readonly CorpusImage[],
  { head, factor, k }: TourStop,
): Promise<CorpusImage | undefined> {
  const known = images.filter((image) => ![null, "none"].includes(factorOf(image, factor) as string | null));
  const plain = known.filter(({ factors }) => factors.count === 1 && factors.effect === "none");
  const tried = (plain.length > 0 ? plain : known).slice(0, TRIED);
  const hits = await Promise.all(
    tried.map(async (image) => {
      const asked = { model, corpus: CORPUS, query: { image: image.image }, heads: head, k };
      const { neighbors } = await post<NeighborsResult>("/api/neighbors", asked);
      const ids = neighbors.map(({ id }) => id).join();
      const rows = await get<CorpusImages>(`/api/corpora/${CORPUS}/images?ids=${ids}`);
      return rows.images.filter((other) => factorOf(other, factor) === factorOf(image, factor)).length;
    }),
  );
  return tried[hits.indexOf(Math.max(...hits))];
}
