import { type FormEvent, useEffect, useState } from "react";
import { client } from "../state/api.ts";
import type { FetchedModels } from "../state/client.ts";
import { queryClient, useFetchedModels } from "../state/queries.ts";
import { ProblemNote } from "./problem.tsx";

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;
const amount = (bytes: number) => (bytes < 1e9 ? megabytes(bytes) : `${(bytes / 1e9).toFixed(1)} GB`);

/** What is told of a fetch: nothing once all of it came. */
type Told = Parameters<Parameters<FetchedModels["listen"]>[0]>[0];

/** What is being fetched of a model: how far it is, and what stops it. */
export function FetchingTray() {
  const { fetched } = client;
  const [told, setTold] = useState<Told | null>(null);
  useEffect(
    () =>
      fetched?.listen((fetching) => {
        setTold(fetching.state === "done" ? null : fetching);
        // How much is kept has changed.
        if (fetching.state !== "running") void queryClient.invalidateQueries({ queryKey: ["fetched"] });
      }),
    [],
  );
  if (!fetched || told === null) return null;
  const { model, done, total, state } = told;
  const goOn = () => {
    setTold(null);
    void queryClient.refetchQueries({ predicate: (query) => query.state.status === "error" });
  };
  return (
    <aside className="jobs" aria-label="What is fetched" aria-live="polite">
      <div className={`job ${state}`}>
        <span className="title">
          {state === "running" ? "Fetching" : "Stopped fetching"} <bdi>{model}</bdi>
          <small>{` ${megabytes(done)} of ${megabytes(total)}`}</small>
        </span>
        <progress aria-label={`Fetching ${model}`} value={done} max={total} />
        {state === "running" ? (
          <button type="button" onClick={() => void fetched.stop()}>
            Stop
          </button>
        ) : (
          <>
            <button type="button" onClick={goOn}>
              Go on
            </button>
            <button type="button" aria-label="Close" onClick={() => setTold(null)}>
              ×
            </button>
          </>
        )}
      </div>
    </aside>
  );
}

/** Lets a model be fetched and takes it. */
export function FetchButton({
  name,
  size,
  onPick,
}: {
  readonly name: string;
  readonly size: number | null;
  readonly onPick: (model: string) => void;
}) {
  const [error, setError] = useState<unknown>(null);
  const fetchIt = () => {
    setError(null);
    client.fetched
      ?.allow(name)
      .then(async (called) => {
        await queryClient.invalidateQueries({ queryKey: ["model", called] });
        onPick(called);
      })
      .catch(setError);
  };
  return (
    <>
      <button type="button" onClick={fetchIt}>
        {`Fetch${size === null ? " it" : ` (about ${Math.ceil(size)} MB)`}`}
      </button>
      {error !== null && <ProblemNote error={error} />}
    </>
  );
}

/** A model by its hub's id or its address, and those that this browser keeps. */
export function FetchedModelList({
  model,
  onPick,
}: {
  readonly model: string | undefined;
  readonly onPick: (model: string) => void;
}) {
  const { data } = useFetchedModels();
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [asked, setAsked] = useState<string | null>(null);
  const { fetched } = client;
  if (!fetched) return null;
  const open = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    try {
      const called = await fetched.allow(typed);
      await queryClient.invalidateQueries({ queryKey: ["model", called] });
      onPick(called);
    } catch (problem) {
      setError(problem);
    }
  };
  const forget = async (name: string) => {
    setError(null);
    try {
      await fetched.forget(name);
      setAsked(null);
      await queryClient.invalidateQueries({ queryKey: ["fetched"] });
      queryClient.removeQueries({ queryKey: ["model", name] });
    } catch (problem) {
      setError(problem);
    }
  };
  const kept = data?.models ?? [];
  return (
    <section className="fetched" aria-label="Models from elsewhere">
      <h3>Another CLIP</h3>
      <form className="buttons" onSubmit={(event) => void open(event)}>
        <input
          type="text"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          placeholder="owner/name on Hugging Face, or an address"
          aria-label="A model’s hub id or address"
          spellCheck={false}
          autoCapitalize="none"
        />
        <button type="submit" disabled={typed.trim() === ""}>
          Open
        </button>
      </form>
      <p className="hint">
        A CLIP’s image tower is fetched for the first picture and its text tower for the first text: some
        hundred MB each. Your pictures and texts are not sent anywhere.
      </p>
      {error !== null && <ProblemNote error={error} />}
      {kept.length > 0 && (
        <>
          <h3>Kept in this browser</h3>
          <ul className="corpora">
            {kept.map(({ name, from, bytes }) => (
              <li key={name} aria-current={name === model}>
                <div className="what">
                  <strong>
                    <bdi>{name}</bdi>
                  </strong>{" "}
                  <small>
                    {megabytes(bytes)} from {from}
                  </small>
                </div>
                <div className="buttons">
                  <button type="button" disabled={name === model} onClick={() => onPick(name)}>
                    {name === model ? "in use" : "Use"}
                  </button>
                  {asked === name ? (
                    <>
                      <button type="button" className="danger" onClick={() => void forget(name)}>
                        {`Delete ${megabytes(bytes)}`}
                      </button>
                      <button type="button" onClick={() => setAsked(null)}>
                        Keep it
                      </button>
                    </>
                  ) : (
                    <button type="button" onClick={() => setAsked(name)}>
                      Delete…
                    </button>
                  )}
                </div>
              </li>
            ))}
          </ul>
        </>
      )}
      {data && (
        <p className="hint">
          {!data.isLasting
            ? "This browser keeps no files for this page: a model is gone when the page is closed."
            : data.room !== null && data.taken !== null
              ? `This page takes ${amount(data.taken)} of the ${amount(data.room)} that this browser gives it.`
              : ""}
        </p>
      )}
    </section>
  );
}
