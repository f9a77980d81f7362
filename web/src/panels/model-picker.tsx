import { useState } from "react";
import { post } from "../state/api.ts";
import { isUnderWay, useJobs } from "../state/jobs.ts";
import { useModels } from "../state/queries.ts";
import { Dialog, DialogButton } from "./dialog.tsx";
import { JobLine } from "./jobs-tray.tsx";
import { ProblemNote } from "./problem.tsx";

interface Props {
  readonly model: string | undefined;
  readonly onPick: (model: string) => void;
}

/** The model that is looked into, and the others that could be. */
export function ModelPicker({ model, onPick }: Props) {
  const label = (
    <>
      <small>model</small> {model ?? "…"} ▾
    </>
  );
  return (
    <DialogButton className="model" label={label} title="Choose another model">
      {(close) => (
        <Dialog title="Choose a model" onClose={close}>
          <ModelList
            model={model}
            onPick={(name) => {
              close();
              onPick(name);
            }}
          />
        </Dialog>
      )}
    </DialogButton>
  );
}

function ModelList({ model, onPick }: Props) {
  const { data, error, isPending } = useModels(true);
  if (isPending) return <p className="waiting">Looking which models are here…</p>;
  if (error) return <ProblemNote error={error} />;
  return (
    <div className="table-scroll">
      <table className="models">
        <thead>
          <tr>
            <th scope="col">model</th>
            <th scope="col">layers × heads</th>
            <th scope="col">patches</th>
            <th scope="col">trained on</th>
            <th scope="col">size</th>
            <th scope="col">here?</th>
          </tr>
        </thead>
        <tbody>
          {data?.models.map(
            ({ name, layers, heads, patch, imageSize, trainedOn, megabytes, approximate, present }) => (
              <tr key={name} aria-current={name === model}>
                <th scope="row">{name}</th>
                <td>{layers === null ? "–" : `${layers} × ${heads}`}</td>
                <td>{patch === null || imageSize === null ? "–" : `${Math.floor(imageSize / patch)}²`}</td>
                <td>{trainedOn ?? "–"}</td>
                <td>
                  {megabytes === null ? "–" : `${approximate ? "about " : ""}${Math.ceil(megabytes)} MB`}
                </td>
                <td>
                  {present ? (
                    <button type="button" disabled={name === model} onClick={() => onPick(name)}>
                      {name === model ? "in use" : "Use"}
                    </button>
                  ) : (
                    <FetchModel name={name} megabytes={megabytes} />
                  )}
                </td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}

/** Fetches a model with one click that says how large it is. */
export function FetchModel({ name, megabytes }: { name: string; megabytes: number | null }) {
  const { jobs } = useJobs();
  const [error, setError] = useState<unknown>(null);
  const job = jobs.find(({ kind, subject }) => kind === "pull" && subject === name);
  if (job && isUnderWay(job)) return <JobLine job={job} />;
  const start = () => {
    setError(null);
    post("/api/jobs", { kind: "pull", model: name }).catch(setError);
  };
  return (
    <>
      <button type="button" onClick={start}>
        {`Download${megabytes === null ? "" : ` (about ${Math.ceil(megabytes)} MB)`}`}
      </button>
      {error !== null && <ProblemNote error={error} />}
    </>
  );
}

/** The model to offer for photographs. */
const FOR_PHOTOS = "ViT-B-32/openai";

/** What must be said of a photograph that a small model is shown, with the way out. */
export function PhotoNotice({ model, certain, onPick }: Props & { readonly certain: boolean }) {
  const { data } = useModels(true);
  const entry = data?.models.find(({ name }) => name === FOR_PHOTOS);
  return (
    <div className="notice" role="note">
      <p>
        <strong>This small model knows only drawn emoji scenes.</strong>{" "}
        {certain
          ? "What it says of this photograph means nothing."
          : "If this is a photograph, what the model says of it means nothing."}{" "}
        A real CLIP does better:
      </p>
      {entry?.present ? (
        <button type="button" onClick={() => onPick(FOR_PHOTOS)} disabled={model === FOR_PHOTOS}>
          Use ViT-B-32
        </button>
      ) : (
        <p className="offer">
          ViT-B-32, OpenAI’s smallest CLIP:{" "}
          <FetchModel name={FOR_PHOTOS} megabytes={entry?.megabytes ?? null} />
        </p>
      )}
    </div>
  );
}
