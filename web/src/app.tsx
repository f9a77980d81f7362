import { type MouseEvent, useEffect, useMemo, useRef } from "react";
import { Busy } from "./panels/busy.tsx";
import { CheckModel } from "./panels/check-model.tsx";
import { ChooseGpu, GpuProblem } from "./panels/choose-gpu.tsx";
import { CorpusPicker } from "./panels/corpus-picker.tsx";
import { FetchButton, FetchingTray } from "./panels/fetched-models.tsx";
import { Heads } from "./panels/heads.tsx";
import { addressOf, History } from "./panels/history.tsx";
import { JobsTray } from "./panels/jobs-tray.tsx";
import { Look } from "./panels/look.tsx";
import { ModelPicker } from "./panels/model-picker.tsx";
import { Neighbors } from "./panels/neighbors.tsx";
import { usePreparedOnce } from "./panels/prepare.tsx";
import { Missing, ProblemNote } from "./panels/problem.tsx";
import { Reports } from "./panels/reports.tsx";
import { Segment } from "./panels/segment.tsx";
import { Tour } from "./panels/tour.tsx";
import { ApiError, client, here } from "./state/api.ts";
import { remember } from "./state/history.ts";
import { useJobsConnection } from "./state/jobs.ts";
import { useApp, useCorpora, useGrownCorpora, useImage, useModel } from "./state/queries.ts";
import { defaultTexts, settledState, useCanonical } from "./state/settle.ts";
import { formatAddress, useViewState, within } from "./state/url.ts";
import type { View } from "./state/views.ts";

const TITLES: Readonly<Record<View, string>> = {
  look: "Look",
  segment: "Segment",
  neighbors: "Neighbours",
  heads: "Heads",
  reports: "Reports",
};
const PANELS = { look: Look, segment: Segment, neighbors: Neighbors, heads: Heads, reports: Reports };

/** A click that the page itself follows, rather than the browser in another tab. */
const isPlain = ({ metaKey, ctrlKey, shiftKey }: MouseEvent) => !(metaKey || ctrlKey || shiftKey);

/** The whole page. */
export function App() {
  const [state, go] = useViewState();
  useJobsConnection();
  const { data: app, error: appError } = useApp();
  const name = state.model ?? app?.defaultModel;
  const { data: model, error: modelError } = useModel(name);
  const corpus = state.corpus ?? app?.defaultCorpus;
  const { data: corpora } = useCorpora(model?.name);
  useGrownCorpora(corpora);
  const entry = corpora?.corpora.find((one) => one.name === corpus);
  // One's own can be used while it grows; of the demo nothing is said before it is whole.
  const ready = entry !== undefined && (entry.indexed || (entry.own && entry.searchable > 0));
  usePreparedOnce("demo", model?.name, (model?.embedded ?? false) && !state.embed && client.hasJobs);
  const title = state.view === "heads" && state.head !== null ? state.head : TITLES[state.view];
  useEffect(() => {
    document.title = `${title} · clip-interpret`;
  }, [title]);

  const image = state.image ?? app?.example.image;
  const known = useImage(image).data;
  const last = useRef<readonly string[]>([]);
  const settled = useMemo(() => app && settledState(state, app, known, last.current), [state, app, known]);
  last.current = settled?.texts ?? [];
  useCanonical(settled, known !== undefined, go);
  const shown = settled?.model === model?.name ? settled : undefined;
  const pick = (next: string, view: View = state.view) => {
    const isDefault =
      app && settled && same(settled.texts, defaultTexts(app, settled.image, known?.label ?? null));
    go({ view, image: next, tour: 0, on: isDefault ? 0 : state.on, ...(isDefault && { texts: null }) });
  };
  useEffect(() => {
    if (!shown || !known || shown.embed) return;
    const { model: of, image: at, texts, corpus: within } = shown;
    const called = known.label ?? known.path?.split("/").at(-1) ?? "your picture";
    remember({ model: of, image: at, texts, corpus: within, name: called });
  }, [shown, known]);

  const Panel = PANELS[state.view];
  const error = appError ?? modelError;
  const tooMany = (state.texts?.length ?? 0) - (app?.limits.texts ?? Number.POSITIVE_INFINITY);
  const view = (
    <main id="main" tabIndex={-1}>
      <h1 className="hidden">{`${title}: what attention heads of ${name ?? "the model"} see`}</h1>
      {error && (
        <ProblemNote error={error}>
          {isNotKept(modelError) && name !== undefined && (
            <FetchButton {...{ name, size: null }} onPick={(model) => go({ model })} />
          )}
          {modelError && app && name !== app.defaultModel && (
            <button type="button" onClick={() => go({ model: null, heads: "" })}>
              Use {app.defaultModel}
            </button>
          )}
        </ProblemNote>
      )}
      {name !== undefined && <GpuProblem model={name} />}
      {corpora && app && !entry && (
        <Missing
          what={
            client.hasJobs ? `This server has no corpus “${corpus}”.` : `“${corpus}” is not in this page.`
          }
        >
          <button type="button" onClick={() => go({ corpus: null })}>
            Search {app.defaultCorpus}
          </button>
        </Missing>
      )}
      {tooMany > 0 && app && (
        <Missing
          what={`This address has ${state.texts?.length} texts; the first ${app.limits.texts} are shown.`}
        >
          <button type="button" onClick={() => go({ texts: settled?.texts ?? [] })}>
            Keep those
          </button>
        </Missing>
      )}
      {app && model && shown ? (
        <>
          {state.view === "look" && !state.embed && client.hasJobs && (
            <Tour state={state} go={go} model={model} ready={ready} />
          )}
          <Panel {...{ state: shown, go, app, model, pick }} ready={ready} />
        </>
      ) : (
        !error && <p className="empty">Opening the model…</p>
      )}
    </main>
  );
  if (state.embed) {
    return (
      <>
        <Busy />
        {view}
        <p className="embedded">
          <a href={formatAddress({ ...(settled ?? state), embed: false })} target="_blank" rel="noreferrer">
            Open in clip-interpret
          </a>
        </p>
      </>
    );
  }
  return (
    <>
      <a className="skip" href={within("main")}>
        Skip to the view
      </a>
      <Busy />
      <header className="top">
        <a
          href="look"
          className="brand"
          onClick={(event) => {
            event.preventDefault();
            go({
              view: "look",
              image: null,
              texts: null,
              heads: "",
              against: null,
              on: 0,
              tour: 0,
              head: null,
            });
          }}
        >
          clip-interpret
        </a>
        <nav aria-label="Views">
          {client.views.map((one) => (
            <a
              key={one}
              href={formatAddress({ ...(settled ?? state), view: one, tour: 0, head: null, report: null })}
              aria-current={one === state.view ? "page" : undefined}
              onClick={(event) => {
                if (!isPlain(event)) return;
                event.preventDefault();
                go({ view: one, tour: 0, head: null, report: null });
              }}
            >
              {TITLES[one]}
            </a>
          ))}
        </nav>
        {/* Its room is there before it can be opened. */}
        {!settled && (
          <button type="button" disabled>
            Recent
          </button>
        )}
        {settled && <History state={settled} onOpen={(look) => go({ view: "look", ...addressOf(look) })} />}
        <CorpusPicker model={model?.name} corpus={corpus} onPick={(next) => go({ corpus: next, tour: 0 })} />
        <ModelPicker model={name} onPick={(next) => go({ model: next, heads: "", tour: 0 })} />
      </header>
      {view}
      <JobsTray />
      <FetchingTray />
      <footer>
        {model?.notice && <p>{model.notice}</p>}
        {model && client.fetched && (
          <div className="buttons">
            <CheckModel model={model.name} />
            <ChooseGpu />
          </div>
        )}
        <p>
          clip-interpret {app?.version} ·{" "}
          {client.hasJobs ? (
            <>
              <a href={here("/api/openapi.json")}>HTTP API</a> · the picture stays on the computer that runs
              the server
            </>
          ) : (
            "everything is computed in this tab; the picture does not leave it"
          )}
        </p>
      </footer>
    </>
  );
}

/** A model that the page can fetch once it may. */
const isNotKept = (error: unknown) => error instanceof ApiError && error.problem.code === "MODEL_NOT_KEPT";

const same = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((text, i) => text === others[i]);
