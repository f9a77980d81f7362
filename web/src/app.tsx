import { useEffect } from "react";
import { JobsTray } from "./panels/jobs-tray.tsx";
import { Look } from "./panels/look.tsx";
import { ModelPicker } from "./panels/model-picker.tsx";
import { Neighbors } from "./panels/neighbors.tsx";
import { usePreparedOnce } from "./panels/prepare.tsx";
import { ProblemNote } from "./panels/problem.tsx";
import { Segment } from "./panels/segment.tsx";
import { Tour } from "./panels/tour.tsx";
import { type App as AppInfo, here } from "./state/api.ts";
import { useJobsConnection } from "./state/jobs.ts";
import { useApp, useCorpora, useImage, useModel } from "./state/queries.ts";
import { formatAddress, setDefaultCorpus, useViewState, VIEWS, type View } from "./state/url.ts";

const TITLES: Readonly<Record<View, string>> = { look: "Look", segment: "Segment", neighbors: "Neighbours" };

/** Before a text is given: the example's, or what a picture of a corpus shows. Of an upload nothing is known. */
function defaultTexts(
  app: AppInfo | undefined,
  image: string | undefined,
  label: string | null,
): readonly string[] {
  if (app && image === app.example.image) return app.example.texts;
  return label === null ? [] : [`${/^[aeiou]/i.test(label) ? "an" : "a"} ${label}`];
}

/** The whole page. */
export function App() {
  const [state, go] = useViewState();
  useJobsConnection();
  const { data: app, error: appError } = useApp();
  const name = state.model ?? app?.defaultModel;
  const { data: model, error: modelError } = useModel(name);
  const { data: corpora } = useCorpora(model?.name);
  const ready = corpora?.corpora.find((corpus) => corpus.name === state.corpus)?.indexed ?? false;
  useEffect(() => {
    if (app) setDefaultCorpus(app.defaultCorpus);
  }, [app]);
  usePreparedOnce("demo", model?.name, model?.embedded ?? false);
  useEffect(() => {
    document.title = `${TITLES[state.view]} · clip-interpret`;
  }, [state.view]);

  const image = state.image ?? app?.example.image;
  const { data: known } = useImage(image);
  const texts = state.texts.length > 0 ? state.texts : defaultTexts(app, image, known?.label ?? null);
  const Panel = { look: Look, segment: Segment, neighbors: Neighbors }[state.view];
  return (
    <>
      <a className="skip" href="#main">
        Skip to the view
      </a>
      <header className="top">
        <a
          href="look"
          className="brand"
          onClick={(event) => {
            event.preventDefault();
            go({ view: "look", image: null, texts: [], heads: "", on: 0, tour: 0 });
          }}
        >
          clip-interpret
        </a>
        <nav aria-label="Views">
          {VIEWS.map((view) => (
            <a
              key={view}
              href={formatAddress({ ...state, view, tour: 0 })}
              aria-current={view === state.view ? "page" : undefined}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                go({ view, tour: 0 });
              }}
            >
              {TITLES[view]}
            </a>
          ))}
        </nav>
        <ModelPicker model={name} onPick={(next) => go({ model: next, heads: "", tour: 0 })} />
      </header>
      <JobsTray />
      <main id="main" tabIndex={-1}>
        {(appError ?? modelError) && (
          <ProblemNote error={appError ?? modelError}>
            {modelError && app && name !== app.defaultModel && (
              <button type="button" onClick={() => go({ model: null, heads: "" })}>
                Use {app.defaultModel}
              </button>
            )}
          </ProblemNote>
        )}
        {app && model && image !== undefined ? (
          <>
            {state.view === "look" && <Tour state={state} go={go} model={model} ready={ready} />}
            <Panel {...{ state, go, app, model, image, texts, ready }} />
          </>
        ) : (
          !(appError ?? modelError) && <p className="empty">Opening the model…</p>
        )}
      </main>
      <footer>
        {model?.notice && <p>{model.notice}</p>}
        <p>
          clip-interpret {app?.version} · <a href={here("/api/openapi.json")}>HTTP API</a> · the picture stays
          on the computer that runs the server
        </p>
      </footer>
    </>
  );
}
