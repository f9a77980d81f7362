import { useMemo, useState } from "react";
import {
  type CorpusImage,
  type CorpusImages,
  type ExplainResult,
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
    const found =
      stop && (await pictureFor(model.name, images?.images ?? [], stops, stop).catch(() => undefined));
    setBusy(false);
    if (!stop || !found) return;
    go({
      ...{ view: "look", image: found.image.image, corpus: CORPUS, heads: stop.head, tour: step },
      ...{ texts: found.texts, on: 0 },
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
        <h2>{TITLES[stop.role](stop)}</h2>
        <StopFacts stop={stop} before={stops[state.tour - 2]} pictures={insights?.selectivity.images ?? 0} />
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

const TITLES: Readonly<Record<TourStop["role"], (stop: TourStop) => string>> = {
  for: ({ head, factor }) => `${head} looks at ${inWords(factor)}.`,
  against: ({ head }) => `${head} speaks against what it sees.`,
  "makes up": ({ head }) => `${head} makes up for it.`,
};

const percent = (share: number) => `${Math.round(100 * share)} %`;

/** What was measured of a head, in words. */
function StopFacts(props: { stop: TourStop; before: TourStop | undefined; pictures: number }) {
  const { stop, before, pictures } = props;
  const { factor, role, share, own, whole, nearest, values } = stop;
  const known = nearest && (
    <>
      Of the {nearest.k} pictures that it finds most alike, on average{" "}
      <strong>{(nearest.mean * nearest.k).toFixed(1)}</strong> share the {factor}; by chance it would be{" "}
      {(nearest.chance * nearest.k).toFixed(1)}.
    </>
  );
  const below = <a href="#nearest">the pictures below</a>;
  if (role === "for" || !own || !whole) {
    return (
      <p>
        Nobody designed it to. But over {pictures.toLocaleString("en")} pictures,{" "}
        <strong>{percent(share)}</strong> of what this head writes follows the {factor}. {known} See for
        yourself in {below}, for a picture on which it is plain to see. Then move over the other squares:
        other heads look at other things.
      </p>
    );
  }
  const others = whole.mean - own.mean;
  if (role === "against") {
    return (
      <>
        <p>
          It knows {inWords(factor)}: <strong>{percent(share)}</strong> of what it writes follows that.{" "}
          {known} But of {values} texts, one for each {factor}, it gives the <em>true</em> one the lowest
          score in <strong>{percent(own.last)}</strong> of the pictures; by chance it would be{" "}
          {percent(1 / values)}.
          {factor === "position" && " A thing on the left? “Anywhere but on the left”, says this head."}
        </p>
        <p>
          The score is right all the same, because the others make up for it: this head takes{" "}
          {Math.abs(own.mean).toFixed(2)} off the lead of the true text, all other parts together add{" "}
          {others.toFixed(2)}. Try the other texts: what it adds is least for the true one, the first.
        </p>
      </>
    );
  }
  return (
    <p>
      The same picture, the same texts. This head gives the true one the <em>highest</em> score in{" "}
      <strong>{percent(own.first)}</strong> of the pictures and adds {own.mean.toFixed(2)} to its lead, more
      than any other head
      {before?.own ? `; ${before.head} takes ${Math.abs(before.own.mean).toFixed(2)} off` : ""}. All parts
      summed, the true text wins in {percent(whole.first)}. That is what a score is: many voices, for and
      against, added up. Move over the squares to hear them one by one.
    </p>
  );
}

/** Pictures that are tried for one step. */
const TRIED = 8;
/** Texts of other values beside the true one. */
const MOST_OTHERS = 4;

interface Shown {
  readonly image: CorpusImage;
  readonly texts: readonly string[];
}

/** A picture on which a stop is plain to see, with what to ask about it: early, plain scenes of which the factor is known. */
async function pictureFor(
  model: string,
  images: readonly CorpusImage[],
  stops: readonly TourStop[],
  stop: TourStop,
): Promise<Shown | undefined> {
  const { factor } = stop;
  const known = images.filter((image) => ![null, "none"].includes(factorOf(image, factor) as string | null));
  const plain = known.filter(({ factors }) => factors.count === 1 && factors.effect === "none");
  const tried = (plain.length > 0 ? plain : known).slice(0, TRIED);
  if (stop.role === "for") {
    const image = await mostAlike(model, tried, stop);
    return image && { image, texts: [textAbout(factor, image)] };
  }
  const values = [...new Set(known.map((image) => String(factorOf(image, factor))))];
  const asked = tried.map((image): Shown => {
    const own = String(factorOf(image, factor));
    const others = values.filter((value) => value !== own).slice(0, MOST_OTHERS);
    return { image, texts: [own, ...others].map((value) => textAbout(factor, image, value)) };
  });
  return mostDivided(model, asked, stops);
}

/** The one of which most of the nearest pictures through the head share the value. The tour says that it is a clear one; the average is beside it. */
async function mostAlike(
  model: string,
  tried: readonly CorpusImage[],
  { head, factor, nearest }: TourStop,
): Promise<CorpusImage | undefined> {
  const k = nearest?.k ?? 8;
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

/**
 * The one on which the head that speaks against the true text, the first, and the one that speaks for it differ most, the
 * whole model being right.
 */
async function mostDivided(
  model: string,
  asked: readonly Shown[],
  stops: readonly TourStop[],
): Promise<Shown | undefined> {
  const nameOf = (role: TourStop["role"]) => stops.find((stop) => stop.role === role)?.head;
  const divided = await Promise.all(
    asked.map(async ({ image, texts }) => {
      const found = await post<ExplainResult>("/api/explain", { model, image: image.image, texts });
      const lead = (scores: readonly number[]) => scores[0] - Math.max(...scores.slice(1));
      const leadOf = (head: string | undefined, sign: number) =>
        lead(found.texts.map(({ heads }) => sign * (heads.find(({ name }) => name === head)?.value ?? 0)));
      const right = lead(found.texts.map(({ similarity }) => similarity)) > 0 ? 1 : 0;
      return right + Math.min(leadOf(nameOf("against"), -1), leadOf(nameOf("makes up"), 1));
    }),
  );
  return asked[divided.indexOf(Math.max(...divided))];
}
