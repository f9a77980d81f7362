import { useState } from "react";
import { type AddedCorpus, type ChangedCorpora, type Corpora, client, post, remove } from "../state/api.ts";
import { isUnderWay, useJobs } from "../state/jobs.ts";
import { queryClient, useApp, useCorpora, useRoots } from "../state/queries.ts";
import { Dialog, DialogButton } from "./dialog.tsx";
import { GiveFolder, LeftOutFiles } from "./give-folder.tsx";
import { JobLine } from "./jobs-tray.tsx";
import { startJob } from "./prepare.tsx";
import { ProblemNote } from "./problem.tsx";

interface Props {
  readonly model: string | undefined;
  /** The one that is searched. */
  readonly corpus: string | undefined;
  readonly onPick: (corpus: string) => void;
}

/** The pictures that are searched, others that are there, and folders that can be added. */
export function CorpusPicker({ model, corpus, onPick }: Props) {
  const { data } = useCorpora(model);
  const title = data?.corpora.find(({ name }) => name === corpus)?.title ?? corpus ?? "…";
  const label = (
    <>
      <small>pictures</small> {title} ▾
    </>
  );
  return (
    <DialogButton className="model" label={label} title="Choose which pictures are searched">
      {(close) => (
        <Dialog title="Pictures to search" onClose={close}>
          {model !== undefined && (
            <CorpusList
              {...{ model, corpus }}
              onPick={(name) => {
                close();
                onPick(name);
              }}
              onGone={onPick}
            />
          )}
        </Dialog>
      )}
    </DialogButton>
  );
}

type Entry = Corpora["corpora"][number];

interface ListProps {
  readonly model: string;
  readonly corpus: string | undefined;
  readonly onPick: (corpus: string) => void;
  /** The one that is searched was removed: another takes its place. */
  readonly onGone: (corpus: string) => void;
}

function CorpusList({ model, corpus, onPick, onGone }: ListProps) {
  const { data, error } = useCorpora(model);
  const { data: app } = useApp();
  const [failure, setFailure] = useState<unknown>(null);
  const [asked, setAsked] = useState<string | null>(null);
  const change = async (work: () => Promise<ChangedCorpora>) => {
    setFailure(null);
    try {
      const changed = await work();
      await Promise.all(
        ["app", "corpora", "corpus-images"].map((key) => queryClient.invalidateQueries({ queryKey: [key] })),
      );
      setAsked(null);
      if (corpus !== undefined && !changed.corpora.includes(corpus)) onGone(changed.default);
    } catch (problem) {
      setFailure(problem);
    }
  };
  if (error) return <ProblemNote error={error} />;
  return (
    <>
      <ul className="corpora">
        {data?.corpora.map((one) => {
          const isDefault = one.name === app?.defaultCorpus;
          return (
            <li key={one.name} aria-current={one.name === corpus}>
              <div className="what">
                <strong>
                  <bdi>{one.title}</bdi>
                </strong>{" "}
                <small>{statusOf(one)}</small>
              </div>
              <div className="buttons">
                <button type="button" disabled={one.name === corpus} onClick={() => onPick(one.name)}>
                  {one.name === corpus ? "in use" : "Use"}
                </button>
                {one.own && !one.indexed && one.job === null && (
                  <button type="button" onClick={() => void startJob(one.name, model).catch(setFailure)}>
                    {one.searchable > 0 ? "Go on" : "Look at them"}
                  </button>
                )}
                {client.hasJobs && (
                  <button
                    type="button"
                    disabled={isDefault}
                    title="What is searched before anything is chosen, for everybody on this server"
                    onClick={() => void change(() => post(`/api/corpora/${one.name}/default`, {}))}
                  >
                    {isDefault ? "the default" : "Make default"}
                  </button>
                )}
                {one.own &&
                  (asked === one.name ? (
                    <>
                      <button
                        type="button"
                        className="danger"
                        onClick={() => void change(() => remove(`/api/corpora/${one.name}`))}
                      >
                        Remove it; the pictures themselves stay where they are
                      </button>
                      <button type="button" onClick={() => setAsked(null)}>
                        Keep it
                      </button>
                    </>
                  ) : (
                    <button type="button" onClick={() => setAsked(one.name)}>
                      Remove…
                    </button>
                  ))}
              </div>
              <CorpusJob name={one.name} model={model} />
              {one.own && client.takesFolders && one.made && <LeftOutFiles corpus={one.name} model={model} />}
            </li>
          );
        })}
      </ul>
      {failure !== null && <ProblemNote error={failure} />}
      {client.hasJobs && <AddFolder model={model} />}
      {client.takesFolders && <GiveFolder model={model} onGiven={onPick} />}
    </>
  );
}

/** `34 of 210 pictures can be searched`. */
function statusOf({ images, indexed, searchable }: Entry): string {
  if (images === null) return "not drawn yet";
  const all = `${images.toLocaleString("en")} pictures`;
  if (indexed) return all;
  return searchable > 0
    ? `${searchable.toLocaleString("en")} of ${all} can be searched`
    : `${all}, not looked at by this model yet`;
}

function CorpusJob({ name, model }: { readonly name: string; readonly model: string }) {
  const { jobs } = useJobs();
  const job = jobs.find((one) => one.subject === name && one.model === model);
  return job && (isUnderWay(job) || job.state === "failed") ? <JobLine job={job} /> : null;
}

/** A folder below one of the roots of the server, chosen step by step. */
function AddFolder({ model }: { readonly model: string }) {
  const [at, setAt] = useState<{ readonly root: string; readonly path: string } | null>(null);
  const { data, error } = useRoots(at?.root, at?.path ?? "");
  const [failure, setFailure] = useState<unknown>(null);
  const [added, setAdded] = useState<string | null>(null);
  const folder = data?.folder ?? null;
  const go = (root: string, path: string) => {
    setFailure(null);
    setAt({ root, path });
  };
  const add = async () => {
    if (!at) return;
    setFailure(null);
    try {
      const { corpus } = await post<AddedCorpus>("/api/corpora", { ...at, model });
      await queryClient.invalidateQueries({ queryKey: ["corpora"] });
      setAdded(corpus);
      setAt(null);
    } catch (problem) {
      setFailure(problem);
    }
  };
  const steps = at?.path === "" ? [] : (at?.path.split("/") ?? []);
  return (
    <section className="add-folder" aria-label="Add a folder of pictures">
      <h3>Add a folder of pictures</h3>
      {data?.roots.length === 0 && (
        <p className="hint">
          Start the server with <code>--root FOLDER</code>: what lies below it can be added here.
        </p>
      )}
      {data && data.roots.length > 0 && (
        <nav className="crumbs" aria-label="Folder">
          {data.roots.map((root) => (
            <button type="button" key={root} aria-pressed={at?.root === root} onClick={() => go(root, "")}>
              <bdi>{root}</bdi>
            </button>
          ))}
        </nav>
      )}
      {at && steps.length > 0 && (
        <nav className="crumbs" aria-label="Where in it">
          <button type="button" onClick={() => go(at.root, "")}>
            <bdi>{at.root}</bdi>
          </button>
          {steps.map((step, i) => (
            <span key={steps.slice(0, i + 1).join("/")}>
              {" / "}
              <button
                type="button"
                aria-current={i === steps.length - 1 ? "location" : undefined}
                onClick={() => go(at.root, steps.slice(0, i + 1).join("/"))}
              >
                <bdi>{step}</bdi>
              </button>
            </span>
          ))}
        </nav>
      )}
      {at && folder && (
        <>
          <ul className="folders" aria-label="Folders in it">
            {folder.folders.map((name) => (
              <li key={name}>
                <button
                  type="button"
                  onClick={() => go(at.root, folder.path === "" ? name : `${folder.path}/${name}`)}
                >
                  <bdi>{name}</bdi>
                </button>
              </li>
            ))}
          </ul>
          <p className="hint">
            {folder.pictures === 0 ? "No pictures" : `${folder.pictures.toLocaleString("en")} pictures`} right
            in it{folder.folders.length > 0 && "; folders in it are taken along"}
            {folder.more && "; there is more than is listed"}.
          </p>
          <div className="buttons">
            <button
              type="button"
              className="primary"
              disabled={folder.pictures === 0 && folder.folders.length === 0}
              onClick={() => void add()}
            >
              Add “{steps.at(-1) ?? at.root}”
            </button>
          </div>
        </>
      )}
      {error && <ProblemNote error={error} />}
      {failure !== null && <ProblemNote error={failure} />}
      <p role="status" className="hint">
        {added !== null && "Added: it is being looked at, and can be used while it grows."}
      </p>
    </section>
  );
}
